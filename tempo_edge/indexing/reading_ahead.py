"""Files that are read on threads of their own, a few ahead of the one whose turn it is.

The caller's thread is the one that writes: it takes what was read in the order of files, and does
meanwhile what the readers ask of it, for a library is looked into and written by one thread.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Event, Thread
from time import monotonic
from types import TracebackType
from typing import Any, TypeVar

from tempo_edge.indexing.walk import FoundFile

__all__ = ["Place", "Reader", "ReadingAhead", "Stopped"]

T = TypeVar("T")

# Between two looks whether to end while nothing happens, in seconds.
_LOOK_SECONDS = 0.1

# How long a run that is to end waits for what its readers are in the midst of, in seconds.
_ENDING_SECONDS = 10.0


class Stopped(BaseException):
    """The caller asked for an end; passes through everything that mends errors."""


@dataclass(frozen=True)
class Place:
    """The place that files are read from.

    Attributes:
        name: what tells it from others.
        at_once: how many files may be read from it at once; None for any number.
    """

    name: object = None
    at_once: int | None = None


class Reader:
    """What the thread that reads a file may ask, and what it tells.

    Attributes:
        found: the file; ``position``: which one it is, from 0.
        place: where it is read from.
        result: what its reading gave or raised.
        settled: done once that was stored, or noted.
        progress: (seconds done, seconds in all) that nobody was told yet.
    """

    def __init__(
        self,
        found: FoundFile,
        position: int,
        place: Place,
        going: Event,
        ended: Event,
        asked: SimpleQueue[Callable[[], None]],
    ) -> None:
        self.found, self.position, self.place = found, position, place
        self.result: Future[Any] = Future()
        self.settled: Future[None] = Future()
        self.progress: tuple[float, float] | None = None
        self.is_reading = True
        self._going, self._ended, self._asked = going, ended, asked

    def ask(self, call: Callable[[], T]) -> T:
        """What a call gives or raises when the thread that writes makes it.

        Raises:
            Stopped: the run ends.
        """
        answer: Future[T] = Future()

        def make() -> None:
            try:
                answer.set_result(call())
            except Exception as error:
                answer.set_exception(error)

        self._asked.put(make)
        return self.wait_for(answer)

    def wait_for(self, answer: Future[T]) -> T:
        """What somebody else finds out.

        Raises:
            Stopped: the run ends.
        """
        while not wait([answer], _LOOK_SECONDS).done:
            self.checkpoint()
        return answer.result()

    def checkpoint(self) -> None:
        """Wait as long as the run is to pause.

        Raises:
            Stopped: the run ends.
        """
        self._going.wait()
        if self._ended.is_set():
            raise Stopped

    def tell(self, done: float, total: float) -> None:
        """Note how far the reading is, in seconds.

        Raises:
            Stopped: the run ends.
        """
        self.checkpoint()
        self.progress = (done, total)
        self._asked.put(lambda: None)

    def leave(self) -> None:
        """Note that nothing more is read from the file: the next one may be."""
        self.is_reading = False
        self._asked.put(lambda: None)


class ReadingAhead:
    """Reads files ahead. A context manager; what is under way at its exit is given up.

    Args:
        files: those to read, in order.
        read: reads one of them, on a thread of its own.
        check_stop: called often by the thread that writes, and raises what ends the run. As long as
            it does not return the readers pause.
        at_once: how many files may be under way.
        is_alone: whether no other file may be under way beside one.
        place: where a file is read from.
    """

    def __init__(
        self,
        files: Iterable[FoundFile],
        read: Callable[[Reader], object],
        check_stop: Callable[[], None],
        *,
        at_once: int,
        is_alone: Callable[[FoundFile], bool],
        place: Callable[[FoundFile], Place],
    ) -> None:
        self._files = deque(enumerate(files))
        self._read = read
        self._check_stop = check_stop
        self._at_once = at_once
        self._is_alone = is_alone
        self._place = place
        self._under_way: deque[Reader] = deque()
        self._asked: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._going, self._ended = Event(), Event()
        self._going.set()

    def __enter__(self) -> ReadingAhead:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._going.set()
        last = monotonic() + _ENDING_SECONDS
        for reader in self._under_way:
            with suppress(BaseException):  # of a file that is given up
                reader.result.exception(max(0.0, last - monotonic()))

    def take(self, on_progress: Callable[[float, float], None]) -> Reader:
        """The reader of the next file, once it has read it.

        Args:
            on_progress: called with (seconds done, seconds in all) of it.

        Raises:
            IndexError: there is no further file.
            Stopped: or whatever else ``check_stop`` raises.
        """
        self._begin()
        reader = self._under_way[0]
        while not reader.result.done():
            self._serve()
            told, reader.progress = reader.progress, None
            if told is not None and not reader.result.done():
                on_progress(*told)
            self._begin()
        return self._under_way.popleft()

    def _serve(self) -> None:
        """Do what readers ask, or wait a moment for some to ask."""
        self._going.clear()  # a caller who takes his time to answer wants nothing to go on
        try:
            self._check_stop()
        finally:
            self._going.set()
        with suppress(Empty):
            self._asked.get(timeout=_LOOK_SECONDS)()
            while True:
                self._asked.get_nowait()()

    def _begin(self) -> None:
        """Begin to read as many files as may be under way."""
        reading = Counter(each.place.name for each in self._under_way if each.is_reading)
        while self._files and len(self._under_way) < self._at_once:
            position, found = self._files[0]
            if self._under_way and (
                self._is_alone(found) or self._is_alone(self._under_way[-1].found)
            ):
                return
            place = self._place(found)
            if place.at_once is not None and reading[place.name] >= place.at_once:
                return
            reading[place.name] += 1
            self._files.popleft()
            reader = Reader(found, position, place, self._going, self._ended, self._asked)
            self._under_way.append(reader)
            Thread(target=self._run, args=(reader,), name="tempo-read", daemon=True).start()

    def _run(self, reader: Reader) -> None:
        try:
            reader.result.set_result(self._read(reader))
        except BaseException as error:
            reader.result.set_exception(error)
        reader.leave()
