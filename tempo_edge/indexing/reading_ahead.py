"""Files that are read on threads of their own, a few ahead of the one whose turn it is.

The caller's thread is the one that writes: it takes what was read in the order of files.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread
from time import monotonic
from types import TracebackType
from typing import Any

from tempo_edge.indexing.desk import Desk
from tempo_edge.indexing.walk import FoundFile

__all__ = ["Place", "Reading", "ReadingAhead"]

# How long a run that is to end waits for what its readers are in the midst of, in seconds.
_ENDING_SECONDS = 10.0


@dataclass(frozen=True)
class Place:
    """The place that files are read from.

    Attributes:
        name: what tells it from others.
        at_once: how many files may be read from it at once; None for any number.
    """

    name: object = None
    at_once: int | None = None


class Reading:
    """The reading of one file, as far as it is.

    Attributes:
        found: the file.
        place: where it is read from.
        desk: that of the thread that writes.
        turn: done once the file before it is recognized; ``next_turn``: once this one is.
        result: what it gave or raised.
        settled: done once that was stored, or noted.
        progress: (seconds done, seconds in all) that nobody was told yet.
        is_on: whether more is going to be read from the file.
    """

    def __init__(self, found: FoundFile, place: Place, desk: Desk, turn: Future[None]) -> None:
        self.found, self.place, self.desk, self.turn = found, place, desk, turn
        self.next_turn: Future[None] = Future()
        self.result: Future[Any] = Future()
        self.settled: Future[None] = Future()
        self.progress: tuple[float, float] | None = None
        self.is_on = True

    def tell(self, done: float, total: float) -> None:
        """Note how far it is, in seconds.

        Raises:
            Stopped: the run ends.
        """
        self.desk.checkpoint()
        self.progress = (done, total)
        self.desk.wake()

    def is_recognized(self) -> None:
        """Note that it is known whether the file's contents are those of another one."""
        if not self.next_turn.done():
            self.next_turn.set_result(None)

    def leave(self) -> None:
        """Note that nothing more is read from the file: the next one may be."""
        self.is_on = False
        self.desk.wake()


class ReadingAhead:
    """Reads files ahead. A context manager; what is under way at its exit is given up.

    Args:
        files: those to read, in order.
        read: reads one of them, on a thread of its own.
        desk: that of the calling thread.
        at_once: how many files may be under way.
        is_alone: whether no other file may be under way beside one.
        place: where a file is read from.
    """

    def __init__(
        self,
        files: Iterable[FoundFile],
        read: Callable[[Reading], object],
        desk: Desk,
        *,
        at_once: int,
        is_alone: Callable[[FoundFile], bool],
        place: Callable[[FoundFile], Place],
    ) -> None:
        self._files = deque(files)
        self._read = read
        self._desk = desk
        self._at_once = at_once
        self._is_alone = is_alone
        self._place = place
        self._under_way: deque[Reading] = deque()
        self._turn: Future[None] = Future()
        self._turn.set_result(None)

    def __enter__(self) -> ReadingAhead:
        self._desk.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._desk.close()
        last = monotonic() + _ENDING_SECONDS
        for reading in self._under_way:
            with suppress(BaseException):  # of a file that is given up
                reading.result.exception(max(0.0, last - monotonic()))

    def take(self, on_progress: Callable[[float, float], None]) -> Reading:
        """The reading of the next file, once it is done.

        Args:
            on_progress: called with (seconds done, seconds in all) of it.

        Raises:
            IndexError: there is no further file.
            Stopped: the run ends.
        """
        self._begin()
        reading = self._under_way[0]
        while not reading.result.done():
            self._desk.serve()
            told, reading.progress = reading.progress, None
            if told is not None and not reading.result.done():
                on_progress(*told)
            self._begin()
        return self._under_way.popleft()

    def _begin(self) -> None:
        """Begin to read as many files as may be under way."""
        busy = Counter(each.place.name for each in self._under_way if each.is_on)
        while self._files and len(self._under_way) < self._at_once:
            found = self._files[0]
            last = self._under_way[-1].found if self._under_way else None
            if last is not None and (self._is_alone(found) or self._is_alone(last)):
                return
            place = self._place(found)
            if place.at_once is not None and busy[place.name] >= place.at_once:
                return
            busy[place.name] += 1
            self._files.popleft()
            reading = Reading(found, place, self._desk, self._turn)
            self._turn = reading.next_turn
            self._under_way.append(reading)
            Thread(target=self._run, args=(reading,), name="tempo-read", daemon=True).start()

    def _run(self, reading: Reading) -> None:
        try:
            reading.result.set_result(self._read(reading))
        except BaseException as error:
            reading.result.set_exception(error)
        reading.is_recognized()
        reading.leave()
