"""A worker pool: threads of its own and a bounded queue: quick work never waits behind slow."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from threading import Condition, Event, Thread
from typing import Any, Generic, TypeVar

from tempo_edge.errors import ServiceError

__all__ = ["Work", "WorkerPool"]

T = TypeVar("T")


class _EndedError(Exception):
    """Nobody wants the result of this work any more."""


class Work(Generic[T]):
    """Something that a worker pool does.

    Attributes:
        future: holds the result, or why there is none.
    """

    def __init__(self, call: Callable[[Callable[[], None]], T]) -> None:
        self._call = call
        self._ended = Event()
        self.future: Future[T] = Future()

    def end(self, reason: Exception) -> None:
        """Give up: waiting or under way, its future fails with this reason at once."""
        self._ended.set()
        with suppress(InvalidStateError):
            self.future.set_exception(reason)

    @property
    def ended(self) -> bool:
        """Whether it was given up."""
        return self._ended.is_set()

    def checkpoint(self) -> None:
        """Called by the work itself, now and then; does not return once it was given up."""
        if self._ended.is_set():
            raise _EndedError

    def do(self) -> None:
        """Do it, on the calling thread."""
        try:
            result = self._call(self.checkpoint)
        except Exception as error:
            with suppress(InvalidStateError):
                self.future.set_exception(error)
        else:
            with suppress(InvalidStateError):
                self.future.set_result(result)


class WorkerPool:
    """Threads that take work from a queue, first come, first served.

    Args:
        name: of the threads.
        limit: how much may wait.
        threads: how many there are.
        ended: called by each thread as the last that it does.
    """

    def __init__(
        self,
        name: str,
        limit: int,
        threads: int = 1,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._ended = ended
        self._name = name
        self._limit = limit
        self._queue: deque[Work[Any]] = deque()
        self._change = Condition()
        self._closed = False
        self._under_way: set[Work[Any]] = set()
        self._threads = [
            # No daemon: one that is in the midst of a model must be done before that is unloaded.
            Thread(target=self._run, name=f"tempo-{name}-{number}")
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, call: Callable[[Callable[[], None]], T]) -> Work[T]:
        """Line up a call, which is given a checkpoint to pass now and then.

        Raises:
            ServiceError: the queue is full, or the pool closed.
        """
        work = Work(call)
        with self._change:
            if self._closed:
                raise ServiceError(503, "the service is ending: ask again when it is back")
            if len(self._queue) >= self._limit:
                self._queue = deque(each for each in self._queue if not each.ended)
            if len(self._queue) >= self._limit:
                raise ServiceError(
                    429, f"{self._limit} requests wait for the {self._name} already: ask again"
                )
            self._queue.append(work)
            self._change.notify()
        return work

    def _run(self) -> None:
        while True:
            with self._change:
                while not self._queue and not self._closed:
                    self._change.wait()
                if self._closed:
                    break
                work = self._queue.popleft()
                self._under_way.add(work)
            if not work.ended:
                work.do()
            with self._change:
                self._under_way.discard(work)
            del work  # else a result lives on until the next one is there
        self._ended()

    def close(self) -> None:
        """Give up what waits and what is under way; the threads end at their next checkpoint."""
        with self._change:
            self._closed = True
            left = [*self._queue, *self._under_way]
            self._queue.clear()
            self._change.notify_all()
        for work in left:
            work.end(ServiceError(503, "the service is ending: ask again when it is back"))
