"""The queue of searches, in two worker pools, so that what is typed never waits for a reading.

A newer query of a client ends its older one, whether that waits or is under way.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tempo_edge._files.spelling import spelled
from tempo_edge.answer import Answer
from tempo_edge.errors import ServiceError
from tempo_edge.example import Example
from tempo_edge.indexing.presence import Presence
from tempo_edge.library import Library
from tempo_edge.query import Query
from tempo_edge.search.fitted import is_quick
from tempo_edge.service.handle import Handle, Models
from tempo_edge.service.http.find_request import FindRequest
from tempo_edge.service.jobs.worker_pool import Work, WorkerPool

__all__ = ["SearchQueue", "TimedAnswer"]

# Searches that may wait in each pool.
_WAITING = 32


@dataclass(frozen=True)
class TimedAnswer:
    """An answer, and how long its query took from when it was lined up.

    Attributes:
        like_video: the id of the video that the example is of; None without one, and of a picture.
        away: the videos with a moment whose files are on volumes that are not there.
    """

    query: Query
    answer: Answer
    took_ms: float
    like_video: int | None = None
    away: frozenset[int | None] = frozenset()

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``/v1/find`` gives them."""
        like = self.query.like
        shown = None if like is None else like.place if like.is_moment else like.name
        return {
            "query": self.query.text,
            "like": shown,
            "like_video": self.like_video,
            "took_ms": self.took_ms,
            **self._found(),
            **self._understood(),
        }

    def _found(self) -> dict[str, Any]:
        """The answer, whose moments say as well whether the drive with them is away."""
        found = self.answer.as_dict()
        for moment in (*found["moments"], *found["near"]):
            moment["drive_away"] = moment["video"] in self.away
        return found

    def _understood(self) -> dict[str, Any]:
        """The terms as they were understood, each with the text that asks for the others."""
        expression = self.answer.understood
        if expression is None:
            return {}
        terms = enumerate(expression.terms)
        return {
            "understood": [{**term.as_dict(), "rest": expression.rest(at)} for at, term in terms]
        }


class SearchQueue:
    """Searches a library for many clients.

    Args:
        path: the database file.
        models: shared with whoever else reads the library.
    """

    def __init__(self, path: Path, models: Models) -> None:
        self._models = models
        self._quick = _pool("quick search", Handle(path, models))
        self._slow = _pool("reading search", Handle(path, models))
        self._latest: dict[str, Work[TimedAnswer]] = {}
        self._preferred: str | None = None

    def warm(self) -> None:
        """Load the models and the vectors, in the background."""
        for pool, handle in (self._quick, self._slow):
            pool.submit(partial(self._warm, handle))

    def _warm(self, handle: Handle, checkpoint: Callable[[], None]) -> None:
        library = handle.open()
        self._models.load(library)
        if library.store.identity() is not None:
            self._preferred = library.searcher.pictures.grounder(None)
            library.ask(Query("warm", limit=1))

    def find(self, request: FindRequest) -> Work[TimedAnswer]:
        """Line up a search, and end the one that the same client has under way.

        To be called from one thread only.

        Raises:
            ServiceError: too many wait already.
        """
        query, client = request.query, request.client
        quick = (
            query.retrieval or query.like is not None or is_quick(query.grounder or self._preferred)
        )
        pool, handle = self._quick if quick else self._slow
        asked = time.perf_counter()
        if client in self._latest:
            self._latest.pop(client).end(
                ServiceError(409, "a newer query of the same client took the place of this one")
            )
        work = pool.submit(partial(_find, handle, query, asked))
        if client is not None:
            self._latest[client] = work
        return work

    def forget(self, request: FindRequest, work: Work[TimedAnswer]) -> None:
        """Called once a search has its answer, or nobody waits for it any more."""
        client = request.client
        if client is not None and self._latest.get(client) is work:
            del self._latest[client]

    def close(self) -> None:
        """Take no more searches."""
        for pool, _ in (self._quick, self._slow):
            pool.close()


def _pool(name: str, handle: Handle) -> tuple[WorkerPool, Handle]:
    return WorkerPool(name, _WAITING, ended=handle.close), handle


def _find(
    handle: Handle, query: Query, asked: float, checkpoint: Callable[[], None]
) -> TimedAnswer:
    checkpoint()
    library = handle.open()
    answer = library.ask(query, checkpoint=checkpoint)
    took_ms = round(1e3 * (time.perf_counter() - asked), 1)
    return TimedAnswer(
        query, answer, took_ms, _video_of(library, query.like), _away(library, answer)
    )


def _video_of(library: Library, like: Example | None) -> int | None:
    """The id of the video that an example is a moment of; the search has found it there."""
    if like is None or like.path is None:
        return None if like is None else like.video
    row = library.catalogue.file(spelled(like.path))
    return None if row is None else row.video_id


def _away(library: Library, answer: Answer) -> frozenset[int | None]:
    """The videos of an answer that are out of reach because their volumes are."""
    presence = Presence()
    there = (*answer.moments, *answer.rejected)
    videos = {each.video for each in there if each.offline and each.video is not None}
    return frozenset(
        video
        for video in videos
        if any(presence.of(row) == "offline" for row in library.catalogue.files_of(video))
    )
