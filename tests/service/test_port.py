"""A service without Unix sockets: at a port, which a note tells to its user and the token opens."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from door import Service, running
from harness import PATIENCE
from shown import Footage

from tempo_edge._system import unix_sockets
from tempo_edge.errors import TempoEdgeError
from tempo_edge.query import Query
from tempo_edge.service.client import Client, NoServiceError, ask_status
from tempo_edge.service.transport import places, token
from tempo_edge.service.transport.name_lock import locked
from tempo_edge.service.transport.port_listener import PortListener
from tempo_edge.service.transport.port_note import port_at, port_in, write_note
from tempo_edge.service.transport.sockets import TakenError, UnixListener


@pytest.fixture
def short() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="te-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def service(named: Footage, shared_environment: dict[str, str]) -> Iterator[Service]:
    """A service that no test may change anything of, without Unix sockets."""
    without = {**shared_environment, unix_sockets.SWITCH: "no"}
    with running(named.library, without) as started:
        yield started


@pytest.fixture
def its_user(service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    """The service, with its user's token at hand."""
    place = service.folder / ".local/share/tempo-edge/token"
    monkeypatch.setattr(places, "token_path", lambda: place)
    return service


def test_only_its_user_is_told_where(short: Path) -> None:
    path = short / "made" / "s"
    listener = PortListener(path)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert port_at(path) == listener.port != 0
    assert listener.socket.getsockname()[0] == "127.0.0.1"
    listener.close()
    assert not path.exists() and port_at(path) is None


def test_one_at_a_time_whatever_the_other_has(short: Path) -> None:
    for first, second in (
        (PortListener, UnixListener),
        (UnixListener, PortListener),
        (PortListener, PortListener),
    ):
        listener = first(short / "s")
        with pytest.raises(TakenError, match="a service listens at"):
            second(short / "s")
        listener.close()


def test_what_a_killed_service_leaves(short: Path) -> None:
    path = short / "s"
    for kind in (PortListener, UnixListener):
        write_note(path, 9)
        assert port_in(path) == 9 and port_at(path) is None, "whoever has that port is a stranger"
        kind(path).close()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    PortListener(path).close()


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "[]", "null", "9", "[" * 200, "\xff", '{"tempo-edge port": "9"}'),
        *('{"tempo-edge port": true}', '{"tempo-edge port": 0}', '{"tempo-edge port": 65536}'),
    ],
)
def test_what_is_no_note(short: Path, text: str) -> None:
    path = short / "s"
    path.write_text(text, encoding="latin-1")
    held = locked(path)
    assert port_at(path) is None and port_in(path) is None
    os.close(held)


def test_no_note_by_way_of_a_link(short: Path) -> None:
    listener = PortListener(short / "s")
    (short / "t").symlink_to("s")
    (short / "t.lock").symlink_to("s.lock")
    assert port_at(short / "t") is None
    listener.close()


def test_its_user_gets_in_and_nobody_without_the_token(its_user: Service) -> None:
    client = Client(its_user.socket)
    assert client.status()["library"] == str(its_user.library)
    assert len(client.find(Query("a beach", min_confidence=0, limit=3))) == 3
    connection = http.client.HTTPConnection("127.0.0.1", its_user.port, timeout=PATIENCE)
    try:
        connection.request("GET", "/v1/status")
        reply = connection.getresponse()
        assert reply.status == 401
        assert "the token is missing" in json.loads(reply.read())["error"]
    finally:
        connection.close()
    address = client.address()["address"]
    assert address == f"http://127.0.0.1:{its_user.port}/"


def test_another_user_has_another_token(service: Service) -> None:
    places.token_path().unlink(missing_ok=True)
    assert token.load(places.token_path()) != service.token
    with pytest.raises(TempoEdgeError, match="the token is wrong"):
        Client(service.socket).status()
    assert ask_status(service.socket) is None


def test_a_stranger_at_its_port_is_told_no_token(
    named: Footage, shared_environment: dict[str, str], short: Path, its_user: Service
) -> None:
    without = {**shared_environment, unix_sockets.SWITCH: "no"}
    with running(named.library, without, folder=short) as killed:
        killed.kill()
        assert port_in(killed.socket) == killed.port
        with socket.socket() as stranger:
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            stranger.bind(("127.0.0.1", killed.port))
            stranger.listen()
            stranger.setblocking(False)
            with pytest.raises(NoServiceError):
                Client(killed.socket).status()
            with pytest.raises(BlockingIOError):
                stranger.accept()
        with running(named.library, without, folder=short) as again:  # in the place of that
            assert again.get("/v1/status").status == 200


def test_the_port_may_be_chosen_and_signals_end_it(
    named: Footage, shared_environment: dict[str, str]
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    without = {**shared_environment, unix_sockets.SWITCH: "no"}
    with running(named.library, without, "--port", str(free)) as service:
        assert service.port == free and service.said.count("listening on") == 1
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(PATIENCE) == 0
        assert not service.socket.exists()
