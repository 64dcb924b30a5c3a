"""The engine: searches in two worker pools, so that what is typed never waits for a reading.

A newer query of a client ends its older one, whether that waits or is under way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tempo_edge.errors import ServiceError
from tempo_edge.moment import Moment
from tempo_edge.search.candidates import Candidate
from tempo_edge.service.handle import Handle, Models
from tempo_edge.service.query import Query
from tempo_edge.service.worker_pool import Work, WorkerPool

__all__ = ["Engine", "Found", "moment_facts"]

# Searches that may wait in each pool.
_WAITING = 32

Found = dict[str, Any]


class Engine:
    """Searches a library for many clients.

    Args:
        path: the database file.
        models: shared with whoever else reads the library.
    """

    def __init__(self, path: Path, models: Models) -> None:
        self._models = models
        self._quick = _pool("quick search", Handle(path, models))
        self._slow = _pool("reading search", Handle(path, models))
        self._latest: dict[str, Work[Found]] = {}
        self._preferred: str | None = None

    def warm(self) -> None:
        """Load the models and the vectors, in the background."""
        for pool, handle in (self._quick, self._slow):
            pool.submit(partial(self._warm, handle))

    def _warm(self, handle: Handle, checkpoint: Callable[[], None]) -> None:
        library = handle.open()
        self._models.load(library)
        if library.path.exists():
            self._preferred = library.searcher.grounder(None)
            library.find("warm", limit=1)

    def find(self, query: Query) -> Work[Found]:
        """Line up a search, and end the one that the same client has under way.

        To be called from one thread only.

        Raises:
            ServiceError: too many wait already.
        """
        quick = query.retrieval or (query.grounder or self._preferred) == "curve"
        pool, handle = self._quick if quick else self._slow
        asked = time.perf_counter()
        if query.client in self._latest:
            self._latest.pop(query.client).end(
                ServiceError(409, "a newer query of the same client took the place of this one")
            )
        work = pool.submit(partial(_find, handle, query, asked))
        if query.client is not None:
            self._latest[query.client] = work
        return work

    def forget(self, query: Query, work: Work[Found]) -> None:
        """Called once a search has its answer, or nobody waits for it any more."""
        if query.client is not None and self._latest.get(query.client) is work:
            del self._latest[query.client]

    def close(self) -> None:
        """Take no more searches."""
        for pool, _ in (self._quick, self._slow):
            pool.close()


def _pool(name: str, handle: Handle) -> tuple[WorkerPool, Handle]:
    return WorkerPool(name, _WAITING, ended=handle.close), handle


def _find(handle: Handle, query: Query, asked: float, checkpoint: Callable[[], None]) -> Found:
    """The answer to a query, as ``/v1/find`` gives it."""
    checkpoint()
    library = handle.open()
    answer = library.find(
        query.text,
        limit=query.limit,
        min_confidence=query.min_confidence,
        within=query.within,
        grounder=query.grounder,
        retrieval=query.retrieval,
        videos=query.videos(library),
        checkpoint=checkpoint,
    )
    return {
        "query": query.text,
        "took_ms": round(1e3 * (time.perf_counter() - asked), 1),
        "grounder": answer.grounder,
        "moments": _told(answer.moments, answer.evidence),
        "near": _told(answer.misses, answer.miss_evidence),
        "held_back": answer.filtered_count,
    }


def _told(moments: Sequence[Moment], evidence: Sequence[Candidate]) -> list[Found]:
    pairs = zip(moments, evidence, strict=True)
    return [moment_facts(moment, candidate) for moment, candidate in pairs]


def moment_facts(moment: Moment, candidate: Candidate) -> Found:
    """A moment as the service tells it; numbers are given in full."""
    return {
        "video": candidate.window.video_id,
        "path": str(moment.path),
        "name": moment.path.name,
        "start_seconds": moment.start_seconds,
        "end_seconds": moment.end_seconds,
        "score": moment.score,
        "confidence": moment.confidence,
        "online": not moment.offline,
        "copies": [
            {
                "path": str(copy.path),
                "start_seconds": copy.start_seconds,
                "end_seconds": copy.end_seconds,
                "online": not copy.offline,
            }
            for copy in moment.copies
        ],
    }
