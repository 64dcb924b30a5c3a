"""Indexing in the background: when it waits, how it goes on, and that it is out of the way."""

from __future__ import annotations

import http.client
import io
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from threading import Event, Semaphore, Thread
from typing import Any

import pytest
from door import Service, running, wait_long
from harness import PATIENCE
from shown import Footage, films

import tempo_edge
from tempo_edge.errors import TempoEdgeError
from tempo_edge.indexing import word_choice
from tempo_edge.indexing.later_pass import Film, Step
from tempo_edge.indexing.report import IndexEvent
from tempo_edge.rereading import outdated_profile
from tempo_edge.service import serve
from tempo_edge.service.jobs.index_progress import IndexingProgress
from tempo_edge.service.jobs.index_worker import Worker
from tempo_edge.service.jobs.job_list import Jobs
from tempo_edge.service.jobs.throttle import Throttle
from tempo_edge.store.passes import PassState
from tempo_edge.words.line import Line


def supply(folder: Path, name: str, **facts: str) -> None:
    (folder / name).mkdir(parents=True, exist_ok=True)
    for fact, text in facts.items():
        (folder / name / fact).write_text(text + "\n")


def clocks(path: Path, others: int, niced: int, idle: int) -> None:
    """In ticks: what everyone else used, what niced processes did, what was left."""
    path.write_text(f"cpu  {others} {niced} 0 {idle} 0 0 0 0 0 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n")


@pytest.fixture
def machine(tmp_path: Path) -> tuple[Path, Path, Throttle]:
    power, stat = tmp_path / "power", tmp_path / "stat"
    power.mkdir()
    clocks(stat, 0, 0, 0)
    return power, stat, Throttle(power, stat)


def test_on_battery(machine: tuple[Path, Path, Throttle]) -> None:
    power, _, throttle = machine
    assert throttle.reason(0) is None
    supply(power, "BAT0", type="Battery", status="Discharging")
    assert throttle.reason(1) == "on battery"
    supply(power, "AC", type="Mains", online="1")
    assert throttle.reason(2) is None
    supply(power, "AC", online="0")
    assert throttle.reason(3) == "on battery"
    supply(power, "BAT0", status="Charging")
    assert throttle.reason(4) is None


def test_a_mouse_has_a_battery_too(machine: tuple[Path, Path, Throttle]) -> None:
    power, _, throttle = machine
    supply(power, "hidpp_battery_0", type="Battery", scope="Device", status="Discharging")
    assert throttle.reason(0) is None
    shutil.rmtree(power)
    assert throttle.reason(1) is None, "a desktop tells of no supply at all"


def test_a_busy_machine(machine: tuple[Path, Path, Throttle]) -> None:
    _, stat, throttle = machine
    assert throttle.reason(0) is None
    clocks(stat, 900, 0, 100)
    assert throttle.reason(5) is None, "a page that loads is not a busy machine"
    assert throttle.reason(10) == "the machine is busy"
    clocks(stat, 900 + 600, 0, 100 + 400)
    assert throttle.reason(20) == "the machine is busy", "it must calm down to count as calm"
    clocks(stat, 1500 + 400, 0, 500 + 600)
    assert throttle.reason(30) is None
    clocks(stat, 1900 + 600, 0, 1100 + 400)
    assert throttle.reason(40) is None
    # The indexer's own work is no reason to wait.
    clocks(stat, 2500, 1000, 1500)
    assert throttle.reason(50) is None
    stat.unlink()
    assert throttle.reason(60) is None


def test_real_machines_can_be_asked() -> None:
    assert Throttle().reason() in (None, "on battery")


def test_jobs_outlive_the_process(tmp_path: Path) -> None:
    library = tmp_path / "kept" / "library.db"
    jobs = Jobs(library)
    first, second = jobs.add(["/a\nb", "/ü"]), jobs.add(["/c"])
    assert [paths for _, paths in Jobs(library).items()] == [["/a\nb", "/ü"], ["/c"]]
    jobs.done(first)
    assert [paths for _, paths in Jobs(library).items()] == [["/c"]]
    jobs.done(second)
    jobs.done(second)
    assert list(library.parent.iterdir()) == []
    (library.parent / "library.jobs").write_text('[1, ["/a"], [2], {"a": 1}]')
    assert [paths for _, paths in Jobs(library).items()] == [["/a"]]
    (library.parent / "library.jobs").write_text("{")
    assert len(Jobs(library)) == 0


