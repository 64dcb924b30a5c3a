"""What saved searches tell: each new moment once, whatever ends the process that tells it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from harness import PATIENCE, wait_until
from processes import Forked

from tempo_edge.errors import QueryError
from tempo_edge.indexing import watcher
from tempo_edge.library import Library
from tempo_edge.models import load_profile
from tempo_edge.query import Query
from tempo_edge.rereading import reread
from tempo_edge.saved import command, webhook
from tempo_edge.saved.deeds import Deeds, seal_of
from tempo_edge.saved.query_text import SavedQuery
from tempo_edge.saved.search import SavedSearch
from tempo_edge.saved.told_moment import ToldMoment
from tempo_edge.store.opening import open_store

FACTS = {
    "id": "7",
    "search": "a b",
    "query": "q",
    "path": "/films/$(touch x) `y`; 'z\".mp4",
    "start_seconds": 1.25,
    "end_seconds": 3.5,
    "confidence": 0.75,
    "text": "--help",
}
TOLD = ToldMoment(FACTS)


def search(name: str = "any", deeds: Deeds | None = None, **query: Any) -> SavedSearch:
    """A search that finds every film that there is."""
    asked = Query("a beach", **{"min_confidence": 0.0, "grounder": "curve", "seen": True, **query})
    return SavedSearch(name, SavedQuery(asked, {}), deeds or Deeds())


def noting(folder: Path, then: str = "") -> Deeds:
    """A command that writes its arguments to a file that it makes, and may do something more."""
    folder.mkdir(exist_ok=True)
    program = (
        "import json, os, sys, tempfile, time\n"
        f"number, name = tempfile.mkstemp('.part', dir={str(folder)!r})\n"
        "os.write(number, json.dumps(sys.argv[1:]).encode())\n"
        "os.rename(name, name + '.json')\n"
        f"{then}\n"
    )
    words = ("{id}", "{path}", "{name}: {start}-{end}", "{confidence}", "{{{text}}}")
    return Deeds(
        (sys.executable, "-S", "-c", program.replace("{", "{{").replace("}", "}}"), *words)
    )


def noted(folder: Path) -> list[list[str]]:
    return [json.loads(each.read_text()) for each in folder.glob("*.json")]


class Posts(ThreadingHTTPServer):
    """Takes what webhooks send, and answers as it is told to."""

    daemon_threads = True

    def __init__(self, *answers: int) -> None:
        super().__init__(("127.0.0.1", 0), Posted)
        self.answers, self.taken, self.targets = list(answers), [], []  # type: ignore[var-annotated]
        self.url = f"http://127.0.0.1:{self.server_address[1]}/told?a=b"


class Posted(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Posts)
        self.server.taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.server.targets.append(self.path)
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    do_GET = do_POST  # noqa: N815 - as the base class has it

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def posts(*answers: int) -> Iterator[Posts]:
    with Posts(*answers) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()


def test_only_what_comes_later_is_told_and_that_once(
    library_path: Path, footage: Path, tmp_path: Path
) -> None:
    lines: list[str] = []
    with Library.open(library_path) as library:
        library.index(footage / "beach.mp4")
        library.save(search("new", noting(tmp_path / "new")))
        library.save(search("every"), everything=True)
        library.index(footage)
        assert library.tell(["every"]) >= 3
        told = library.tell(on_notice=lines.append)
        assert library.tell() == 0
        (_, of_every), (new, of_new) = library.searches()
    assert new.is_own and of_every >= 3 and told == of_new >= 2 == len(lines[:2])
    fired = noted(tmp_path / "new")
    assert {Path(path).name for _, path, *_ in fired} == {"street.mkv", "garden.mp4"}
    assert len({id for id, *_ in fired}) == len(fired) == told
    _, _, when, confidence, text = fired[0]
    assert when.startswith("new: 0.000-") and 0 <= float(confidence) <= 1 and text == "{}"
    # The same contents under another name, or after they were forgotten, are no new moments.
    with Library.open(library_path) as library:
        (footage / "street.mkv").rename(footage / "avenue.mkv")
        library.index(footage)
        library.forget(footage / "garden.mp4")
        library.index(footage)
        assert library.tell(["new"]) == 0


def test_a_killed_run_goes_on_and_tells_each_once(
    library_path: Path, footage: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    """Killed while a command runs, which goes on by itself: it isn't run again."""
    gate = tmp_path / "gate"
    wait = f"while not os.path.exists({str(gate)!r}): time.sleep(0.01)"
    with posts() as server, Library.open(library_path) as library:
        library.index(footage)
        deeds = replace(noting(tmp_path / "fired", wait), webhook=server.url)
        library.save(search("any", deeds), everything=True)

        def done() -> list[tuple[str, ...]]:
            with library.catalogue.snapshot():
                return [each.done for each in library.catalogue.claims(1)]

        own = {**environment, "XDG_DATA_HOME": os.environ["XDG_DATA_HOME"]}
        line = ("saved", "run", "--tell", "--library", library_path)
        with Forked(line, own) as killed:
            wait_until(lambda: done() == [("webhook", "run")])
            os.kill(killed.pid, signal.SIGKILL)
            killed.wait(PATIENCE)
        assert [told for _, told in library.searches()] == [0]
        gate.touch()
        with Forked(line, own) as run:
            run.wait(PATIENCE)
        assert run.returncode == 0
        ((_, told),) = library.searches()
        ids = {each.id for each in library.catalogue.claims(1)}
    assert told == len(ids) >= 3
    assert Counter(id for id, *_ in noted(tmp_path / "fired")) == dict.fromkeys(ids, 1)
    assert Counter(each["id"] for each in server.taken) == dict.fromkeys(ids, 1)


