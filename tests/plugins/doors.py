"""What stands beyond the plugins' doors: a service, a session bus, a player that takes notes."""

from __future__ import annotations

import json
import os
import shutil
import socketserver
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from harness import PATIENCE, wait_until

__all__ = ["AWKWARD", "Bus", "Notes", "Service", "moment", "session_bus"]

# File names that shells, argument parsers, formats, markup and lines trip over.
AWKWARD = (
    "line\nend.mp4",
    "quote'\"`$(touch pwned)`;&|.mp4",
    "100%s %20 %% {0}.mp4",
    "--start=9 -dash.mp4",
    "שלום ‮ عربي.mp4",
    "<b>bold & &amp; \\n.mp4",
    "  spaces\t.mp4",
)


def moment(path: Path | str, **others: Any) -> dict[str, Any]:
    """A moment as the service tells it."""
    facts = {
        "video": 7,
        "path": str(path),
        "name": Path(path).name,
        "start_seconds": 1.25,
        "end_seconds": 3.5,
        "score": 2.5,
        "confidence": 0.75,
        "online": True,
    }
    return {**facts, **others}


@dataclass
class Service:
    """Answers what a test tells it to, over a Unix socket, and notes what was asked."""

    place: Path
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    scopes: list[list[str]] = field(default_factory=list)
    gate: threading.Event | None = None

    def found(
        self, *moments: dict[str, Any], near: Any = (), held_back: int = 0, rivals: int = 0
    ) -> None:
        """Let searches find these."""
        facts = {"query": "", "took_ms": 1, "grounder": "curve", "moments": moments}
        held = {"near": list(near), "held_back": held_back, "rivals": rivals}
        self.says("/v1/find", {**facts, **held})

    def says(self, target: str, facts: Any, status: int = 200) -> None:
        self.answers[target] = status, json.dumps(facts).encode()

    @contextmanager
    def running(self) -> Iterator[Service]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = parse_qs(parts.query, keep_blank_values=True, strict_parsing=bool(parts[3]))
                service.asked.append((parts.path, {k: v[-1] for k, v in query.items()}))
                service.scopes.append(query.get("within", []))
                if service.gate is not None:
                    service.gate.wait(PATIENCE)
                missing = 404, b'{"error": "there is no such thing"}'
                status, content = service.answers.get(parts.path, missing)
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def address_string(self) -> str:
                return "unix"

            def log_message(self, *_: Any) -> None:
                pass

        self.place.parent.mkdir(parents=True, exist_ok=True)
        with socketserver.ThreadingUnixStreamServer(str(self.place), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()


@dataclass
class Notes:
    """A folder for PATH whose programs write down their arguments instead of playing."""

    folder: Path

    def add(self, name: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        program = self.folder / name
        program.write_text(
            f"#!{sys.executable}\n"
            "import json, os, sys\n"
            "note = sys.argv[0] + '.json'\n"
            "with open(note + '.part', 'w') as file: json.dump(sys.argv[1:], file)\n"
            "os.replace(note + '.part', note)\n"
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    def taken(self, name: str) -> list[str]:
        """The arguments that a program was started with; read once."""
        note = self.folder / f"{name}.json"
        wait_until(note.exists)
        arguments: list[str] = json.loads(note.read_text())
        note.unlink()
        return arguments

    def none(self, name: str) -> bool:
        return not (self.folder / f"{name}.json").exists()


@dataclass(frozen=True)
class Bus:
    """A session bus of the test's own."""

    environment: dict[str, str]

    def gdbus(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["gdbus", arguments[0], "--session", *arguments[1:]]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=PATIENCE
        )

    def call(self, name: str, path: str, interface: str, member: str, *given: Any) -> Any:
        """The result of a method; ``given`` is a signature and the arguments."""
        from jeepney import DBusAddress, new_method_call
        from jeepney.io.blocking import open_dbus_connection
        from jeepney.wrappers import unwrap_msg

        signature, body = (given[0], given[1:]) if given else (None, ())
        address = DBusAddress(path, bus_name=name, interface=interface)
        with open_dbus_connection(bus=self.environment["DBUS_SESSION_BUS_ADDRESS"]) as connection:
            message = new_method_call(address, member, signature, body)
            result = unwrap_msg(connection.send_and_get_reply(message, timeout=PATIENCE))
        return result[0] if len(result) == 1 else result

    def has(self, name: str) -> bool:
        names = self.call(
            "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "ListNames"
        )
        return name in names


@contextmanager
def session_bus(environment: dict[str, str]) -> Iterator[Bus]:
    """A bus that starts services in this environment; it ends with the block."""
    pytest.importorskip("jeepney")
    for program in ("dbus-run-session", "gdbus"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    told = ["sh", "-c", 'printf "%s\\n" "$DBUS_SESSION_BUS_ADDRESS"; exec cat']
    with subprocess.Popen(
        ["dbus-run-session", "--", *told],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as running:
        assert running.stdin is not None and running.stdout is not None
        address = running.stdout.readline().strip()
        assert address.startswith("unix:"), "no session bus came up"
        yield Bus({**environment, "DBUS_SESSION_BUS_ADDRESS": address})
        running.stdin.close()
        running.wait(timeout=PATIENCE)


def with_program_folder(environment: dict[str, str], folder: Path) -> dict[str, str]:
    """The environment with a folder first on PATH."""
    return {**environment, "PATH": f"{folder}{os.pathsep}{environment['PATH']}"}