def test_how_long_it_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    progress = IndexingProgress()
    assert progress.facts()["remaining_seconds"] is None
    progress.take(IndexEvent("started", "/a", position=1, files=3))
    now = 110.0
    progress.take(IndexEvent("progress", "/a", "", 100.0, 200.0, 1, 3))
    facts = progress.facts()
    assert (facts["file"], facts["done_seconds"], facts["total_seconds"]) == ("/a", 100.0, 200.0)
    # Ten seconds of footage a second; half a file and, as far as is known, two like it are left.
    assert facts["remaining_seconds"] == pytest.approx((100 + 2 * 200) / 10)
    progress.take(IndexEvent("indexed", "/a", "", 200.0, 200.0, 1, 3))
    assert progress.facts()["file"] is None


def test_a_later_pass_has_a_pace_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    progress = IndexingProgress()
    progress.take(IndexEvent("started", "/a"))
    now = 101.0
    progress.take(IndexEvent("indexed", "/a", "", 3600.0, 3600.0))
    # Where an earlier run came to, it begins: nothing is known of the pace yet.
    progress.take(IndexEvent("hearing", "/a", "", 720.0, 3600.0))
    facts = progress.facts()
    assert (facts["doing"], facts["file"]) == ("hearing", "/a")
    assert (facts["done_seconds"], facts["remaining_seconds"]) == (720.0, None)
    now = 111.0
    progress.take(IndexEvent("hearing", "/a", "", 820.0, 3600.0))
    assert progress.facts()["remaining_seconds"] == pytest.approx((3600 - 820) / 10)
    progress.take(IndexEvent("heard", "/a", "", 3600.0, 3600.0))
    assert progress.facts()["file"] is None and progress.facts()["doing"] is None


# -- a real one ----------------------------------------------------------------------------------


def test_pausing_and_going_on(empty: Service, long_film: Path, tmp_path: Path) -> None:
    paths = films(tmp_path / "reel", long_film, 2)
    paused = empty.post("/v1/pause").json
    assert (paused["state"], paused["reason"]) == ("paused", "on request")
    reply = empty.post("/v1/index", {"paths": [str(paths[0].parent)]})
    assert (reply.status, reply.json["state"]) == (202, "paused")
    wait_long(lambda: empty.children() != [])
    assert empty.get("/v1/status").json["videos"] == 0
    assert empty.find().status in (200, 503), "searching goes on"
    assert empty.post("/v1/resume").json["state"] == "running"
    wait_long(lambda: empty.get("/v1/status").json["videos"] >= 1)
    assert empty.post("/v1/pause").json["state"] == "paused"
    empty.post("/v1/resume")
    empty.settle(2)


class Watched(io.RawIOBase):
    """A worker's output: what it told, and a call for each line."""

    def __init__(self, heard: Callable[[dict[str, Any]], None]) -> None:
        self._heard = heard

    def write(self, line: Any) -> int:
        self._heard(json.loads(bytes(line)))
        return len(line)


