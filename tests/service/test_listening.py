"""Sockets: whose they are, what is there before, and those that systemd hands over."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from door import Service
from harness import PATIENCE, Said, wait_until
from shown import Footage

from tempo_edge.errors import TempoEdgeError
from tempo_edge.service.transport import places, sockets
from tempo_edge.service.transport.port_listener import PortListener
from tempo_edge.service.transport.sockets import UnixListener


@pytest.fixture
def short() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="te-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


def test_only_its_user_gets_in(short: Path) -> None:
    path = short / "made" / "s"
    listener = UnixListener(path)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {each.name for each in path.parent.iterdir()} == {"s", "s.lock"}
    listener.close()
    assert not path.exists()


def test_what_a_killed_service_leaves(short: Path) -> None:
    path = short / "s"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    UnixListener(path).close()


def test_one_at_a_time(short: Path) -> None:
    path = short / "s"
    first = UnixListener(path)
    with pytest.raises(TempoEdgeError, match="a service listens at"):
        UnixListener(path)
    first.close()
    with socket.socket(socket.AF_UNIX) as other:  # one that takes no lock
        other.bind(str(path))
        other.listen()
        with pytest.raises(TempoEdgeError, match="a service listens at"):
            UnixListener(path)
        assert path.exists()


@pytest.mark.parametrize("kind", [UnixListener, PortListener])
def test_it_takes_nobody_elses_place(
    short: Path, kind: type[UnixListener] | type[PortListener]
) -> None:
    path = short / "s"
    path.write_text("kept")
    with pytest.raises(TempoEdgeError, match="is no socket"):
        kind(path)
    assert path.read_text() == "kept"
    path.unlink()
    listener = kind(path)
    path.unlink()
    path.write_text("kept")
    listener.close()
    assert path.read_text() == "kept"


def test_names_that_are_too_long(short: Path) -> None:
    with pytest.raises(TempoEdgeError, match="107 are allowed"):
        UnixListener(short / ("x" * 108))


def test_where_it_listens_by_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    assert places.socket_path() == Path("/run/user/7/tempo-edge/service.sock")
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert places.socket_path() == tmp_path / "cache" / "tempo-edge" / "service.sock"
    assert places.token_path() == tmp_path / "data" / "tempo-edge" / "token"


def test_only_this_machine() -> None:
    with sockets.tcp(0) as made:
        assert made.getsockname()[0] == "127.0.0.1"
        assert sockets.is_loopback(made)
        with pytest.raises(TempoEdgeError, match="can't be listened on"):
            made.listen()
            sockets.tcp(made.getsockname()[1])
    with socket.socket() as everywhere:
        everywhere.bind(("0.0.0.0", 0))
        assert not sockets.is_loopback(everywhere)
    for port in (-1, 65536):
        with pytest.raises(TempoEdgeError, match="must be within"):
            sockets.tcp(port)


LAUNCHER = """
import os, sys
given = [int(each) for each in sys.argv[1].split(",")]
os.environ["LISTEN_PID"], os.environ["LISTEN_FDS"] = str(os.getpid()), str(len(given))
spare = [os.dup2(each, 100 + at) for at, each in enumerate(given)]
for at, each in enumerate(spare):
    os.dup2(each, 3 + at)
os.execv(sys.executable, [sys.executable, "-m", "tempo_edge.cli", *sys.argv[2:]])
"""


def activate(
    sockets: list[socket.socket], environment: dict[str, str], *arguments: str
) -> subprocess.Popen[str]:
    """Start a service as systemd does: with sockets from descriptor 3 on."""
    given = [each.fileno() for each in sockets]
    names = ",".join(map(str, given))
    command = [sys.executable, "-c", LAUNCHER, names, "serve", "--always", *arguments]
    return subprocess.Popen(
        command,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        pass_fds=given,
    )


def test_sockets_that_systemd_opened(
    short: Path, named: Footage, environment: dict[str, str]
) -> None:
    told = {**environment, "HOME": str(short), "XDG_RUNTIME_DIR": str(short / "run")}
    with socket.socket(socket.AF_UNIX) as unix, socket.socket() as inet:
        unix.bind(str(short / "given"))
        unix.listen()
        inet.bind(("127.0.0.1", 0))
        inet.listen()
        run = activate([unix, inet], told, "--library", str(named.library))
        with run:
            try:
                service = Service.__new__(Service)
                service.socket, service.port = short / "given", inet.getsockname()[1]
                # The first request waits in the socket until the service is there.
                assert service.get("/v1/status").json["library"] == str(named.library)
                assert service.ask("GET", "/v1/status", tcp=True).status == 401
                assert not (short / "run").exists(), "no further socket is made"
            finally:
                run.send_signal(signal.SIGTERM)
                _, said = run.communicate(timeout=PATIENCE)
    assert run.returncode == 0, said
    assert (short / "given").exists(), "its name is systemd's to take away"


def test_no_socket_that_other_machines_reach(
    short: Path, named: Footage, environment: dict[str, str]
) -> None:
    told = {**environment, "HOME": str(short), "XDG_RUNTIME_DIR": str(short / "run")}
    with socket.socket() as inet:
        inet.bind(("0.0.0.0", 0))
        inet.listen()
        run = activate([inet], told, "--library", str(named.library))
        _, said = run.communicate(timeout=PATIENCE)
    assert run.returncode == 2 and "loopback" in said and said.count("\n") == 1


def test_it_does_not_say_that_it_listens_where_it_can_not(
    short: Path, named: Footage, environment: dict[str, str]
) -> None:
    told = {**environment, "HOME": str(short), "XDG_RUNTIME_DIR": str(short / "run")}
    one, other = socket.socketpair()  # of the right kind, but connected
    with one, other:
        run = activate([one], told, "--library", str(named.library))
        _, said = run.communicate(timeout=PATIENCE)
    assert run.returncode == 2 and said.count("\n") == 1, said
    assert "can't be listened on" in said


def test_sockets_that_are_meant_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_PID", "1")
    monkeypatch.setenv("LISTEN_FDS", "3")
    assert sockets.activated() == []
    assert "LISTEN_FDS" not in os.environ, "a child must not take them for its own"


def test_errors_are_one_line(tempo: Callable[..., Said], tmp_path: Path, short: Path) -> None:
    assert "must be a whole number" in tempo("serve", "--port", "http").error
    assert "must be a whole number" in tempo("serve", "--port", "65536").error
    assert "is not a folder" in tempo("serve", "--watch", str(tmp_path / "none")).error
    (short / "s").write_text("")
    assert "is no socket" in tempo("serve", "--socket", str(short / "s")).error


def test_without_its_extra(
    tempo: Callable[..., Said], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in [
        name for name in sys.modules if name.startswith(("uvicorn", "tempo_edge.service."))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert tempo("serve").error == 'uvicorn is not installed: pip install ".[serve]"'


def test_signals_end_it(service: Service, named: Footage, environment: dict[str, str]) -> None:
    from door import running

    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with running(named.library, environment) as own:
            own.process.send_signal(name)
            assert own.process.wait(30) == 0
            wait_until(lambda own=own: not own.socket.exists())  # type: ignore[misc]
