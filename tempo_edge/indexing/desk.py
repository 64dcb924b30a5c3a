"""The desk of the thread that writes: others leave there what they want it to do.

A library is looked into and written by one thread. The threads that read files ask it, and learn
from it when to pause and when to end.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event, get_ident
from typing import TypeVar

__all__ = ["Desk", "Stopped"]

T = TypeVar("T")

# Between two looks whether to end while nothing happens, in seconds.
_LOOK_SECONDS = 0.1


class Stopped(BaseException):
    """The caller asked for an end; passes through everything that mends errors."""


class Desk:
    """The desk of the thread that made it, or opened it last.

    Args:
        check_stop: called often, by that thread; raises what ends the run. As long as it does not
            return the others pause.
    """

    def __init__(self, check_stop: Callable[[], None]) -> None:
        self._check_stop = check_stop
        self._asked: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._going, self._ended = Event(), Event()
        self._going.set()
        self._owner = get_ident()

    def ask(self, call: Callable[[], T]) -> T:
        """What a call gives or raises when the thread that writes makes it.

        Raises:
            Stopped: the run ends.
        """
        if get_ident() == self._owner:
            return call()
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
        if get_ident() == self._owner:
            self._check_stop()
            return
        self._going.wait()
        if self._ended.is_set():
            raise Stopped

    def wake(self) -> None:
        """Have the thread that writes look at what has changed."""
        self._asked.put(lambda: None)

    def serve(self) -> None:
        """Do what was asked for, or wait a moment for something to be."""
        self._going.clear()  # whoever takes his time to answer wants nothing to go on
        try:
            self._check_stop()
        finally:
            self._going.set()
        with suppress(Empty):
            self._asked.get(timeout=_LOOK_SECONDS)()
            while True:
                self._asked.get_nowait()()

    def open(self) -> None:
        """Take what is asked for, on the calling thread, from now on."""
        self._owner = get_ident()
        self._ended.clear()

    def close(self) -> None:
        """End whoever asks or waits from now on."""
        self._ended.set()
        self._going.set()
