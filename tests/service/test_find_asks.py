"""`find` asks a service if there is one, and never needs it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from door import UNIX, Service, running
from harness import PATIENCE, Said, wait_until
from shown import NAMES, Footage

import tempo_edge
from tempo_edge.answer import Answer
from tempo_edge.query import Query
from tempo_edge.service import client
from tempo_edge.service.transport import places

Tempo = Callable[..., Said]

ALL = ("--min-confidence", "0")


@pytest.fixture
def library_path(named: Footage) -> Path:
    """Commands ask the library that the service has."""
    return named.library


@pytest.fixture(autouse=True)
def _on_a_busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that is slow to answer is waited for, however slow the machine is."""
    for name in ("_CONNECT_SECONDS", "_STATUS_SECONDS", "_ANSWER_SECONDS"):
        monkeypatch.setattr(client, name, PATIENCE)


@pytest.fixture
def found(service: Service, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Lets commands find the service; gives the answers that it gave them."""
    monkeypatch.setattr(client, "socket_path", lambda: service.socket)
    answers: list[str] = []
    real = client.find

    def noted(library: Path, query: Query) -> Answer | None:
        reply = real(library, query)
        answers.append("none" if reply is None else "service")
        return reply

    monkeypatch.setattr(client, "find", noted)
    return answers


@pytest.mark.parametrize(
    "arguments",
    [(), ("--json",), ("-0",), ("-n", "3"), ("--grounder", "mllm"), ("--grounder", "curve")],
)
def test_it_says_the_same(tempo: Tempo, found: list[str], arguments: tuple[str, ...]) -> None:
    asked = tempo("find", "a beach", *ALL, *arguments)
    assert found == ["service"] and asked.status == 0 and asked.out
    assert tempo("find", "a beach", *ALL, "--no-service", *arguments) == asked
    assert found == ["service"]


def test_refusals_are_the_same(tempo: Tempo, found: list[str]) -> None:
    for arguments in ((), ("--json",)):
        none = ("--min-confidence", "1", *arguments)
        asked = tempo("find", "a beach", *none)
        assert (asked.status, asked.out) == (1, "")
        assert tempo("find", "a beach", *none, "--no-service") == asked
    assert found == ["service", "service"]


def test_errors_are_the_same(tempo: Tempo, found: list[str]) -> None:
    for arguments in (("find", " "), ("find", "a", "-n", "0"), ("find", "a", "--in", "/nowhere")):
        assert tempo(*arguments).error == tempo(*arguments, "--no-service").error
    assert found == ["none"], "what is no query asks nobody"


def test_a_grounder_that_no_request_can_name(tempo: Tempo, found: list[str]) -> None:
    arguments = ("find", "a beach", "--grounder", os.fsdecode(b"caf\xe9"))
    asked = tempo(*arguments)
    assert asked.status == 2 and "must be one of mllm, curve, vlm" in asked.err
    assert asked == tempo(*arguments, "--no-service") and found == ["none"]


def test_paths_are_taken_from_here(
    tempo: Tempo, found: list[str], named: Footage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(named.folder)
    asked = tempo("find", "a beach", *ALL, "--in", "-rf.mp4", "-0")
    assert asked.out == f"{named.folder}/-rf.mp4\0" and found == ["service"]
    both = ("--in", "-rf.mp4", "--in", named.folder / "line\nend.mp4", "-0")
    asked = tempo("find", "a", "beach", *ALL, *both)
    assert set(asked.out.split("\0")[:-1]) == {
        f"{named.folder}/-rf.mp4",
        f"{named.folder}/line\nend.mp4",
    }
    assert found == ["service"] * 2


def test_what_is_done_here(tempo: Tempo, found: list[str], tmp_path: Path) -> None:
    page = tmp_path / "why.html"
    assert tempo("find", "a beach", *ALL, "--explain", str(page)).status == 0 and page.exists()
    assert tempo("find", "a beach", *ALL, "-n", "1", "--clip", str(tmp_path)).status == 0
    assert tempo("find", "a beach", *ALL, "-n", "1", "--refine").status == 0
    assert tempo("find", "a beach", *ALL, "--profile", "nano").status == 0
    assert found == []


def test_more_than_a_service_gives(tempo: Tempo, found: list[str]) -> None:
    asked = tempo("find", "a beach", *ALL, "-n", "101", "--json")
    assert found == ["none"] and len(asked.out.splitlines()) >= len(NAMES)


def test_another_library(tempo: Tempo, found: list[str], named: Footage, tmp_path: Path) -> None:
    other = Path(shutil.copy(named.library, tmp_path / "other.db"))
    assert tempo("find", "a beach", *ALL, "--library", str(other)).status == 0
    link = tmp_path / "link.db"
    link.symlink_to(named.library)
    assert tempo("find", "a beach", *ALL, "--library", str(link)).status == 0
    assert found == ["none", "service"], "by whatever name a library goes"


def test_another_version(tempo: Tempo, found: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "__version__", "0.0.0")
    assert tempo("find", "a beach", *ALL).status == 0 and found == ["none"]


# -- services that are none ----------------------------------------------------------------------


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bytes | None], Path]]:
    """Makes a socket that gives the same bytes to everyone; None says nothing at all."""
    folder = Path(tempfile.mkdtemp(prefix="te-", dir="/tmp"))
    path = folder / "s"
    monkeypatch.setattr(client, "socket_path", lambda: path)
    listening = socket.socket(socket.AF_UNIX)
    held: list[socket.socket] = []

    def answer(said: bytes | None) -> None:
        while True:
            try:
                each, _ = listening.accept()
            except OSError:
                return
            held.append(each)
            if said is not None:
                each.recv(65536)
                each.sendall(said)
                each.shutdown(socket.SHUT_RDWR)

    def make(said: bytes | None) -> Path:
        listening.bind(str(path))
        listening.listen()
        threading.Thread(target=answer, args=(said,), daemon=True).start()
        return path

    yield make
    with suppress(OSError):
        listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    for each in held:
        each.close()
    shutil.rmtree(folder)


def http(body: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


def status(**facts: object) -> bytes:
    said = {"version": tempo_edge.__version__, "library": "/x", "profile": "nano", **facts}
    return http(json.dumps(said).encode())


@pytest.mark.parametrize(
    "said",
    [b"", b"\0\xff" * 100, b"HTTP/1.1 200 OK\r\n\r\n", http(b"{}"), http(b"[]"), http(b"null"),
     http(b"{"), http(b"{}", b"500 Oh"), http(b"[" * 100_000), b"SSH-2.0-x\r\n", status(library=7),
     status(library="/\0"), status(library="/\ud800"), status(version=None),
     b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}"],
)  # fmt: skip
def test_whatever_answers_it_does_without(
    tempo: Tempo, fake: Callable[[bytes | None], Path], said: bytes
) -> None:
    fake(said)
    asked = tempo("find", "a beach", *ALL)
    assert asked.status == 0 and asked.out
    assert asked == tempo("find", "a beach", *ALL, "--no-service")


def test_one_that_never_answers(
    tempo: Tempo, fake: Callable[[bytes | None], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(None)
    monkeypatch.setattr(client, "_STATUS_SECONDS", 0.1)
    began = time.monotonic()
    assert tempo("find", "a beach", *ALL).status == 0
    assert time.monotonic() - began < PATIENCE


def test_a_socket_that_nobody_listens_at(tempo: Tempo, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(tempfile.mkdtemp(prefix="te-", dir="/tmp"))
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(folder / "s"))
    for path in (folder / "s", folder, folder / "none", folder / ("x" * 200)):
        monkeypatch.setattr(client, "socket_path", lambda path=path: path)
        began = time.monotonic()
        assert client.find(Path("/x"), Query("a", limit=1)) is None
        assert time.monotonic() - began < PATIENCE / 2, "it does not wait"
    shutil.rmtree(folder)


def test_killed_in_the_midst_of_an_answer(
    own: Footage, environment: dict[str, str], tempo: Tempo, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(own.library, environment) as service:
        monkeypatch.setattr(client, "socket_path", lambda: service.socket)
        real = client.Client.find

        def ask(self: client.Client, query: Query, profile: str) -> Answer:
            threading.Timer(0.01, service.process.kill).start()
            return real(self, query, profile)

        monkeypatch.setattr(client.Client, "find", ask)
        library = ("--library", str(own.library), "--grounder", "mllm")
        asked = tempo("find", "a beach", *ALL, *library)
        assert asked.status == 0 and len(asked.out.splitlines()) > 3
        assert all(line.startswith("unsure: ") for line in asked.err.splitlines())
        wait_until(lambda: service.process.poll() is not None)


# -- light -----------------------------------------------------------------------------------------


def test_asking_loads_nothing_heavy(service: Service, named: Footage) -> None:
    program = (
        "import sys; from pathlib import Path; from tempo_edge.service import client\n"
        "from tempo_edge.query import Query\n"
        f"client._CONNECT_SECONDS = client._STATUS_SECONDS = {PATIENCE}\n"
        f"reply = client.find(Path({str(named.library)!r}), "
        f"Query('a beach', limit=3, min_confidence=0.0), Path({str(service.socket)!r}))\n"
        "assert len(reply.moments) == 3\n"
        "print(*{'numpy', 'onnxruntime', 'faiss', 'starlette', 'uvicorn', 'asyncio', 'rich'} "
        "& set(sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], env=service.environment, capture_output=True, text=True
    )
    assert (run.stdout.strip(), run.stderr) == ("", "")


def test_the_command_line_does_not_know_of_it_before_it_searches(
    environment: dict[str, str],
) -> None:
    program = (
        "import sys, tempo_edge.cli\n"
        "print(*{'http.client', 'tempo_edge.service', 'starlette', 'uvicorn'} & set(sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == ""


@UNIX  # a note that a link leads to is nobody's
def test_the_default_socket_is_asked(
    own: Footage, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(own.library, environment) as service:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(service.folder))
        place = places.socket_path()
        place.parent.mkdir()
        place.symlink_to(service.socket)
        reply = client.find(own.library, Query("a beach", limit=2, min_confidence=0.0))
        assert reply is not None and len(list(reply)) == 2
