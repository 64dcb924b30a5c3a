"""A Ray cluster whose nodes index one library: Ray says where, the library's queue says what.

Every task of Ray's is a worker that takes files until none waits. Ray starts one again that died
with its process or with its node, and the queue gives back what it had, so that each file is read,
and stored once.
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

# Between two looks at what has happened.
_TICK_SECONDS = 0.2

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
    stopping: Callable[[], bool] = lambda: False,
) -> IndexReport:
    """Index what is new or changed under some paths on the nodes of a Ray cluster.

    That is the one that ``RAY_ADDRESS`` names, or that this process is connected to, or else one of
    this machine alone, for as long as it takes. All nodes have the footage, and a way to the
    library's server without a password in its name.

    Args:
        library: one on a server.
        paths, exclude, words, decoder: as of :meth:`tempo_edge.library.Library.index`.
        on_event: told of every file.
        stopping: asked often; True ends it, and the files that are being read are given back.

    Raises:
        LibraryError: as for :func:`tempo_edge.teamwork.enqueue`; or there is no such cluster.
        MissingExtraError: the extra ``ray`` is not installed.
        TempoEdgeError: there is no such kind of words, or no such decoder.
    """
    from tempo_edge.indexing.footage import Sampling
    from tempo_edge.indexing.session import check_choices
    from tempo_edge.teamwork import enqueue

    check_choices(decoder, words, Sampling())
    if not library.store.is_shared:
        library.store.queue()  # which says why there is none
    if find_spec("ray") is None:
        raise MissingExtraError(lacking("ray"))
    began, ended = time.perf_counter(), Event()

    def is_ending() -> bool:
        return ended.is_set() or stopping()

    with _connected() as ray, ThreadPoolExecutor(1) as thread:
        crew = _Crew(ray, library, decoder, on_event, is_ending)
        put = thread.submit(
            enqueue, library, paths, exclude=exclude, words=words, stopping=is_ending
        )
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
        stopping: Callable[[], bool],
    ) -> None:
        self._ray = ray
        self._library = library
        self._decoder = decoder
        self._on_event = on_event
        self._stopping = stopping
        self._told = self._mailbox()

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
        """
        from tempo_edge.indexing.report import IndexReport

        report = IndexReport()
        while not self._stopping():
            is_whole = put.done()
            state = self._library.store.queue_state()
            if state is not None and state.waiting:
                self._run(report)
            elif is_whole:
                break
            else:
                time.sleep(_TICK_SECONDS)
        report.stopped = self._stopping()
        return report

    def _run(self, report: IndexReport) -> None:
        """Let as many workers as there is room for take files until none waits."""
        ray = self._ray
        cores = ray.cluster_resources().get("CPU", 1)
        hired = ray.remote(_work).options(
            num_cpus=min(_CORES, cores),
            max_retries=-1,  # as long as nodes die
            scheduling_strategy="SPREAD",
        )
        name = str(self._library.path)
        tasks = [
            hired.remote(name, self._decoder, self._told)
            for _ in range(max(1, int(cores) // _CORES))
        ]
        while tasks:
            if self._stopping():
                for task in tasks:
                    ray.cancel(task)
                return
            done, tasks = ray.wait(tasks, num_returns=len(tasks), timeout=_TICK_SECONDS)
            for task in done:
                report.add(self._result(task))
            self._tell()

    def _result(self, task: Any) -> IndexReport:
        """What a worker has done.

        Raises:
            TempoEdgeError: what it could not.
        """
        try:
            done: IndexReport = self._ray.get(task)
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, TempoEdgeError):
                raise error.cause from error
            raise
        return done

    def _tell(self) -> None:
        """Pass on what workers have told."""
        waiting = self._told.size()
        for event in self._told.get_nowait_batch(waiting) if waiting else ():
            self._on_event(event)


def _work(name: str, decoder: str, told: Any) -> IndexReport:
    """Be a worker, on whatever node this is, until nothing waits.

    Args:
        name: of the library; ``told``: a queue of Ray's for events.
    """
    from tempo_edge.library import Library
    from tempo_edge.teamwork import work

    def tell(event: IndexEvent) -> None:
        if event.kind != "progress":
            # Full, or gone with the driver: what is read is stored all the same.
            with suppress(Exception):
                told.put_nowait(event)

    with Library.open(name) as library:
        return work(library, decoder=decoder, until_empty=True, on_event=tell)