def test_nothing_is_indexed_while_it_is_paused(
    originals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not begun, and left after the file that is under way."""
    indexed: list[str] = []
    done = Event()

    def heard(said: dict[str, Any]) -> None:
        event = said.get("event", {})
        if event.get("kind") == "indexed":
            indexed.append(event["path"])
            if len(indexed) == 1:
                worker.control.pause(True)
        if "done" in said:
            done.set()
            worker.control.end()

    worker = Worker(tmp_path / "library.db", [], Watched(heard))
    held = Semaphore(0)
    real = worker.control._change.wait

    def wait() -> bool:
        held.release()
        return real()

    monkeypatch.setattr(worker.control._change, "wait", wait)
    orders = io.BytesIO(
        b'{"pause": true}\n%b\n' % json.dumps({"number": 1, "paths": [str(originals)]}).encode()
    )
    thread = Thread(target=worker.run, args=([],))
    try:
        worker.obey(orders)
        worker.control.ended.clear()  # it ends with its orders
        thread.start()
        assert held.acquire(timeout=PATIENCE)
        assert indexed == []
        worker.control.pause(False)
        assert held.acquire(timeout=PATIENCE)
        assert len(indexed) == 1 and not done.is_set()
        worker.control.pause(False)
        assert done.wait(PATIENCE)
    finally:
        worker.control.end()
        thread.join(PATIENCE)
    assert len(indexed) == 3


def test_it_is_out_of_the_way(empty: Service, long_film: Path, tmp_path: Path) -> None:
    films(tmp_path / "reel", long_film, 1)
    empty.post("/v1/index", {"paths": [str(tmp_path / "reel")]})
    wait_long(lambda: empty.get("/v1/status").json["indexing"]["file"] is not None)
    (child,) = empty.children()
    assert {
        os.getpriority(os.PRIO_PROCESS, int(task.name))
        for task in Path(f"/proc/{child}/task").iterdir()
    } == {19}, "every thread of it"
    assert os.getpriority(os.PRIO_PROCESS, empty.process.pid) < 19
    shown = shutil.which("ionice")
    if shown:
        import subprocess

        said = subprocess.run([shown, "-p", str(child)], capture_output=True, text=True).stdout
        assert said.strip() == "idle"
    empty.settle(1)
    wait_long(lambda: empty.children() == [])


def test_watching(named: Footage, tmp_path: Path, environment: dict[str, str]) -> None:
    folder, library = tmp_path / "watched", tmp_path / "kept" / "library.db"
    folder.mkdir()
    shutil.copy(named.folder / "plain.mp4", folder)
    old = time.time() - 60
    os.utime(folder / "plain.mp4", (old, old))
    with running(library, environment, "--watch", str(folder)) as service:
        service.settle(1)
        shutil.copy(named.folder / "line\nend.mp4", folder)
        service.settle(2)
        # What is ordered meanwhile is done, too; it does not become watched.
        (film,) = films(tmp_path / "elsewhere", named.folder / "-rf.mp4", 1)
        assert service.post("/v1/index", {"paths": [str(film)]}).status == 202
        service.settle(3)
        (folder / "plain.mp4").unlink()
        wait_long(lambda: "plain.mp4" not in {v["name"] for v in service.get("/v1/videos").json})
        assert f"indexed {folder}/line\\nend.mp4\n" in service.said


def test_a_file_that_can_not_be_used(empty: Service, named: Footage) -> None:
    empty.post("/v1/index", {"paths": [str(named.folder / "bad\nnews.mp4")]})
    wait_long(lambda: empty.get("/v1/skipped").json != [])
    (skipped,) = empty.get("/v1/skipped").json
    assert skipped["path"] == str(named.folder / "bad\nnews.mp4")


def test_another_process_writes(empty: Service, named: Footage) -> None:
    """It waits, says for what, and goes on by itself."""
    from tempo_edge.store.opening import open_store

    with open_store(empty.library).lock():
        empty.post("/v1/index", {"paths": [str(named.folder / "plain.mp4")]})
        wait_long(lambda: empty.state() == "paused")
        reason = empty.get("/v1/status").json["indexing"]["reason"]
        assert "is writing to" in reason and str(os.getpid()) in reason
    empty.settle(1)


def events_of(service: Service) -> Generator[tuple[str, Any], None, None]:
    connection = service.connection()
    connection.request("GET", "/v1/events")
    response = connection.getresponse()
    try:
        assert response.headers["content-type"].startswith("text/event-stream")
        while line := response.readline():
            if line.startswith(b"event: "):
                name = line[7:].decode().strip()
                data = response.readline()
                assert data.startswith(b"data: ") and response.readline() == b"\n"
                yield name, json.loads(data[6:])
    finally:
        response.close()
        connection.close()


def test_events(empty: Service, named: Footage) -> None:
    stream = events_of(empty)
    name, first = next(stream)
    assert name == "progress" and first["state"] == "idle"
    paths = [named.folder / "line\nend.mp4", named.folder / "bad\nnews.mp4"]
    empty.post("/v1/index", {"paths": [str(path) for path in paths]})
    heard: dict[str, Any] = {}
    for name, facts in stream:
        heard.setdefault(name, []).append(facts)
        if {"indexed", "skipped"} <= set(heard) and facts.get("state") == "idle":
            break
    stream.close()
    assert [each["path"] for each in heard["indexed"]] == [str(paths[0])]
    assert [each["path"] for each in heard["skipped"]] == [str(paths[1])]
    assert "running" in {each["state"] for each in heard["progress"]}


def test_listeners_do_not_keep_it_from_ending(empty: Service) -> None:
    streams = [events_of(empty) for _ in range(5)]
    for stream in streams:
        next(stream)
    began = time.monotonic()
    assert empty.end() == 0
    assert time.monotonic() - began < PATIENCE / 2, "it does not wait for them"
    for stream in streams:
        with pytest.raises((StopIteration, http.client.HTTPException)):
            next(stream)


class Seconds:
    """Reads a line of each second of a film."""

    kind, mark, doing, done = "speech", "1", "hearing", "heard"

    def read(self, film: Film, state: PassState, checkpoint: Callable[[], None]) -> Step:
        checkpoint()
        start, end = state.until_seconds, min(state.until_seconds + 1, film.end_seconds)
        line = Line(start, end, "speech", f"second {start:.0f}")
        return Step((line,), replace(state, until_seconds=end, is_done=end >= film.end_seconds))

    def close(self) -> None:
        pass


def test_what_is_said_is_heard_behind_the_pictures_and_held_back_too(
    originals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the worker itself, with a pass of this test's own."""
    monkeypatch.setitem(word_choice.PASSES, "speech", Seconds)
    monkeypatch.setitem(word_choice.WORDS, "seconds", ("speech",))
    kinds: list[str] = []
    done = Event()

    def heard(said: dict[str, Any]) -> None:
        kinds.append(said.get("event", {}).get("kind", ""))
        if kinds.count("hearing") == 1 and kinds[-1] == "hearing":
            worker.control.pause(True)
        if "done" in said:
            done.set()
            worker.control.end()

    worker = Worker(tmp_path / "library.db", [], Watched(heard), "seconds")
    held = Semaphore(0)
    real = worker.control._change.wait

    def wait() -> bool:
        held.release()
        return real()

    monkeypatch.setattr(worker.control._change, "wait", wait)
    worker._put(1, [originals])
    thread = Thread(target=worker.run, args=([],))
    try:
        thread.start()
        assert held.acquire(timeout=PATIENCE)
        assert kinds.count("indexed") == 3 and kinds.count("hearing") == 1
        worker.control.pause(False)
        assert done.wait(PATIENCE)
    finally:
        worker.control.end()
        thread.join(PATIENCE)
    assert kinds.count("heard") == 3
    with tempo_edge.Library.open(tmp_path / "library.db") as library:
        assert library.lines("second", kinds=["speech"])


def test_words_that_there_are_none_of_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(TempoEdgeError, match=r"^words 'sung' must be one of subtitles, "):
        serve(tmp_path / "library.db", socket=tmp_path / "s.sock", words="sung")


def test_manners_hold_it_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process: the battery is asked, and once it charges, work goes on by itself."""
    import asyncio

    from tempo_edge.service.jobs import index_supervisor

    monkeypatch.setattr(index_supervisor, "_LOOK_SECONDS", 0.01)
    power = tmp_path / "power"
    supply(power, "BAT0", type="Battery", status="Discharging")
    states: list[tuple[str, str | None]] = []

    async def told(count: int) -> None:
        ends = time.monotonic() + PATIENCE
        while len(states) < count and time.monotonic() < ends:
            await asyncio.sleep(0.01)

    async def run() -> None:
        kept = index_supervisor.Indexing(
            tmp_path / "l.db",
            [],
            Throttle(power, tmp_path / "none"),
            lambda name, facts: states.append((facts["state"], facts["reason"])),
        )
        task = asyncio.create_task(kept.run())
        await told(1)
        supply(power, "BAT0", status="Full")
        await told(2)
        await kept.close()
        await task

    asyncio.run(run())
    assert states == [("paused", "on battery"), ("idle", None)]


def test_the_library_and_the_service_agree(own: Footage, environment: dict[str, str]) -> None:
    """Forgetting is done by another process; the service notices."""
    with running(own.library, environment) as service:
        assert "plain.mp4" in {m["name"] for m in service.find().json["moments"]}
        with tempo_edge.Library.open(own.library) as library:
            library.forget(own.folder / "plain.mp4")
        assert "plain.mp4" not in {m["name"] for m in service.find().json["moments"]}


def test_what_is_excluded_is_neither_watched_nor_added(
    own: Footage, tmp_path: Path, environment: dict[str, str]
) -> None:
    film = sorted(own.folder.glob("*.mp4"))[0]
    library, watched, private = tmp_path / "other" / "l.db", tmp_path / "in", tmp_path / "in/raw"
    private.mkdir(parents=True)
    for copy in (watched / "a.mp4", private / "b.mp4", tmp_path / "ordered.mp4"):
        shutil.copy(film, copy)
    options = ("--watch", str(watched), "--exclude", "raw/", "--exclude", "*.avi")
    with running(library, environment, *options) as started:
        paths = [str(private / "b.mp4"), str(tmp_path / "ordered.mp4")]
        assert started.post("/v1/index", {"paths": paths}).status == 202
        wait_long(lambda: {"a.mp4", "ordered.mp4"} <= _known(library))
        assert _known(library) == {"a.mp4", "ordered.mp4"}


def _known(library: Path) -> set[str]:
    with tempo_edge.Library.open(library) as opened:
        try:
            return {Path(row.path).name for row in opened.files()}
        except tempo_edge.LibraryError:
            return set()


def test_a_library_of_another_version_of_its_profile_is_read_again(
    own: Footage, environment: dict[str, str]
) -> None:
    with tempo_edge.Library.open(own.library) as library:
        held = {row.path for row in library.files() if row.video_id is not None}
    rows = sqlite3.connect(own.library)
    with rows:
        rows.execute("UPDATE meta SET value='nano-0123456789abcdef' WHERE key='profile'")
    rows.close()
    assert outdated_profile(own.library) == "nano"
    with running(own.library, environment):
        wait_long(lambda: outdated_profile(own.library) is None)
    with tempo_edge.Library.open(own.library) as library:
        assert {row.path for row in library.files() if row.video_id is not None} == held
