"""The thread that tells while footage is indexed, and keeps nobody waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Event, Thread
from types import TracebackType
from typing import TYPE_CHECKING

from tempo_edge.saved.teller import Teller

if TYPE_CHECKING:
    from tempo_edge.answer import Answer
    from tempo_edge.query import Query
    from tempo_edge.store.interface import Store

__all__ = ["TellingThread", "telling"]

# For what is under way to come to an end: a search, a webhook with all its tries.
_ENDING_SECONDS = 30.0


class TellingThread:
    """Calls something whenever it is woken, on a thread of its own. A context manager.

    Args:
        tell: tells what is due; given what to ask whether to end early.
        notice: told in a line what went wrong; nothing that goes wrong ends the thread.
    """

    def __init__(
        self, tell: Callable[[Callable[[], bool]], None], notice: Callable[[str], None]
    ) -> None:
        self._tell = tell
        self._notice = notice
        self._woken = Event()
        self._ended = Event()
        self._trouble = ""
        self._thread = Thread(target=self._run, name="telling", daemon=True)

    def wake(self) -> None:
        """Have it tell soon."""
        self._woken.set()

    def __enter__(self) -> TellingThread:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._woken.set()
        self._thread.join(_ENDING_SECONDS)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._woken.wait()
            self._woken.clear()
            if self._ended.is_set():
                return
            try:
                self._tell(self._ended.is_set)
            except Exception as error:  # indexing goes on, whatever becomes of telling
                trouble = f"saved searches are told later: {' '.join(str(error).split())}"
                if trouble != self._trouble:
                    self._trouble = trouble
                    self._notice(trouble)


@contextmanager
def telling(
    store: Store,
    has_searches: Callable[[], bool],
    ask: Callable[[Query], Answer],
    notice: Callable[[str], None],
) -> Iterator[TellingThread]:
    """A thread that tells what is new when it is woken, and at first what was left.

    Args:
        store: keeps the library, whose lock the caller holds. The thread writes by a connection of
            its own, which is opened where there is something to tell.
        has_searches: whether there are saved searches.
        ask: gives the answer to a query.
        notice: told in a line of each moment, and once of each trouble.
    """
    tellers: list[Teller] = []
    with ExitStack() as opened:

        def tell(stopping: Callable[[], bool]) -> None:
            if not tellers:
                if not has_searches():
                    return
                writer = opened.enter_context(store.writer())
                tellers.append(Teller(writer, ask, notice, stopping))
            tellers[0].tell()

        with TellingThread(tell, notice) as thread:
            thread.wake()
            yield thread
