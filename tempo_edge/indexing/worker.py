"""A worker: takes tasks out of a library's queue, one after the other, until it is stopped.

Whatever ends it, what it had is given back. A server that is away is waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tempo_edge._files.spelling import spelled
from tempo_edge.errors import LibraryError
from tempo_edge.indexing.bench import Bench, Readers
from tempo_edge.indexing.desk import Stopped
from tempo_edge.indexing.perseverance import persevere
from tempo_edge.indexing.report import IndexEvent, IndexReport
from tempo_edge.store.interface import Store
from tempo_edge.store.queue import Claim, ClaimLostError

__all__ = ["Worker"]

# Seconds between two looks whether there is something to do.
_PAUSE_SECONDS = 0.5

# Between two times at which what is derived from rows is brought up while there is work.
_SETTLE_SECONDS = 60.0

# A file in a folder that is not here may be there on another machine: it is tried again so often.
_ELSEWHERE_SECONDS, _MOST_ATTEMPTS = 60.0, 60


class Worker:
    """A worker of one process, which reads one file at a time.

    Args:
        store: keeps the library.
        kinds: of the tasks that it takes.
        readers: what reads films, those of these kinds among them.
        refresh: brings up what is derived from rows.
        on_event: told of every file; ``on_notice``, in a line, of what hinders it.
        stopping: asked often; True ends it, and the file that is being read is given back.
    """

    def __init__(
        self,
        store: Store,
        kinds: tuple[str, ...],
        readers: Readers,
        *,
        refresh: Callable[[], None] = lambda: None,
        on_event: Callable[[IndexEvent], None] = lambda event: None,
        on_notice: Callable[[str], None] = lambda line: None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._kinds = kinds
        self._readers = readers
        self._refresh = refresh
        self._on_event, self._on_notice = on_event, on_notice
        self._stopping = stopping
        self._report = IndexReport()
        self._number: int | None = None
        self._is_unsettled = False
        self._settled = time.monotonic()

    def run(self, *, until_empty: bool = False) -> IndexReport:
        """Work until it is stopped; gives what was done.

        Args:
            until_empty: end once nothing waits for it and nobody is at anything.

        Raises:
            LibraryError: there is no library, or it can't be reached at the beginning.
        """
        began = time.perf_counter()

        def work(begun: Callable[[], None]) -> None:
            with self._bench() as bench:
                begun()
                self._work(bench, until_empty)

        with suppress(Stopped):
            persevere(work, self._check_stop, self._on_notice)
        self._report.stopped = self._stopping()
        self._report.elapsed_seconds = time.perf_counter() - began
        return self._report

    @contextmanager
    def _bench(self) -> Iterator[Bench]:
        """Sessions with the server."""
        fingerprint = self._readers.profile.fingerprint
        with self._store.queue() as queue, self._store.writer() as writer:
            recorded = writer.get_meta("profile")
            if recorded != fingerprint:
                raise LibraryError(
                    f"{writer.name} is built with profile {recorded}, not {fingerprint}: start the "
                    "worker again"
                )
            self._number = queue.join(self._kinds, self._number)
            how = self._on_event, self._on_notice, self._stopping
            yield Bench(queue, writer, self._readers, *how)

    def _check_stop(self) -> None:
        if self._stopping():
            raise Stopped

    def _work(self, bench: Bench, until_empty: bool) -> None:
        """Do tasks as they come."""
        while True:
            self._check_stop()
            claim = bench.queue.take()
            is_late = time.monotonic() > self._settled + _SETTLE_SECONDS
            if claim is not None:
                self._do(bench, claim)
                self._is_unsettled = True
            if self._is_unsettled and (claim is None or is_late):
                self._settle(bench)
            elif claim is None:
                if until_empty and bench.queue.is_drained(self._kinds):
                    return
                bench.queue.rest(_PAUSE_SECONDS)

    def _do(self, bench: Bench, claim: Claim) -> None:
        """Do a task, and finish it or give it back."""
        queue, task = bench.queue, claim.task
        path = bench.place_of(task)
        if path is None:
            self._leave(bench, claim)
            return
        try:
            report = bench.do(claim, path)
        except ClaimLostError as error:
            self._on_notice(f"{error}: what was read of it here is dropped")
            queue.give_back(claim)
            return
        except (LibraryError, Stopped):
            with suppress(LibraryError):
                queue.give_back(claim)
            raise
        except Exception as error:  # a fault of one file ends no worker
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            self._on_event(IndexEvent("skipped", spelled(path), reason))
            queue.give_up(claim, reason)
            return
        self._report.add(report)
        queue.put(bench.behind(task, path))
        queue.finish(claim)

    def _leave(self, bench: Bench, claim: Claim) -> None:
        """Leave a file to machines that have its folder, if there are any."""
        path = Path(claim.task.file)
        if claim.attempts >= _MOST_ATTEMPTS:
            bench.queue.give_up(claim, f"no worker has the folder {path.parent}")
            return
        self._on_notice(f"{path.parent} is not here: {path.name} is left to other workers")
        bench.queue.give_back(claim, delay_seconds=_ELSEWHERE_SECONDS)

    def _settle(self, bench: Bench) -> None:
        """Give sentence vectors to lines, and bring up indexes; one worker at a time does so."""
        self._is_unsettled, self._settled = False, time.monotonic()
        with bench.queue.alone("settle") as is_alone:
            if is_alone:
                bench.read_lines()
                self._refresh()