def test_what_was_claimed_and_not_done_is_done_under_its_id(
    library_path: Path, footage: Path, tmp_path: Path
) -> None:
    with Library.open(library_path) as library:
        library.save(search("any", noting(tmp_path / "fired")))
        library.index(footage / "garden.mp4")
        assert library.tell() == 1
        ((id, *_),) = noted(tmp_path / "fired")
        with library.store.writer() as writer:
            (claim,) = writer.claims(1)
            writer.note_done(replace(claim, done=(), is_told=False))
        assert library.tell() == 1 and library.tell() == 0
    assert [each for each, *_ in noted(tmp_path / "fired")] == [id, id]


def test_whoever_watches_tells_and_takes_new_searches(
    library_path: Path, footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "_STILL_SECONDS", 0.2)
    monkeypatch.setattr(watcher, "_TICK_SECONDS", 0.03)
    film = (footage / "garden.mp4").rename(tmp_path / "garden.mp4")
    lines: list[str] = []
    stop = Event()
    with Library.open(library_path) as library, Library.open(library_path) as other:
        library.index(footage)
        how: dict[str, Any] = {"stop": stop, "on_notice": lines.append}
        watching = Thread(target=library.watch, args=([footage],), kwargs=how)
        watching.start()
        wait_until(lambda: any("watching" in each for each in lines))
        other.save(search("any", noting(tmp_path / "fired")))  # the lock is held by then
        film.rename(footage / "garden.mp4")
        wait_until(lambda: [told for _, told in other.searches()] == [1])
        other.drop_search("any")
        stop.set()
        watching.join(PATIENCE)
        assert not watching.is_alive() and other.searches() == []
    ((_, path, *_),) = noted(tmp_path / "fired")
    assert path == str(footage / "garden.mp4")
    assert [each for each in lines if each.startswith(f"saved any: {path}")]


def test_read_again_with_another_profile_nothing_is_told_again(
    library_path: Path, footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(load_profile("nano").folder, tmp_path / "profiles" / "other"))
    about = json.loads((folder / "profile.json").read_text())
    (folder / "profile.json").write_text(json.dumps({**about, "name": "other"}))
    monkeypatch.setenv("TEMPO_EDGE_PROFILES", str(tmp_path / "profiles"))
    with Library.open(library_path) as library:
        library.index(footage / "beach.mp4")
        library.save(search())
        library.index(footage / "garden.mp4")
        assert library.tell() == 1
        library.index(footage / "street.mkv")  # which nobody was told of when it is read again
    assert reread(library_path, "other", [footage]).is_whole
    lines: list[str] = []
    with Library.open(library_path) as library:
        assert library.profile.name == "other"
        assert library.tell(on_notice=lines.append) == len(lines) >= 1
        assert all("street.mkv" in line for line in lines)
        assert library.tell() == 0


