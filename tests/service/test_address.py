"""Where the page is: told from anywhere, opened in a browser, and what one gets without a token."""

from __future__ import annotations

import re
import stat
import tempfile
from pathlib import Path

import pytest
from door import UNIX, Service, running
from harness import PATIENCE, Said, wait_until
from processes import Forked
from shown import Footage


def serve(service: Service, *arguments: str, **environment: str) -> Said:
    """`tempo-edge serve` as the person types it whose service that is, in some other folder."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        run = Forked(
            ["serve", *arguments],
            {**service.environment, **environment},
            stdout=out.fileno(),
            stderr=err.fileno(),
            first="import os; os.chdir('/')",
        )
        status = run.wait(PATIENCE)
        out.seek(0), err.seek(0)
        return Said(status, out.read(), err.read())


def browser(folder: Path) -> tuple[str, Path]:
    """A browser that only notes what it was called with, as ``$BROWSER``, and where it does."""
    noted = folder / "opened"
    program = folder / "browser"
    program.write_text(f'#!/bin/sh\nprintf %s "$1" > {noted}.part && mv {noted}.part {noted}\n')
    program.chmod(0o755)
    return f"{program} %s", noted


def led_to(noted: Path) -> str:
    """The address that a browser was led to, by way of a file that its user alone can read."""
    wait_until(noted.exists)
    said = noted.read_text()
    page = Path(said.removeprefix("file://"))
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    (address,) = re.findall('url=([^"]+)"', page.read_text())
    token = address.partition("token=")[2]
    assert said.startswith("file:///") and token and token not in said, "others see arguments"
    return address


def test_the_address_from_anywhere(named: Footage, environment: dict[str, str]) -> None:
    with running(named.library, environment, "--port", "0") as service:
        address = f"http://127.0.0.1:{service.port}/?token={service.token}\n"
        said = serve(service, "--address", "--socket", str(service.socket))
        assert (said.status, said.out, said.err) == (0, address, "")
        default = service.folder / "tempo-edge" / "service.sock"
        default.parent.mkdir()
        default.symlink_to(service.socket)
        said = serve(service, "--address")
        assert (said.status, said.out, said.err) == (0, address, "")
        assert service.end() == 0
        said = serve(service, "--address")
        assert (said.status, said.out) == (2, "")
        assert said.err.count("\n") == 1 and f"no service listens at {default}" in said.err


def test_the_address_of_a_service_at_another_socket(
    named: Footage, tmp_path: Path, environment: dict[str, str]
) -> None:
    """Found by its library, in a terminal that knows another folder for sockets, too."""
    elsewhere = {"XDG_RUNTIME_DIR": str(tmp_path / "runtime")}
    data = {"XDG_DATA_HOME": str(tmp_path / "data")}  # of one user, as both services are

    def address(service: Service) -> str:
        token = (tmp_path / "data" / "tempo-edge" / "token").read_text().strip()
        return f"http://127.0.0.1:{service.port}/?token={token}\n"

    other = tmp_path / "other" / "library.db"
    other.parent.mkdir()
    other.write_bytes(named.library.read_bytes())
    with running(named.library, {**environment, **data}, "--port", "0") as service:
        for given in ([], ["--library", str(named.library)]):
            said = serve(service, "--address", *given, **elsewhere)
            assert (said.status, said.out, said.err) == (0, address(service), "")
        said = serve(service, "--address", "--library", str(other), **elsewhere)
        assert said.status == 2 and "no service listens at" in said.err
        said = serve(service, "--address", "--library", str(other), "--socket", str(service.socket))
        assert said.status == 2 and f"is that of {named.library}" in said.err
        with running(other, {**environment, **data}, "--port", "0") as second:
            said = serve(service, "--address", "--library", str(other), **elsewhere)
            assert (said.status, said.out) == (0, address(second))
            said = serve(service, "--address", **elsewhere)
            assert said.status == 2 and "2 services run: name one" in said.err
        service.kill()
        said = serve(service, "--address", **elsewhere)
        assert said.status == 2 and "no service listens at" in said.err


def test_a_second_service_of_a_library_at_another_socket(
    named: Footage, tmp_path: Path, environment: dict[str, str]
) -> None:
    """It says where the first is, by whatever path the library is called; a killed one is none."""
    alias = tmp_path / "alias.db"
    alias.symlink_to(named.library)
    command, noted = browser(tmp_path)
    data = {**environment, "XDG_DATA_HOME": str(tmp_path / "data")}
    with running(named.library, data, "--port", "0") as service:
        again = ("--socket", str(service.folder / "other.sock"), "--library", str(alias))
        said = serve(service, *again)
        assert said.status == 2 and said.err.count("\n") == 1
        assert f"a service of {named.library} listens at {service.socket} already" in said.err
        assert f"http://127.0.0.1:{service.port}/: use that, or end it first" in said.err
        said = serve(service, *again, "--open", BROWSER=command)
        assert said.status == 0 and "a service runs already" in said.err
        assert f"http://127.0.0.1:{service.port}/?token=" in led_to(noted)
        service.kill()
        with running(alias, data) as second:
            assert second.find().status == 200


@UNIX
def test_a_service_whose_user_has_no_place_for_notes(
    named: Footage, tmp_path: Path, environment: dict[str, str]
) -> None:
    data = tmp_path / "data"
    data.write_text("a file, where a folder is wanted")
    with running(named.library, {**environment, "XDG_DATA_HOME": str(data)}) as service:
        assert service.find().status == 200
        assert "finds this service by --socket only" in service.said


@UNIX
def test_no_address_without_a_port(empty: Service) -> None:
    said = serve(empty, "--address", "--socket", str(empty.socket))
    assert (said.status, said.out) == (2, "")
    assert said.err.count("\n") == 1 and "has no page: start it with --port" in said.err
    assert empty.get("/v1/address").json == {"address": None, "library": str(empty.library)}


def test_a_second_service_says_where_the_first_is(
    service: Service, named: Footage, tmp_path: Path
) -> None:
    given = ("--socket", str(service.socket), "--library", str(named.library))
    for port in ("0", str(service.port)):
        said = serve(service, *given, "--port", port)
        assert said.status == 2 and said.out == ""
        assert said.err.count("\n") == 1, said.err
        assert f"its page is http://127.0.0.1:{service.port}/" in said.err
        assert str(named.library) in said.err and service.token not in said.err
    command, noted = browser(tmp_path)
    said = serve(service, *given, "--open", BROWSER=command)
    assert said.status == 0 and "a service runs already" in said.err
    assert led_to(noted) == f"http://127.0.0.1:{service.port}/?token={service.token}"
    other = ("--socket", str(service.socket), "--library", str(tmp_path / "other.db"))
    said = serve(service, *other, "--open", BROWSER=command)
    assert said.status == 2 and f"a service of {named.library}" in said.err


@UNIX
def test_a_second_service_without_a_page(empty: Service) -> None:
    said = serve(empty, "--socket", str(empty.socket), "--open")
    assert said.status == 2 and "already, without a page" in said.err


def test_opening_the_page(named: Footage, environment: dict[str, str], tmp_path: Path) -> None:
    command, noted = browser(tmp_path)
    with running(named.library, {**environment, "BROWSER": command}, "--open") as service:
        address = led_to(noted)
        assert address == service.get("/v1/address").json["address"] + f"?token={service.token}"
        page = Path(noted.read_text().removeprefix("file://"))
        assert page.exists()
    assert not page.exists()


def test_no_browser_to_open(named: Footage, environment: dict[str, str]) -> None:
    with running(named.library, {**environment, "BROWSER": "false"}, "--open") as service:
        wait_until(lambda: "no browser to open" in service.said)
        assert service.find().status == 200


@pytest.mark.parametrize("target", ["/", "/v1/status", "/?token=wrong", "/x"])
def test_a_browser_without_the_token(service: Service, target: str) -> None:
    asked = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    reply = service.ask("GET", target, headers=asked, tcp=True)
    assert reply.status == 401 and reply.headers["www-authenticate"] == "Bearer"
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert b"tempo-edge serve --address" in reply.body
    assert reply.headers["content-security-policy"].startswith("default-src 'self'")
    assert service.ask("GET", target, headers={"Accept": "*/*"}, tcp=True).error


def test_a_browser_that_comes_from_elsewhere(service: Service) -> None:
    asked = {"Accept": "text/html", "Sec-Fetch-Site": "cross-site"}
    reply = service.ask("GET", "/", headers=asked, tcp=True)
    assert reply.status == 403 and b"<h1>" in reply.body
    reply = service.ask("GET", f"/?token={service.token}", headers=asked, tcp=True)
    assert reply.status == 200 and b"url=/" in reply.body
    assert "SameSite=Strict" in reply.headers["set-cookie"]
    assert service.token.encode() not in reply.body
