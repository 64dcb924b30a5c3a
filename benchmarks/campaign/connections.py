"""Half-open connections: whoever else asks is answered, and nothing is written for ever."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.campaign.outcome import MOST_MEGABYTES, Outcome, tempo_edge
from benchmarks.campaign.seeds import write_seeds
from benchmarks.usage import room_for
from tempo_edge.service.transport.unix_http import UnixConnection

__all__ = ["hold_connections"]

# Seconds in which the Unix socket must answer, whatever happens at the port.
_ANSWER_SECONDS = 10.0

# Lines that a service may write because of connections, at most.
_MOST_LINES = 100


def hold_connections(
    count: int, scratch: Path, say: Callable[[str], None] = lambda line: None
) -> Outcome:
    """Serve a small library, hold ``count`` connections open that never end their request."""
    outcome = Outcome("half-open connections", count)
    films = scratch / "films"
    films.mkdir(parents=True)
    write_seeds(films)
    library = scratch / "served.db"
    outcome.judge(tempo_edge("index", "-q", "--library", library, films, timeout=600), "index")
    with tempfile.TemporaryDirectory() as short:  # a socket's name must be short
        service = _Service(library, Path(short))
        try:
            service.wait()
            service.ask(outcome, "before")
            held = _hold(service.port, count, outcome)
            say(f"{len(held)} connections are held")
            for _ in range(5):
                service.ask(outcome, "while connections are held")
                time.sleep(0.5)
            for each in held:
                each.close()
            service.ask(outcome, "afterwards")
            service.ask_port(outcome)
        finally:
            service.end(outcome)
    return outcome


def _hold(port: int, count: int, outcome: Outcome) -> list[socket.socket]:
    room_for(count + 200)
    held = []
    for number in range(count):
        each = socket.socket()
        each.settimeout(2.0)
        try:
            each.connect(("127.0.0.1", port))
            if number % 2:
                each.sendall(b"GET /v1/status HT")  # the other half say nothing at all
        except OSError:
            each.close()  # full: that is what a limit is for
            outcome.facts["not let in"] = outcome.facts.get("not let in", 0) + 1
            if outcome.facts["not let in"] > 50:
                break
            continue
        held.append(each)
    outcome.facts["held"] = len(held)
    return held


class _Service:
    """A running service, with what it writes."""

    def __init__(self, library: Path, folder: Path) -> None:
        self._socket = folder / "s"
        arguments = ("serve", "--library", library, "--socket", self._socket, "--port", "0")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tempo_edge.cli", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "XDG_RUNTIME_DIR": str(folder), "XDG_DATA_HOME": str(folder)},
        )
        self._lines: list[str] = []
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        self.port = 0

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if len(self._lines) < 100_000:
                self._lines.append(line)

    def wait(self) -> None:
        """Until both doors are open."""
        until = time.monotonic() + 60
        while time.monotonic() < until and self._process.poll() is None:
            said = re.search(r"listening on http://127\.0\.0\.1:(\d+)/", "".join(self._lines))
            if said and self._socket.exists():
                self.port = int(said[1])
                return
            time.sleep(0.1)
        raise SystemExit(f"the service did not start: {''.join(self._lines)}")

    def ask(self, outcome: Outcome, when: str) -> None:
        """True if the Unix socket answers."""
        began = time.monotonic()
        connection = UnixConnection(self._socket, _ANSWER_SECONDS)
        try:
            connection.request("GET", "/v1/status")
            status = connection.getresponse().status
            if status != 200:
                outcome.problems.append(f"the socket answers {status} {when}")
        except OSError as error:
            outcome.problems.append(f"the socket does not answer {when}: {error}")
        finally:
            connection.close()
        outcome.worst_seconds = max(outcome.worst_seconds, time.monotonic() - began)

    def ask_port(self, outcome: Outcome) -> None:
        """True if the port answers again, soon after the others have gone."""
        until = time.monotonic() + 30
        while True:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=_ANSWER_SECONDS)
            try:
                connection.request("GET", "/v1/status")
                if connection.getresponse().status == 401:
                    return
            except OSError as error:
                if time.monotonic() > until:
                    outcome.problems.append(f"the port does not answer afterwards: {error}")
                    return
            finally:
                connection.close()
            time.sleep(0.5)

    def end(self, outcome: Outcome) -> None:
        """End it, and look at what it took and wrote."""
        status = Path(f"/proc/{self._process.pid}/status")
        if status.exists() and (peak := re.search(r"VmHWM:\s+(\d+)", status.read_text())):
            outcome.peak_megabytes = max(outcome.peak_megabytes, int(peak[1]) / 1024)
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            outcome.problems.append("the service does not end")
        self._reading.join(10)
        assert self._process.stderr is not None
        self._process.stderr.close()
        outcome.facts["lines written"] = len(self._lines)
        if len(self._lines) > _MOST_LINES:
            outcome.problems.append(f"{len(self._lines)} lines were written")
        if "Traceback" in "".join(self._lines):
            outcome.problems.append("a traceback of the service")
        if outcome.peak_megabytes > MOST_MEGABYTES:
            outcome.problems.append(f"the service took {outcome.peak_megabytes:.0f} MB")