def test_deeds_of_another_user_are_not_done(
    library_path: Path, footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library comes from somebody else, with what they want to be run."""
    lines: list[str] = []
    with Library.open(library_path) as library:
        library.save(search("theirs", noting(tmp_path / "fired")))
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "mine"))
        seal_of("")  # there is a key, and it is another one
        library.index(footage / "garden.mp4")
        assert library.tell(on_notice=lines.append) == 1
        ((found, told),) = library.searches()
    assert (found.is_own, told) == (False, 1)
    assert noted(tmp_path / "fired") == []
    assert lines[0] == "saved theirs: was saved elsewhere, and what it does is not done here"


def test_a_search_that_finds_nothing_now_is_said_once_and_ends_nothing(
    library_path: Path, footage: Path
) -> None:
    lines: list[str] = []
    with Library.open(library_path) as library:
        library.save(search("a", within=(Path("/nowhere"),)), everything=True)
        library.save(search("b"), everything=True)
        with open_store(library_path).writer() as writer:
            row = writer.saved()[0]
            writer.put_saved(replace(row, name="broken", query="{}"))
        library.index(footage / "garden.mp4")
        assert library.tell(on_notice=lines.append) == 1
    assert lines[0].startswith("saved a: the library holds no footage at or under /nowhere: ")
    assert lines[1].startswith("saved b: ") and "can't be read" in lines[2]


# -- commands ----------------------------------------------------------------------------------


def run(*words: str, limit: float = PATIENCE, stopping: Callable[[], bool] = bool) -> str:
    begun: list[bool] = []
    said = command.run(
        [sys.executable, "-S", "-c", *words], TOLD, lambda: begun.append(True), stopping, limit
    )
    assert begun == [True]
    return said


def test_a_command_gets_each_word_whole_and_no_shell(tmp_path: Path) -> None:
    program = (
        "import sys, os, pathlib\n"
        f"pathlib.Path({str(tmp_path / 'seen')!r}).write_text(repr((sys.argv[1:], sys.stdin.read(),"
        "os.getpgid(0) == os.getpid())))"
    )
    words = ["{path}", "<{name}|{query}>", "{text}", "-{text}", "{{id}} {id}", "$HOME", "*"]
    assert run(program, *words) == ""
    assert eval((tmp_path / "seen").read_text()) == (
        [FACTS["path"], "<a b|q>", " --help", "---help", "{id} 7", "$HOME", "*"],
        "",
        True,
    )


def test_what_becomes_of_a_command_is_told() -> None:
    name = sys.executable
    assert run("raise SystemExit(3)") == f"{name} ended with status 3"
    assert run("import os; os.kill(os.getpid(), 9)") == f"{name} was ended by signal 9"
    assert run("while True: pass", limit=0.2) == f"{name} took longer than 0.2 s and was ended"
    assert run("", stopping=lambda: True) == ""
    gone = command.run(["/nowhere/program"], TOLD, lambda: None, bool)
    assert gone == "/nowhere/program can't be run: No such file or directory"


@pytest.mark.parametrize(
    "line",
    ["", "'", "no-such-program-anywhere", "env {nix}", "env {path", "env }", "env " + "a " * 100],
)
def test_what_is_no_command_is_refused(line: str) -> None:
    with pytest.raises(QueryError):
        command.command_of(line)


def test_a_command_is_found_by_its_name() -> None:
    found = command.command_of("env -u 'A B' \"{path}\"")
    assert found[0].startswith("/") and found[1:] == ("-u", "A B", "{path}")


# -- webhooks ----------------------------------------------------------------------------------


def test_a_webhook_is_tried_a_few_times_and_not_led_elsewhere() -> None:
    soon = (0.0, 0.0, 0.0)
    with posts(500, 302, 204) as server:
        assert webhook.post(server.url, TOLD, waits_seconds=soon) == ""
        assert server.taken == [FACTS] * 3 and server.targets == ["/told?a=b"] * 3
    with posts(302, 302, 302) as server:
        said = webhook.post(server.url, TOLD, waits_seconds=soon)
        assert said == f"{server.url} answered with status 302"
        assert server.targets == ["/told?a=b"] * 3
    said = webhook.post(server.url, TOLD, waits_seconds=soon)
    assert said.startswith(f"{server.url} can't be reached: ")


def test_an_answer_without_end_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            with listening.accept()[0] as taken:
                try:
                    while True:
                        taken.sendall(b"H")
                        Event().wait(0.05)
                except OSError:
                    return

        Thread(target=drip, daemon=True).start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        said = webhook.post(url, TOLD, limit_seconds=0.5, waits_seconds=(0.0,))
        assert said.startswith(f"{url} can't be reached: ")


@pytest.mark.parametrize(
    "address",
    [
        " ",
        "127.0.0.1:80",
        "https://127.0.0.1/",
        "http://192.0.2.1/",
        "http://example.org/",
        "http://127.0.0.1.example.org/",
        "http://user@127.0.0.1/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/\r\nX: y",
        "http://[::2]/",
        "http://0.0.0.0/",
        "file:///etc/passwd",
    ],
)
def test_only_this_machine_is_told(address: str) -> None:
    with pytest.raises(QueryError, match="of this machine"):
        Deeds(webhook=address)


def test_what_is_this_machine() -> None:
    check = webhook.check_webhook
    assert check("http://localhost:81/a?b=c") == ("127.0.0.1", 81, "/a?b=c")
    assert check("http://[::1]") == ("::1", 80, "/")
