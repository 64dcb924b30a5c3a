"""A real service in a process of its own, and a plain client of it.

With ``TEMPO_EDGE_UNIX_SOCKETS=no`` it listens at a port, as where there are no Unix sockets, and
all tests that speak to it run over that.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from harness import PATIENCE, wait_until
from processes import Forked

from tempo_edge._files import make_private
from tempo_edge._system import unix_sockets
from tempo_edge.service.transport.port_note import port_at
from tempo_edge.service.transport.reaching import PortConnection
from tempo_edge.service.transport.unix_http import UnixConnection

__all__ = ["TOKEN", "UNIX", "Reply", "Service", "is_alive", "running", "send_raw", "wait_long"]

#: For tests of what Unix sockets alone have.
UNIX = pytest.mark.skipif(not unix_sockets.are_used(), reason="is about Unix sockets")

#: Every service's where there are no Unix sockets, for the tests' own process to know.
TOKEN = "of_all_services_of_the_tests_that_have_a_port"

Headers = dict[str, str]

# The command line, in a process that may have few files open: the soft and the hard limit.
_FEW_DESCRIPTORS = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, ({}, {}))
from tempo_edge.cli import main
main()
"""


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        assert self.headers["content-type"] == "application/json", self
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The one line of a refusal."""
        said = self.json
        assert list(said) == ["error"]
        assert said["error"] and "\n" not in said["error"]
        return str(said["error"])


def wait_long(true: Callable[[], object]) -> None:
    """Look until something is so that the indexer brings about: it yields to all that is going on.

    Raises:
        AssertionError: it has not come about after a very long time.
    """
    ends = time.monotonic() + 10 * PATIENCE
    while not true():
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.05)


class Service:
    """A running service.

    Attributes:
        folder: its home and the folder of its socket; ``library``: what it serves.
        port: where it listens over TCP; 0 where it doesn't.
    """

    def __init__(
        self,
        folder: Path,
        library: Path,
        environment: Headers,
        arguments: tuple[str, ...],
        descriptors: tuple[int, int] | None = None,
    ) -> None:
        self.folder = folder
        self.library = library
        self.socket = folder / "s"
        self.log = folder / "log"
        words = ["serve", "--always", "--library", str(library), "--socket", str(self.socket)]
        words += arguments
        self.environment = {**environment, "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
        if not unix_sockets.are_used(self.environment):
            place = folder / ".local/share/tempo-edge/token"
            make_private(place.parent)
            place.write_text(TOKEN)
        with self.log.open("ab") as log:
            started = log.tell()
            self.process: Forked | subprocess.Popen[bytes]
            if descriptors is None:
                self.process = Forked(words, self.environment, stderr=log.fileno())
            else:
                few = _FEW_DESCRIPTORS.format(*descriptors)
                command = [sys.executable, "-c", few, *words]
                self.process = subprocess.Popen(command, env=self.environment, stderr=log)
        has_both = "--port" in arguments and unix_sockets.are_used(self.environment)
        doors = 2 if has_both else 1
        wait_until(lambda: self._is_up(started, doors))
        ports = re.findall(r"http://127\.0\.0\.1:(\d+)/", self.said[started:])
        self.port = int(ports[0]) if ports else 0

    def _is_up(self, started: int, doors: int) -> bool:
        assert self.process.poll() is None, self.said
        if self.said[started:].count("listening on") < doors:
            return False
        with suppress(OSError, http.client.HTTPException):
            return self.get("/v1/openapi.json").status == 200
        return False

    @property
    def said(self) -> str:
        """All that it wrote to stderr."""
        return self.log.read_text(encoding="utf-8")

    @property
    def token(self) -> str:
        return (self.folder / ".local/share/tempo-edge/token").read_text().strip()

    def connection(self, tcp: bool = False) -> http.client.HTTPConnection:
        if tcp:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        port = port_at(self.socket)
        if port is None:
            return UnixConnection(self.socket, PATIENCE)
        return PortConnection(port, self.token, PATIENCE)

    def ask(
        self,
        method: str,
        target: str,
        *,
        headers: Headers | None = None,
        body: bytes | None = None,
        tcp: bool = False,
    ) -> Reply:
        """Send a request on a connection of its own."""
        connection = self.connection(tcp)
        try:
            connection.request(method, target, body=body, headers=headers or {})
            response = connection.getresponse()
            told = {name.lower(): text for name, text in response.getheaders()}
            return Reply(response.status, told, response.read())
        finally:
            connection.close()

    def get(self, path: str, headers: Headers | None = None, **parameters: Any) -> Reply:
        query = f"?{urlencode(parameters, doseq=True)}" if parameters else ""
        return self.ask("GET", path + query, headers=headers)

    def post(self, path: str, facts: object = None) -> Reply:
        body = None if facts is None else json.dumps(facts).encode()
        return self.ask("POST", path, headers={"Content-Type": "application/json"}, body=body)

    def find(self, query: str = "a beach", **parameters: Any) -> Reply:
        return self.get("/v1/find", q=query, **{"min_confidence": 0, "limit": 100, **parameters})

    def state(self) -> str:
        return str(self.get("/v1/status").json["indexing"]["state"])

    def settle(self, videos: int) -> None:
        """Wait until so many videos are there and nothing is left to do."""

        def settled() -> bool:
            said = self.get("/v1/status").json
            assert "videos" in said, said
            return said["videos"] == videos and said["indexing"]["state"] == "idle"

        wait_long(settled)

    def children(self) -> list[int]:
        """Processes that it started and that run a program of their own by now.

        One that has not come so far is left out: it shares the service's memory, and who
        stops it stops the service.
        """
        process = self.process.pid
        text = ""
        for task in Path(f"/proc/{process}/task").iterdir():
            with suppress(OSError):
                text += (task / "children").read_text() + " "
        own = command_line(process)
        return [pid for pid in map(int, text.split()) if command_line(pid) not in (own, None)]

    def memory(self) -> int:
        """Resident bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (kilobytes,) = re.findall(r"VmRSS:\s+(\d+) kB", status)
        return int(kilobytes) << 10

    def end(self) -> int:
        """Ask it to end; gives its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def descriptors(self) -> int:
        """How many files and sockets it has open."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)


