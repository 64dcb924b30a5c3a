"""What a watcher waits for before it takes a file, on a clock of the test's own."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Thread

import pytest
from watchdog.events import DirCreatedEvent, FileCreatedEvent, FileModifiedEvent, FileOpenedEvent

from tempo_edge.indexing import watcher
from tempo_edge.indexing.exclusion import NOTHING
from tempo_edge.indexing.walk import examine
from tempo_edge.indexing.watcher import _Waiting


class Clock:
    """Goes only where it is set to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(watcher, "time", made)
    return made


@pytest.fixture
def waiting(tmp_path: Path, clock: Clock) -> _Waiting:
    return _Waiting([str(tmp_path)], NOTHING)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"film")
    os.utime(path, (1, 1))
    return path


def test_a_file_is_ready_once_it_has_been_still(
    waiting: _Waiting, clock: Clock, film: Path
) -> None:
    waiting.on_any_event(FileCreatedEvent(str(film)))
    assert waiting.ready() == []
    clock.now += watcher._STILL_SECONDS - 0.1
    assert waiting.ready() == []
    clock.now += 0.2
    assert waiting.ready() == [str(film)]
    assert waiting.ready() == [], "once"


def test_a_file_that_grows_is_waited_for_though_nobody_tells_of_it(
    waiting: _Waiting, clock: Clock, film: Path
) -> None:
    waiting.on_any_event(FileCreatedEvent(str(film)))
    for size in range(5, 9):
        clock.now += watcher._STILL_SECONDS - 0.1
        film.write_bytes(b"x" * size)
        assert waiting.ready() == []
    clock.now += watcher._STILL_SECONDS
    assert waiting.ready() == [str(film)]


def test_a_file_that_is_held_open_is_waited_for_and_taken_in_the_end(
    waiting: _Waiting, clock: Clock, film: Path
) -> None:
    """A player or a sync program may never let go of it; that is no reason to miss it for ever."""
    with film.open("r+b"):
        waiting.on_any_event(FileModifiedEvent(str(film)))
        for seconds in (watcher._STILL_SECONDS, 20, 30):
            clock.now += seconds
            assert waiting.ready() == []
        clock.now += watcher._HELD_SECONDS - 51
        assert waiting.ready() == [str(film)]


def test_a_file_that_is_let_go_of_is_taken_at_once(
    waiting: _Waiting, clock: Clock, film: Path
) -> None:
    with film.open("r+b"):
        waiting.on_any_event(FileModifiedEvent(str(film)))
        clock.now += watcher._STILL_SECONDS
        assert waiting.ready() == []
    assert waiting.ready() == [str(film)]


def test_what_may_still_be_written_to_is_held(waiting: _Waiting, clock: Clock, film: Path) -> None:
    assert not waiting.hold(examine(str(film)), always=False), "it has been there for years"
    with film.open("r+b"):
        assert waiting.hold(examine(str(film)), always=False), "somebody has it open"
        assert waiting.hold(examine(str(film)), always=False), "and it waits already"
    clock.now += watcher._STILL_SECONDS
    assert waiting.ready() == [str(film)]
    os.utime(film, (clock.now, clock.now))
    assert waiting.hold(examine(str(film)), always=False), "it changed just now"
    clock.now += watcher._STILL_SECONDS
    assert waiting.ready() == [str(film)]
    os.utime(film, (1, 1))
    assert waiting.hold(examine(str(film)), always=True)


def test_it_is_quiet_once_nothing_waits(waiting: _Waiting, clock: Clock, film: Path) -> None:
    clock.now += 5
    assert waiting.quiet_seconds() == 5
    waiting.on_any_event(FileModifiedEvent(str(film)))
    clock.now += watcher._STILL_SECONDS
    assert waiting.quiet_seconds() == 0
    assert waiting.ready() == [str(film)]
    assert waiting.quiet_seconds() == watcher._STILL_SECONDS


def test_our_own_reading_is_no_news(waiting: _Waiting, clock: Clock, film: Path) -> None:
    waiting.on_any_event(FileOpenedEvent(str(film)))
    clock.now += watcher._STILL_SECONDS
    assert waiting.ready() == []


def test_a_new_folder_is_news(waiting: _Waiting, clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "trip").mkdir()
    waiting.on_any_event(DirCreatedEvent(str(tmp_path / "trip")))
    clock.now += watcher._STILL_SECONDS
    assert waiting.ready() == [str(tmp_path / "trip")]


def test_what_comes_in_while_it_is_looked_at_is_not_lost(
    waiting: _Waiting, clock: Clock, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel tells on another thread, at any instant."""
    other = film.with_name("other.mp4")
    waiting.on_any_event(FileCreatedEvent(str(film)))
    telling = Thread(target=lambda: waiting.on_any_event(FileCreatedEvent(str(other))))
    look = watcher._signature

    def meanwhile(path: str) -> tuple[int, int]:
        if path == str(film):
            telling.start()
            telling.join(0.3)  # it has to wait until the looking is done
        return look(path)

    monkeypatch.setattr(watcher, "_signature", meanwhile)
    clock.now += watcher._STILL_SECONDS
    assert waiting.ready() == [str(film)]
    telling.join()
    clock.now += watcher._STILL_SECONDS
    assert waiting.ready() == [str(other)]
