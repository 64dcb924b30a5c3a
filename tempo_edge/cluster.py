"""A Ray cluster whose nodes index one library: Ray says where, the library's queue says what.

Every task of Ray's is a worker that takes files until none waits. Ray starts one again that died
with its process or with its node, and the queue gives back what it had, so that each file is read,
and stored once. What was done is counted by what workers tell: one that dies returns nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from socket import gethostname
from threading import Event
from typing import TYPE_CHECKING, Any

from tempo_edge._extras import lacking
from tempo_edge.errors import LibraryError, MissingExtraError, TempoEdgeError

if TYPE_CHECKING:
    from tempo_edge.indexing.report import IndexEvent, IndexReport
    from tempo_edge.library import Library

__all__ = ["index"]

# Cores of a node that a worker asks for: one file at a time feeds no more.
_CORES = 2

# Between two looks at what has happened, and between two at what waits and who is there.
_TICK_SECONDS, _LOOK_SECONDS = 0.2, 1.0

# A worker that can't begin is followed by another one after so long, at first and at most.
_FIRST_SECONDS, _MOST_SECONDS = 1.0, 30.0

# Events that are held for the driver; what comes beyond them is not told, and done all the same.
_MOST_EVENTS = 10_000


def index(
    library: Library,
    paths: Iterable[str | Path] | str | Path,
    *,
    exclude: Iterable[str] = (),
    words: str = "subtitles",
    decoder: str = "pyav",
    on_event: Callable[[IndexEvent], None] = lambda event: None,
    on_notice: Callable[[str], None] = lambda line: None,
    stopping: Callable[[], bool] = lambda: False,
) -> IndexReport:
    """Index what is new or changed under some paths on the nodes of a Ray cluster.

    That is the one that ``RAY_ADDRESS`` names, or that this process is connected to, or else one of
    this machine alone, for as long as it takes. All nodes have the footage, and a way to the
    library's server without a password in its name. A server that is away is waited for.

    Args:
        library: one on a server.
        paths, exclude, words, decoder: as of :meth:`tempo_edge.library.Library.index`.
        on_event: told of every file; ``on_notice``, in a line, of what hinders it.
        stopping: asked often; True ends it, and the files that are being read are given back.

    Raises:
        LibraryError: as for :func:`tempo_edge.teamwork.enqueue`; or there is no such cluster, or
            the first worker can't open the library.
        MissingExtraError: the extra ``ray`` is not installed.
        TempoEdgeError: there is no such kind of words, or no such decoder.
    """
    from tempo_edge.indexing.footage import Sampling
    from tempo_edge.indexing.session import check_choices

    check_choices(decoder, words, Sampling())
    if not library.store.is_shared:
        library.store.queue()  # which says why there is none
    if find_spec("ray") is None:
        raise MissingExtraError(lacking("ray"))
    began, ended = time.perf_counter(), Event()

    def is_ending() -> bool:
        return ended.is_set() or stopping()

    with _connected() as ray, ThreadPoolExecutor(1) as thread:
        crew = _Crew(ray, library, decoder, on_event, on_notice, is_ending)
        how = {"exclude": exclude, "words": words, "stopping": is_ending}
        put = thread.submit(_put, library, paths, on_notice, how)
        try:
            read = crew.work(put)
        finally:
            ended.set()  # who puts files in waits for room, and nobody makes any now
    report = put.result()
    report.queued = 0
    report.add(read)
    report.stopped = report.stopped or read.stopped
    report.elapsed_seconds = time.perf_counter() - began
    return report


def _put(
    library: Library,
    paths: Iterable[str | Path] | str | Path,
    on_notice: Callable[[str], None],
    how: dict[str, Any],
) -> IndexReport:
    """Put in what is due; once some of it is, a server that is away is waited for.

    Args:
        how: as for :func:`tempo_edge.teamwork.enqueue`.

    Raises:
        LibraryError: as there, before anything was put in.
    """
    from tempo_edge.indexing.desk import Stopped
    from tempo_edge.indexing.perseverance import persevere
    from tempo_edge.indexing.report import IndexReport
    from tempo_edge.teamwork import enqueue

    reports: list[IndexReport] = []

    def put(begun: Callable[[], None]) -> None:
        reports.append(enqueue(library, paths, on_event=lambda event: begun(), **how))

    def check_stop() -> None:
        if how["stopping"]():
            raise Stopped

    with suppress(Stopped):
        persevere(put, check_stop, on_notice)
    return reports[-1] if reports else IndexReport(stopped=True)


@contextmanager
def _connected() -> Iterator[Any]:
    """Ray, connected to a cluster.

    Raises:
        LibraryError: the one that ``RAY_ADDRESS`` names does not answer.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell its makers otherwise
    ray = import_module("ray")
    if ray.is_initialized():
        yield ray
        return
    how: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    address = os.environ.get("RAY_ADDRESS")
    if address is None:
        how |= {"include_dashboard": False, "_node_ip_address": "127.0.0.1"}
    try:
        ray.init(address or "local", **how)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        reason = " ".join(str(error).split())[:200]
        raise LibraryError(
            f"the Ray cluster at {address or 'this machine'} can't be reached ({reason}): see to "
            "it with ray status, or unset RAY_ADDRESS to index on this machine alone"
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


class _Crew:
    """Workers on all nodes of a cluster, and what they tell."""

    def __init__(
        self,
        ray: Any,
        library: Library,
        decoder: str,
        on_event: Callable[[IndexEvent], None],
        on_notice: Callable[[str], None],
        stopping: Callable[[], bool],
    ) -> None:
        from tempo_edge.indexing.report import IndexReport

        self._ray = ray
        self._library = library
        self._decoder = decoder
        self._on_event, self._on_notice = on_event, on_notice
        self._stopping = stopping
        self._told = self._mailbox()
        self._report = IndexReport()
        self._tasks: list[Any] = []
        self._noticed: set[str] = set()
        self._has_worked = False
        self._pause = self._hires_at = 0.0

    def _mailbox(self) -> Any:
        """A queue on this node, which the workers' events come through."""
        queues = import_module("ray.util.queue")
        strategies = import_module("ray.util.scheduling_strategies")
        here = strategies.NodeAffinitySchedulingStrategy(
            self._ray.get_runtime_context().get_node_id(), soft=False
        )
        options = {"num_cpus": 0, "scheduling_strategy": here}
        return queues.Queue(_MOST_EVENTS, actor_options=options)

    def work(self, put: Future[IndexReport]) -> IndexReport:
        """Work until all is put in and nothing of it waits; gives what was done.

        Args:
            put: what puts files into the queue meanwhile.

        Raises:
            TempoEdgeError: the first worker could not begin, or one never can.
        """
        from tempo_edge.indexing.desk import Stopped

        looked = -_LOOK_SECONDS
        try:
            while True:
                self._check_stop()
                self._collect()
                self._tell()
                if time.monotonic() < looked + _LOOK_SECONDS:
                    continue
                is_whole, waiting = put.done(), self._waiting()
                looked = time.monotonic()
                if waiting:
                    self._hire(waiting)
                elif is_whole and not self._tasks:
                    return self._report
        except Stopped:
            self._report.stopped = True
            return self._report
        finally:
            for task in self._tasks:
                self._ray.cancel(task)

    def _check_stop(self) -> None:
        from tempo_edge.indexing.desk import Stopped

        if self._stopping():
            raise Stopped

    def _waiting(self) -> int:
        """How many tasks wait, those of workers that were lost among them."""
        from tempo_edge.indexing.perseverance import persevere

        counts: list[int] = []

        def look(begun: Callable[[], None]) -> None:
            begun()  # it was opened before: a server that is away is waited for
            state = self._library.store.queue_state()
            counts.append(0 if state is None else sum(state.waiting.values()))

        persevere(look, self._check_stop, self._on_notice)
        return counts[-1]

    def _hire(self, waiting: int) -> None:
        """Have as many workers as the nodes that are there now have room and work for."""
        if time.monotonic() < self._hires_at:
            return
        cores = [node["Resources"].get("CPU", 0) for node in self._ray.nodes() if node["Alive"]]
        each = min(_CORES, max((*cores, 1)))  # nodes may have one core, and may come yet
        room = max(1, sum(int(of_node // each) for of_node in cores))
        hired = self._ray.remote(_work).options(
            num_cpus=each,
            max_retries=-1,  # as long as nodes die
            scheduling_strategy="SPREAD",
        )
        name = str(self._library.path)
        for _ in range(min(waiting, room - len(self._tasks))):
            self._tasks.append(hired.remote(name, self._decoder, self._told))

    def _collect(self) -> None:
        """Wait a moment for workers to end, and see how they did.

        Raises:
            TempoEdgeError: what one could not, if that won't pass.
        """
        if not self._tasks:
            time.sleep(_TICK_SECONDS)
            return
        done, self._tasks = self._ray.wait(
            self._tasks, num_returns=len(self._tasks), timeout=_TICK_SECONDS
        )
        for task in done:
            try:
                self._ray.get(task)
            except self._ray.exceptions.RayTaskError as error:
                if not isinstance(error.cause, TempoEdgeError):
                    raise
                if not (self._has_worked and isinstance(error.cause, LibraryError)):
                    raise error.cause from error
                self._wait_for(error.cause)
            else:
                self._has_worked, self._pause = True, 0.0

    def _wait_for(self, trouble: LibraryError) -> None:
        """Hire nobody for a while: one could not begin, though others could."""
        if not self._pause:
            self._on_notice(f"a worker: {trouble} (it is tried again)")
        self._pause = min(max(_FIRST_SECONDS, 2 * self._pause), _MOST_SECONDS)
        self._hires_at = time.monotonic() + self._pause

    def _tell(self) -> None:
        """Count and pass on what workers have told."""
        waiting = self._told.size()
        for told in self._told.get_nowait_batch(waiting) if waiting else ():
            if isinstance(told, str):
                if told not in self._noticed:
                    self._on_notice(told)
                self._noticed.add(told)
                continue
            self._has_worked = True
            self._report.count(told)
            self._on_event(told)


def _work(name: str, decoder: str, told: Any) -> None:
    """Be a worker, on whatever node this is, until nothing waits.

    Args:
        name: of the library; ``told``: a queue of Ray's for events, and for lines on what hinders.
    """
    from tempo_edge.library import Library
    from tempo_edge.teamwork import work

    def send(what: IndexEvent | str) -> None:
        # Full, or gone with the driver: what is read is stored all the same.
        with suppress(Exception):
            told.put_nowait(what)

    def tell(event: IndexEvent) -> None:
        if event.kind != "progress":
            send(event)

    def note(line: str) -> None:
        send(f"{gethostname()}: {line}")

    with Library.open(name) as library:
        work(library, decoder=decoder, until_empty=True, on_event=tell, on_notice=note)