@contextmanager
def running(
    library: Path,
    environment: Headers,
    *arguments: str,
    folder: Path | None = None,
    descriptors: tuple[int, int] | None = None,
) -> Iterator[Service]:
    """A service for as long as it is needed; it must end well, and have nothing to complain of.

    Args:
        folder: of an earlier service, to start another in its place.
        descriptors: the soft and the hard limit on open files.
    """
    # Not pytest's folder: the name of a socket may have 107 bytes.
    place = folder or Path(tempfile.mkdtemp(prefix="te-", dir="/tmp"))
    service = Service(place, library, environment, arguments, descriptors)
    try:
        yield service
        if service.process.poll() is None:
            assert service.end() == 0
        assert "Traceback" not in service.said, service.said
    finally:
        if service.process.poll() is None:
            service.kill()
        if folder is None:
            shutil.rmtree(place)


def send_raw(service: Service, request: bytes, tcp: bool = False) -> bytes:
    """Everything that comes back for some bytes, until the other side closes."""
    if not tcp and not unix_sockets.are_used():
        pytest.skip("what is sent raw names no token, which is needed without Unix sockets")
    family = socket.AF_INET if tcp else socket.AF_UNIX
    address: Any = ("127.0.0.1", service.port) if tcp else str(service.socket)
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(PATIENCE)
        sock.connect(address)
        said = b""
        with suppress(ConnectionResetError, BrokenPipeError):
            sock.sendall(request)
            while part := sock.recv(65536):
                said += part
        return said


def command_line(process: int) -> bytes | None:
    """A process's program and words; None, if it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes()
    return None


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
