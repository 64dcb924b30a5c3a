"""Several processes index one library on a server: each file once, whoever is killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from threading import Event, Thread

import pytest
from harness import PATIENCE, Said, wait_until
from postgres_server import Server, server
from processes import PIPE, Forked
from videos import make_not_a_video, make_video, motion

import tempo_edge
from tempo_edge import teamwork
from tempo_edge.errors import LibraryError, TempoEdgeError
from tempo_edge.indexing.enqueuer import Enqueuer, priority_of
from tempo_edge.store.opening import open_store
from tempo_edge.store.queue import PICTURES, QueueState

Start = Callable[..., Forked]
Tempo = Callable[..., Said]


@pytest.fixture(scope="module")
def here() -> Server:
    return server()


@pytest.fixture
def name(here: Server) -> str:
    """A library on a server; nothing is in it yet."""
    return here.name(schema=here.new_schema())


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four films of a second; to be copied."""
    folder = tmp_path_factory.mktemp("tiny")
    for number in range(4):
        path = folder / f"{number}.mp4"
        make_video(path, shots=[(motion(number), 1)], size=(64, 48), rate=Fraction(5))
        os.utime(path, (number * 3600, number * 3600))  # the last one is the newest
    return folder


@pytest.fixture
def films(tiny: Path, tmp_path: Path) -> Path:
    """These, a copy of one, and a file that is no film."""
    folder = tmp_path / "films"
    shutil.copytree(tiny, folder)
    shutil.copy2(folder / "0.mp4", folder / "copy.mp4")
    os.utime(make_not_a_video(folder / "bad.mp4"), (0, 0))
    return folder


@pytest.fixture
def start(name: str, environment: dict[str, str]) -> Iterator[Start]:
    """Starts worker processes, and kills those that are left at the end."""
    with ExitStack() as stack:

        def begin(*words: str, first: str = "") -> Forked:
            line = ("worker", "--library", name, *words)
            run = Forked(line, environment, stderr=PIPE, first=first)
            stack.callback(run.__exit__, KeyError)
            return run

        yield begin


def state(name: str) -> QueueState:
    found = open_store(name).queue_state()
    assert found is not None
    return found


def enqueue(name: str, folder: Path, **how: object) -> tempo_edge.IndexReport:
    with tempo_edge.Library.open(name) as library:
        return teamwork.enqueue(library, folder, **how)  # type: ignore[arg-type]


def pause(name: str, is_paused: bool) -> None:
    with open_store(name).queue() as queue:
        queue.pause(is_paused)


# Comes to the end of no film.
STUCK = """
import time
from tempo_edge.indexing.footage import FootageReader
read = FootageReader.read
def stuck(self, path, *rest):
    read(self, path, *rest)
    while True:
        time.sleep(0.05)
        rest[1]()  # which ends it where it is to end
FootageReader.read = stuck
"""


@pytest.mark.slow
def test_two_workers_do_each_file_once_and_one_that_is_killed_gives_back_what_it_had(
    name: str, films: Path, start: Start, tempo: Tempo, built: Path
) -> None:
    report = enqueue(name, films)
    assert (report.queued, report.indexed) == (6, 0)
    assert enqueue(name, films).queued == 0  # they wait already
    stuck = start(first=STUCK)
    wait_until(lambda: any(worker.task for worker in state(name).workers))
    told = json.loads(tempo("status", "--library", name, "--json").out)["queue"]
    (worker,) = told["workers"]
    assert worker["process"] == stuck.pid and worker["task"]["file"] == f"{films}/3.mp4"
    said = tempo("status", "--library", name).out
    assert f"worker    pid {stuck.pid} on " in said and "for pictures waiting" in said
    refused = tempo("index", "--library", name, films)
    assert refused.status == 2 and f"a worker (pid {stuck.pid} " in refused.err
    workers = [start("--until-empty") for _ in range(2)]
    stuck.kill()
    said = "".join(worker.rest(PATIENCE) for worker in workers)
    assert [worker.returncode for worker in workers] == [0, 0]
    for number in range(4):
        assert (
            said.count(f"indexed {films}/{number}.mp4") + said.count(f"reused {films}/{number}.mp4")
            == 1
        )
    assert said.count(f"reused {films}") == said.count(f"skipping {films}") == 1
    with tempo_edge.Library.open(name) as library, library.catalogue.snapshot():
        rows = library.catalogue.files()
        assert {Path(path).name: row.state for path, row in rows.items()} == {
            **{f"{number}.mp4": "indexed" for number in range(4)},
            **{"copy.mp4": "indexed", "bad.mp4": "skipped"},
        }
        assert len(library.catalogue.videos()) == 4
    assert state(name).waiting == {} and state(name).workers == ()
    again = tempo("index", "--library", name, films)  # alone, as ever
    assert again.status == 0 and "5 unchanged" in again.err


