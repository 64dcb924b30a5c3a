"""The worker threads that all files under way share, and what their pictures may take of memory.

Files are read in turn. Where several are under way, the earliest goes first and the others have
what it leaves, so that a run of many files holds no more than that of one.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Any, TypeVar

__all__ = ["DecodePool", "MemoryBudget"]

T = TypeVar("T")


@dataclass(order=True)
class _Task:
    """Something to be done; of two the one of the earlier turn comes first, then the older one."""

    turn: int
    number: int
    future: Future[Any] = field(compare=False)
    call: Callable[[], Any] = field(compare=False)


class DecodePool:
    """Worker threads that do first what belongs to the earliest turn.

    Args:
        workers: how many threads.
    """

    def __init__(self, workers: int) -> None:
        self._tasks: list[_Task] = []
        self._change = Condition()
        self._closed = False
        self._number = 0
        self._threads = [
            Thread(target=self._work, name=f"tempo-decode-{at}", daemon=True)
            for at in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, turn: int, call: Callable[[], T]) -> Future[T]:
        """Have something done; gives what will hold its result.

        Raises:
            RuntimeError: the pool is closed.
        """
        future: Future[T] = Future()
        with self._change:
            if self._closed:
                raise RuntimeError("the pool of decoders is closed")
            self._number += 1
            heapq.heappush(self._tasks, _Task(turn, self._number, future, call))
            self._change.notify()
        return future

    def close(self) -> None:
        """Do nothing more of what has not begun, and wait for what has."""
        with self._change:
            self._closed = True
            left, self._tasks = self._tasks, []
            self._change.notify_all()
        for task in left:
            task.future.cancel()
        for thread in self._threads:
            thread.join()

    def _next(self) -> _Task | None:
        with self._change:
            while not (self._tasks or self._closed):
                self._change.wait()
            return heapq.heappop(self._tasks) if self._tasks else None

    def _work(self) -> None:
        while (task := self._next()) is not None:
            if task.future.set_running_or_notify_cancel():
                try:
                    task.future.set_result(task.call())
                except BaseException as error:
                    task.future.set_exception(error)
            del task  # with the pictures that its result holds


class MemoryBudget:
    """An amount of memory that is shared by turns, the earlier ones first.

    Args:
        most_bytes: as much as may be taken at once.
        least: how often an amount may be taken at once however large it is.
    """

    def __init__(self, most_bytes: float, least: int = 1) -> None:
        self._most, self._least = most_bytes, least
        self._taken = 0
        self._waiting: list[int] = []
        self._change = Condition()

    def try_take(self, amount: int) -> bool:
        """Take an amount of bytes if it is there and nobody waits for it; gives whether."""
        with self._change:
            if self._waiting or not self._has(amount):
                return False
            self._taken += amount
            return True

    def take(self, turn: int, amount: int) -> None:
        """Take an amount of bytes as soon as it is there, before any later turn."""
        with self._change:
            heapq.heappush(self._waiting, turn)
            while self._waiting[0] != turn or not self._has(amount):
                self._change.wait()
            heapq.heappop(self._waiting)
            self._taken += amount
            self._change.notify_all()  # there may be room for the next one as well

    def give_back(self, amount: int) -> None:
        """Give back what was taken."""
        with self._change:
            self._taken = self._taken - amount
            self._change.notify_all()

    @contextmanager
    def lent(self, turn: int, amount: int) -> Iterator[None]:
        """While inside, an amount of bytes is taken."""
        self.take(turn, amount)
        try:
            yield
        finally:
            self.give_back(amount)

    def _has(self, amount: int) -> bool:
        return self._taken + amount <= max(self._most, self._least * amount)
