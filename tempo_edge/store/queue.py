"""The part of a store's interface that shares out work: a queue that workers take files from.

What waits is bounded by whoever puts it. What is taken belongs to one worker until it is done or
given back, or its worker is lost. Only stores that several machines write have one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tempo_edge._closing import Closing
from tempo_edge.errors import LibraryError

if TYPE_CHECKING:
    from tempo_edge.store.interface import WritableCatalogue

__all__ = [
    "PICTURES",
    "Claim",
    "ClaimLostError",
    "QueueState",
    "Shared",
    "Task",
    "WorkQueue",
    "WorkerState",
]

#: The kind of the tasks that bring a file into the library; later passes go by that of their lines.
PICTURES = "pictures"


class ClaimLostError(LibraryError):
    """A task is another worker's by now: what this one has read of it is not stored."""


@dataclass(frozen=True)
class Task:
    """What is to be done with a file.

    Attributes:
        kind: :data:`PICTURES`, or the kind of the lines of a later pass.
        file: what names the file in the library.
        contents: what tells its contents from others: of two that agree one is done at a time.
        state: its size and time of change: the same file in the same state waits once.
        priority: the highest is taken first, within 32 bits.
        words: which words of it are read, one of :data:`tempo_edge.indexing.word_choice.WORDS`.
    """

    kind: str
    file: str
    contents: str
    state: str
    priority: int
    words: str


@dataclass(frozen=True)
class Claim:
    """A task that one worker has taken.

    Attributes:
        id: tells it from all others.
        deaths: how many workers were lost at it before.
        attempts: how often it was taken before.
    """

    task: Task
    id: int
    deaths: int
    attempts: int


@dataclass(frozen=True)
class WorkerState:
    """A worker, and what it does.

    Attributes:
        machine, process: where it runs.
        kinds: of the tasks that it takes.
        task: the one that it is at, for so many ``seconds``; None and 0 while it has none.
    """

    machine: str
    process: int
    kinds: tuple[str, ...]
    task: Task | None
    seconds: float


@dataclass(frozen=True)
class QueueState:
    """What a queue holds, and who works.

    Attributes:
        is_paused: whether no task is taken until somebody resumes it.
        waiting: how many tasks wait, by kind.
        workers: all that there are, by machine and process.
        given_up: (task, why) of those that nobody could do.
    """

    is_paused: bool
    waiting: dict[str, int]
    workers: tuple[WorkerState, ...]
    given_up: tuple[tuple[Task, str], ...]


class WorkQueue(Closing, ABC):
    """The queue of one library, from the side of one process."""

    @abstractmethod
    def close(self) -> None:
        """End the session; what this process had taken is given back."""

    @abstractmethod
    def put(self, tasks: Sequence[Task]) -> int:
        """Put tasks in, but for those that wait or are under way; gives how many were put.

        Raises:
            LibraryError: the server can't be reached.
        """

    @abstractmethod
    def waiting(self) -> int:
        """How many tasks wait."""

    @abstractmethod
    def is_drained(self, kinds: Collection[str]) -> bool:
        """Whether nothing of some kinds waits, and nothing of any is under way."""

    @abstractmethod
    def pause(self, is_paused: bool) -> None:
        """Have no task taken from now on, or have them taken again."""

    # -- a worker's side ---------------------------------------------------------------------------

    @abstractmethod
    def join(self, kinds: Sequence[str], before: int | None = None) -> int:
        """Become a worker that takes tasks of some kinds; gives its number.

        Args:
            before: the number that this process had in a session that was lost: what it has still
                is given back.
        """

    @abstractmethod
    def take(self) -> Claim | None:
        """The task that comes next, which is this worker's now; None where there is none."""

    @abstractmethod
    def beat(self) -> None:
        """Say that this worker is alive, and have a session again where one was lost.

        Called often; a server that is away is passed over.
        """

    @abstractmethod
    def finish(self, claim: Claim) -> None:
        """A task is done: what came of it is stored. One that is another worker's stays that."""

    @abstractmethod
    def give_back(self, claim: Claim, *, delay_seconds: float = 0.0) -> None:
        """Let others take a task, after a while."""

    @abstractmethod
    def give_up(self, claim: Claim, reason: str) -> None:
        """Let nobody take a task, and remember why."""

    @abstractmethod
    def rest(self, seconds: float) -> None:
        """Wait for something to be put in, for so long at most."""

    @abstractmethod
    def guard(self, writer: WritableCatalogue, claim: Claim | None) -> None:
        """From now on a transaction is refused where a task is not this worker's any more.

        Args:
            writer: a catalogue of the same library.
            claim: the task; None for work that is none of the queue's.
        """

    # -- who may write beside whom -----------------------------------------------------------------

    @abstractmethod
    def beside(
        self, checkpoint: Callable[[], None], on_wait: Callable[[str], None] = lambda who: None
    ) -> AbstractContextManager[None]:
        """Inside, others that ask so may write as well, and nobody who holds the store's lock.

        Args:
            checkpoint: called while one does; whatever it raises ends the wait.
            on_wait: told in a line who that is.
        """

    @abstractmethod
    def alone(self, what: str) -> AbstractContextManager[bool]:
        """Whether this process is the only one at something, as long as it is inside."""

    @abstractmethod
    def holder(self, what: str) -> str:
        """Who is alone at something, as ``pid 12 on films``; empty where nobody is known to be."""


class Shared:
    """The part of a store that says whether several machines may write its library.

    Attributes:
        is_shared: whether they may, so that it has a queue.
    """

    is_shared: bool = False

    def queue(self) -> WorkQueue:
        """The library's queue, in a session of its own; made if need be.

        Raises:
            LibraryError: this store has none; or there is no library, or it can't be reached.
        """
        raise LibraryError(
            "a library in a file is written by one process and has no queue: name one on a "
            "server, --library postgresql://USER@HOST/DATABASE"
        )

    def queue_state(self) -> QueueState | None:
        """What the queue holds and who works; None where there is no queue."""
        return None

    def clock_ahead_seconds(self) -> float:
        """Seconds by which this machine's clock is ahead of the one that keeps the library.

        Raises:
            LibraryError: that can't be reached.
        """
        return 0.0