def test_new_comes_before_old_and_a_pause_is_kept(name: str, films: Path, tempo: Tempo) -> None:
    """In this process, for it is fast."""
    enqueue(name, films, exclude=["copy.mp4", "bad.mp4"])
    assert tempo("queue", "pause", "--library", name).status == 0
    assert "queue     4 for pictures waiting, paused" in tempo("status", "--library", name).out
    done: list[str] = []
    stop = Event()

    def run() -> None:
        with tempo_edge.Library.open(name) as library:
            teamwork.work(
                library,
                only=[PICTURES],
                until_empty=True,
                on_event=lambda event: done.append(event.path) if event.kind == "indexed" else None,
                stopping=stop.is_set,
            )

    worker = Thread(target=run)
    worker.start()
    try:
        wait_until(lambda: state(name).workers)
        assert done == [] and state(name).waiting == {PICTURES: 4}
        assert tempo("queue", "resume", "--library", name).status == 0
        worker.join(PATIENCE)
    finally:
        stop.set()
        worker.join()
    assert [Path(path).name for path in done] == ["3.mp4", "2.mp4", "1.mp4", "0.mp4"]
    assert priority_of("speech", 2**63 - 1) < priority_of(PICTURES, -(2**63)) == 0
    assert priority_of("screen", 0) >= -(2**31)
    (films / "3.mp4").unlink()
    shutil.move(films / "2.mp4", films / "moved.mp4")
    (films / "empty.mp4").touch()
    report = enqueue(name, films, exclude=["copy.mp4", "bad.mp4"])
    assert (report.dropped, report.queued, report.skipped) == (2, 1, 1)
    with tempo_edge.Library.open(name) as library:
        told = teamwork.work(library, only=[PICTURES], until_empty=True)
        assert (told.reused, told.indexed) == (1, 0)
        report = enqueue(name, films, exclude=["copy.mp4", "bad.mp4"])
        assert (report.queued, report.unchanged, report.skipped_before) == (0, 4, 1)
        with library.catalogue.snapshot():
            assert len(library.catalogue.videos()) == 3
            empty = library.catalogue.file(str(films / "empty.mp4"))
            assert empty is not None and empty.reason == "is empty (0 bytes)"


def test_a_server_that_was_away_is_waited_for(name: str, films: Path, here: Server) -> None:
    enqueue(name, films / "0.mp4")
    pause(name, True)
    notices: list[str] = []
    reports: list[tempo_edge.IndexReport] = []

    def run() -> None:
        with tempo_edge.Library.open(name) as library:
            how = {"only": [PICTURES], "until_empty": True, "on_notice": notices.append}
            reports.append(teamwork.work(library, **how))  # type: ignore[arg-type]

    worker = Thread(target=run)
    worker.start()
    wait_until(lambda: state(name).workers)
    here.run(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE application_name LIKE 'tempo-edge%' AND pid<>pg_backend_pid()"
    )
    wait_until(lambda: notices)
    pause(name, False)
    worker.join(PATIENCE)
    assert reports[0].indexed == 1 and notices[0].endswith("(it is tried again)")


