"""The queue of a library on a server: what is taken, by whom, and what becomes of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from conformance.films import put
from harness import wait_until
from postgres_server import Server, server

from tempo_edge.errors import LibraryError, NoLibraryError
from tempo_edge.store.interface import Store
from tempo_edge.store.opening import open_store
from tempo_edge.store.postgres import queue as queue_module
from tempo_edge.store.queue import PICTURES, Claim, ClaimLostError, Task, WorkQueue

Join = Callable[..., WorkQueue]


def task(file: str, contents: str = "", **others: object) -> Task:
    """A task with pictures of a file whose contents are like no other's."""
    made = Task(PICTURES, file, contents or file, "1:1", 100, "subtitles")
    return replace(made, **others)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def here() -> Server:
    return server()


@pytest.fixture
def schema(here: Server) -> str:
    return here.new_schema()


@pytest.fixture
def store(here: Server, schema: str) -> Store:
    made = open_store(here.name(schema=schema))
    made.writer().close()
    return made


@pytest.fixture
def join(store: Store) -> Iterator[Join]:
    """Makes workers, and lets all of them go at the end."""
    with ExitStack() as stack:

        def made(*kinds: str) -> WorkQueue:
            queue = stack.enter_context(store.queue())
            queue.join(kinds or (PICTURES,))
            return queue

        yield made


def lose(here: Server, worker: WorkQueue) -> None:
    """End a worker's session from outside, as its death does."""
    pid = worker._db.info.backend_pid  # type: ignore[attr-defined]
    here.run(f"SELECT pg_terminate_backend({pid}, 5000)")


def taken(worker: WorkQueue) -> Claim:
    """The next task, once there is one."""
    found: list[Claim] = []

    def look() -> bool:
        found.extend(filter(None, [worker.take()]))
        return bool(found)

    wait_until(look)
    return found[0]


def files(worker: WorkQueue) -> list[str]:
    """All that a worker takes one after the other, each of which it finishes."""
    done = []
    while (claim := worker.take()) is not None:
        done.append(claim.task.file)
        worker.finish(claim)
    return done


def test_the_highest_priority_is_taken_first_and_each_kind_by_its_own(join: Join) -> None:
    worker, hearing = join(), join("speech")
    worker.put([task("/old", priority=1), task("/new", priority=2), task("/a", kind="speech")])
    assert files(hearing) == ["/a"] and files(worker) == ["/new", "/old"]


def test_what_waits_or_is_under_way_is_not_put_again(join: Join) -> None:
    worker = join()
    assert worker.put([task("/a"), task("/b"), task("/a")]) == 2
    assert worker.put([task("/a"), task("/c")]) == 1 and worker.waiting() == 3
    claim = taken(worker)
    assert worker.put([claim.task]) == 0
    assert worker.put([replace(claim.task, state="2:2")]) == 1  # it has changed meanwhile
    worker.finish(claim)
    assert worker.put([claim.task]) == 1


def test_a_name_may_be_as_long_as_names_are(join: Join) -> None:
    worker = join()
    name = "/" + "é" * 2000
    worker.put([task(name, contents="c")])
    assert files(worker) == [name]


def test_of_two_with_the_same_contents_one_is_done_at_a_time(join: Join) -> None:
    first, second = join(), join()
    first.put([task("/a", "same"), task("/copy", "same"), task("/other")])
    claim, other = taken(first), taken(second)
    assert (claim.task.file, other.task.file) == ("/a", "/other") and second.take() is None
    first.finish(claim)
    assert taken(second).task.file == "/copy"


def test_what_is_paused_is_not_taken_until_it_is_resumed(store: Store, join: Join) -> None:
    worker = join()
    worker.put([task("/a")])
    with store.queue() as other:
        other.pause(True)
        assert worker.take() is None
        state = store.queue_state()
        assert state is not None and state.is_paused and state.waiting == {PICTURES: 1}
        other.pause(False)
    assert files(worker) == ["/a"]


def test_who_works_at_what_is_told(store: Store, join: Join) -> None:
    assert store.queue_state() is None
    worker = join(PICTURES, "speech")
    worker.put([task("/a"), task("/b")])
    claim = taken(worker)
    state = store.queue_state()
    assert state is not None and state.waiting == {PICTURES: 1}
    (told,) = state.workers
    assert told.process == os.getpid() and told.kinds == (PICTURES, "speech") and told.machine
    assert told.task == claim.task and told.seconds >= 0
    worker.give_up(claim, "it can't be done")
    assert not worker.is_drained([PICTURES])
    worker.close()
    state = store.queue_state()
    assert state is not None and state.workers == ()
    assert state.given_up == ((claim.task, "it can't be done"),)


