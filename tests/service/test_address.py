"""Where the page is: told from anywhere, opened in a browser, and what one gets without a token."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from door import Service, running
from harness import PATIENCE, wait_until
from shown import Footage


def serve(
    service: Service, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """`tempo-edge serve` as the person types it whose service that is, in some other folder."""
    return subprocess.run(
        [sys.executable, "-m", "tempo_edge.cli", "serve", *arguments],
        env={**service.environment, **environment},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def browser(folder: Path) -> tuple[str, Path]:
    """A browser that only notes what it was called with, as ``$BROWSER``, and where it does."""
    noted = folder / "opened"
    program = folder / "browser"
    program.write_text(f'#!/bin/sh\nprintf %s "$1" > {noted}.part && mv {noted}.part {noted}\n')
    program.chmod(0o755)
    return f"{program} %s", noted


def led_to(noted: Path, service: Service) -> str:
    """The address that a browser was led to, by way of a file that its user alone can read."""
    wait_until(noted.exists)
    said = noted.read_text()
    assert said.startswith("file:///") and service.token not in said, "others see arguments"
    page = Path(said.removeprefix("file://"))
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    (address,) = re.findall('url=([^"]+)"', page.read_text())
    return address


def test_the_address_from_anywhere(named: Footage, environment: dict[str, str]) -> None:
    with running(named.library, environment, "--port", "0") as service:
        address = f"http://127.0.0.1:{service.port}/?token={service.token}\n"
        said = serve(service, "--address", "--socket", str(service.socket))
        assert (said.returncode, said.stdout, said.stderr) == (0, address, "")
        default = service.folder / "tempo-edge" / "service.sock"
        default.parent.mkdir()
        default.symlink_to(service.socket)
        said = serve(service, "--address")
        assert (said.returncode, said.stdout, said.stderr) == (0, address, "")
        assert service.end() == 0
        said = serve(service, "--address")
        assert (said.returncode, said.stdout) == (2, "")
        assert said.stderr.count("\n") == 1 and f"no service listens at {default}" in said.stderr


def test_no_address_without_a_port(empty: Service) -> None:
    said = serve(empty, "--address", "--socket", str(empty.socket))
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.count("\n") == 1 and "has no page: start it with --port" in said.stderr
    assert empty.get("/v1/address").json == {"address": None, "library": str(empty.library)}


def test_a_second_service_says_where_the_first_is(
    service: Service, named: Footage, tmp_path: Path
) -> None:
    given = ("--socket", str(service.socket), "--library", str(named.library))
    for port in ("0", str(service.port)):
        said = serve(service, *given, "--port", port)
        assert said.returncode == 2 and said.stdout == ""
        assert said.stderr.count("\n") == 1, said.stderr
        assert f"its page is http://127.0.0.1:{service.port}/" in said.stderr
        assert str(named.library) in said.stderr and service.token not in said.stderr
    command, noted = browser(tmp_path)
    said = serve(service, *given, "--open", BROWSER=command)
    assert said.returncode == 0 and "a service runs already" in said.stderr
    assert led_to(noted, service) == f"http://127.0.0.1:{service.port}/?token={service.token}"
    other = ("--socket", str(service.socket), "--library", str(tmp_path / "other.db"))
    said = serve(service, *other, "--open", BROWSER=command)
    assert said.returncode == 2 and f"a service of {named.library}" in said.stderr


def test_a_second_service_without_a_page(empty: Service) -> None:
    said = serve(empty, "--socket", str(empty.socket), "--open")
    assert said.returncode == 2 and "already, without a page" in said.stderr


def test_opening_the_page(named: Footage, environment: dict[str, str], tmp_path: Path) -> None:
    command, noted = browser(tmp_path)
    with running(named.library, {**environment, "BROWSER": command}, "--open") as service:
        address = led_to(noted, service)
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