def test_a_worker_that_is_stopped_gives_its_film_back(name: str, films: Path, start: Start) -> None:
    enqueue(name, films / "0.mp4")
    slow = start(first=STUCK)
    wait_until(lambda: any(worker.task for worker in state(name).workers))
    slow.send_signal(signal.SIGTERM)
    assert "0 indexed" in slow.rest(PATIENCE)
    assert slow.returncode == 0
    assert state(name).waiting == {PICTURES: 1} and state(name).workers == ()


def test_a_later_pass_is_a_task_of_its_own_behind_the_pictures(name: str, films: Path) -> None:
    pytest.importorskip("rapidocr")
    film = films / "0.mp4"
    assert enqueue(name, film, words="screen").queued == 1
    with tempo_edge.Library.open(name) as library:
        first = teamwork.work(library, only=[PICTURES], until_empty=True)
        assert first.indexed == 1 and state(name).waiting == {"screen": 1}
        assert enqueue(name, film, words="screen").queued == 0  # it waits already
        told = teamwork.work(library, only=["screen"], until_empty=True)
        assert told.later == {"scanned": 1} and state(name).waiting == {}
        assert enqueue(name, film, words="screen").queued == 0


def test_a_film_that_is_not_here_is_left_to_others(
    name: str, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue(name, films / "0.mp4")
    shutil.rmtree(films)
    notices: list[str] = []
    with tempo_edge.Library.open(name) as library:
        teamwork.work(
            library,
            only=[PICTURES],
            on_notice=notices.append,
            stopping=lambda: bool(notices),
        )
    assert notices == [f"{films} is not here: 0.mp4 is left to other workers"]
    assert state(name).waiting == {PICTURES: 1}


def test_whoever_has_too_much_to_put_in_waits(name: str, films: Path) -> None:
    with tempo_edge.Library.open(name) as library:
        library.store.writer().close()
        with library.store.writer() as writer, library.store.queue() as queue:
            waited: list[int] = []

            def stopping() -> bool:
                waited.append(queue.waiting())
                return waited.count(2) > 3

            enqueuer = Enqueuer(library.store, writer, queue, None, stopping, most_waiting=2)
            report = enqueuer.index([films])
    assert report.stopped and max(waited) == 2


def test_one_process_watches_a_folder_and_leaves_what_comes_to_workers(
    name: str, films: Path, tmp_path: Path
) -> None:
    stop, notices = Event(), []

    def run() -> None:
        with tempo_edge.Library.open(name) as library:
            teamwork.watch(library, films, stop=stop, on_notice=notices.append)

    watcher = Thread(target=run)
    watcher.start()
    try:
        wait_until(lambda: notices)
        with (
            tempo_edge.Library.open(name) as library,
            pytest.raises(LibraryError, match=rf"pid {os.getpid()} on .* watches .*one is enough"),
        ):
            teamwork.watch(library, films)
        wait_until(lambda: state(name).waiting == {PICTURES: 6})
        shutil.copy2(films / "1.mp4", films / "late.mp4")
        wait_until(lambda: state(name).waiting == {PICTURES: 7})
    finally:
        stop.set()
        watcher.join()


def test_what_makes_no_sense_is_refused(tempo: Tempo, films: Path, name: str, built: Path) -> None:
    for line, told in (
        (("worker", "--library", name), "there is no library"),
        (("worker", "--library", built), "in a file is written by one process"),
        (("index", "--queue", "--library", built, films), "in a file is written by one process"),
        (("index", "--queue", "--verify", films), "--queue and --verify exclude each other"),
        (("queue", "pause", "--library", name), "there is no library"),
    ):
        said = tempo(*line)
        assert said.status == 2 and told in said.err and said.err.count("\n") == 1, said.err
    enqueue(name, films / "0.mp4")
    with (
        tempo_edge.Library.open(name) as library,
        pytest.raises(TempoEdgeError, match="'decode' must be one of pictures, speech, screen"),
    ):
        teamwork.work(library, only=["decode"])