def test_a_worker_that_is_lost_gives_back_what_it_had_behind_all_else(
    here: Server, store: Store, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "_GRACE_SECONDS", 0.0)
    monkeypatch.setattr(queue_module, "_BEAT_SECONDS", 0.0)
    lost, worker = join(), join()
    worker.put([task("/a", priority=500), task("/b")])
    with store.writer() as writer:
        claim = taken(lost)
        lost.guard(writer, claim)
        put(writer, "before")
        lose(here, lost)
        assert claim.task.file == "/a" and taken(worker).task.file == "/b"
        again = taken(worker)
        assert again.id == claim.id and again.deaths == 1 and again.task.priority < 0
        with pytest.raises(ClaimLostError, match="/a is another worker's"):
            put(writer, "after")
        assert writer.video_by_hash(b"before") is not None
        assert writer.video_by_hash(b"after") is None
    with suppress(LibraryError):
        lost.finish(claim)
    assert not worker.is_drained([PICTURES])
    worker.finish(again)
    lost.beat()
    assert lost.take() is None  # it is a worker again, and what it had is done


def test_a_worker_that_comes_back_in_time_keeps_what_it_has(
    here: Server, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "_BEAT_SECONDS", 0.0)
    cut, other = join(), join()
    cut.put([task("/a")])
    claim = taken(cut)
    lose(here, cut)

    def is_back() -> bool:
        cut.beat()
        return not cut._db.closed  # type: ignore[attr-defined]

    cut.beat()
    wait_until(is_back)
    assert other.take() is None
    cut.finish(claim)
    assert other.is_drained([PICTURES])


def test_a_worker_that_begins_anew_gives_back_what_it_had_before(
    here: Server, store: Store, join: Join
) -> None:
    cut = join()
    number = cut._worker  # type: ignore[attr-defined]
    cut.put([task("/a")])
    claim = taken(cut)
    lose(here, cut)
    with store.queue() as anew:
        anew.join([PICTURES], number)
        again = anew.take()
        assert again is not None and again.id == claim.id
        assert again.deaths == 0 and again.task.priority == claim.task.priority


def test_a_task_that_kills_every_worker_is_given_up(
    here: Server, store: Store, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "_GRACE_SECONDS", 0.0)
    monkeypatch.setattr(queue_module, "_BEAT_SECONDS", 0.0)
    monkeypatch.setattr(queue_module, "_MOST_DEATHS", 2)
    worker = join()
    worker.put([task("/a")])
    for _ in range(2):
        lost = join()
        taken(lost)
        lose(here, lost)
    wait_until(lambda: worker.take() is None and worker.is_drained([PICTURES]))
    state = store.queue_state()
    assert state is not None and state.given_up[0][1] == "2 workers were lost at it"


def test_workers_write_beside_each_other_and_nobody_else_meanwhile(
    store: Store, join: Join
) -> None:
    one, two = join(), join()

    def give_up() -> None:
        raise KeyError

    with one.beside(give_up), two.beside(give_up), store.writer() as writer:
        with pytest.raises(LibraryError, match=rf"a worker \(pid {os.getpid()} .*queue pause"):
            store.lock().__enter__()
        one.guard(writer, None)
        put(writer, "a")
    with store.lock(), store.writer() as writer:
        told: list[str] = []
        with pytest.raises(KeyError), one.beside(give_up, told.append):
            pass
        assert len(told) == 1 and f"(pid {os.getpid()} on " in told[0]
        one.guard(writer, None)
        with pytest.raises(ClaimLostError, match=r"writes .* alone"):
            put(writer, "b")
    with one.beside(give_up):
        pass


def test_one_at_a_time_is_alone_at_something_and_is_named(join: Join) -> None:
    one, two = join(), join()
    with one.alone("watch /films") as is_first, two.alone("watch /films") as is_second:
        assert is_first and not is_second
        assert f"pid {os.getpid()} on " in two.holder("watch /films")
        with two.alone("watch /other") as is_third:
            assert is_third
    assert two.holder("watch /films") == ""


def test_there_is_no_queue_without_a_library_or_of_one_in_a_file(
    here: Server, schema: str, tmp_path: Path
) -> None:
    nothing = open_store(here.name(schema=schema))
    assert nothing.queue_state() is None
    with pytest.raises(NoLibraryError):
        nothing.queue()
    with pytest.raises(LibraryError, match=r"has no queue: .*postgresql://"):
        open_store(tmp_path / "library.db").queue()
    assert open_store(tmp_path / "library.db").queue_state() is None


def test_the_queue_is_brought_up_and_that_of_another_library_is_dropped(
    here: Server, schema: str, store: Store
) -> None:
    with store.queue() as queue:
        queue.put([task("/a")])
    mark = "tempo_edge_queue"
    name = f"{schema}_queue"
    here.run(f"UPDATE {mark} SET migration='03.04.00_02'", schema=name)
    with store.queue() as queue:
        assert queue.waiting() == 1
    assert here.run(f"SELECT migration>'03.04.00_02' FROM {mark}", schema=name) == [(True,)]
    here.run(f"UPDATE {mark} SET migration='99'", schema=name)
    with pytest.raises(LibraryError, match="newer tempo-edge or procrastinate: upgrade"):
        store.queue()
    here.run(f"UPDATE {mark} SET migration='03.04.00_50', library='another'", schema=name)
    with store.queue() as queue:
        assert queue.waiting() == 0
