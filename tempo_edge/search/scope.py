"""The scope of a query: which videos of a library it concerns, and what is known of these."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import QueryError
from tempo_edge.indexing.walk import is_mounted
from tempo_edge.query import Query
from tempo_edge.search.calibrate import NullDistribution
from tempo_edge.search.reels import Reels
from tempo_edge.store.interface import Catalogue, Vectors

__all__ = ["Scope", "videos_of"]


class Scope:
    """Where a query looks. What is found out of that is kept for all of its terms.

    Args:
        query: what is asked for.
        catalogue: the library's rows, within a snapshot.
        vectors: gives the search among its frames, which is brought up to the rows.
        along_seconds: see :class:`Reels`.

    Attributes:
        videos: ids of the only videos that count; None for all.
        crowd: ids of the videos whose chance a moment has to stand out of; None for all.
        reels: what footage is read by.
        nulls: how vectors score by chance here, as far as that was asked for.

    Raises:
        QueryError: as :func:`videos_of`.
    """

    def __init__(
        self,
        query: Query,
        catalogue: Catalogue,
        vectors: Callable[[], Vectors],
        along_seconds: float = 0.0,
    ) -> None:
        self._catalogue = catalogue
        self._vectors = vectors
        self.videos = videos_of(query, catalogue)
        self.crowd = None if query.amid_all else self.videos
        self.reels = Reels(catalogue, along_seconds)
        self.nulls: dict[tuple[bytes, bool], NullDistribution] = {}

    @cached_property
    def frames(self) -> int:
        """How many frames there are to find."""
        return self._catalogue.count_frames(self.videos)

    @cached_property
    def crowd_frames(self) -> int:
        """How many frames of the crowd there are."""
        return self._catalogue.count_frames(self.crowd)

    @cached_property
    def sample(self) -> NDArray[np.float32]:
        """Unit vectors ``[n, d]`` of some of the crowd."""
        return self._vectors().sample(self.crowd)


def videos_of(query: Query, catalogue: Catalogue) -> list[int] | None:
    """Ids of the only videos that count, sorted; None where all of them do.

    Raises:
        QueryError: the library holds no footage under a path that the query is kept to, or none
            by a camera.
    """
    sets = [
        None if query.videos is None else set(query.videos),
        _by_path(query, catalogue),
        _by_file(query, catalogue),
        _by_length(query, catalogue),
        catalogue.videos_within(query.filters) if query.filters else None,
    ]
    given = [each for each in sets if each is not None]
    return sorted(set.intersection(*given)) if given else None


def _by_path(query: Query, catalogue: Catalogue) -> set[int] | None:
    """Videos that a file at or under one of the query's paths holds."""
    if query.within is None:
        return None
    return {video for path in query.within for video in _under(path, catalogue)}


def _under(path: Path, catalogue: Catalogue) -> set[int]:
    videos = {row.video_id for row in catalogue.each_file(path) if row.video_id is not None}
    if not videos:
        raise QueryError(f"the library holds no footage at or under {path}")
    return videos


def _by_length(query: Query, catalogue: Catalogue) -> set[int] | None:
    """Videos that are neither too short nor too long."""
    if query.min_seconds is None and query.max_seconds is None:
        return None
    low = query.min_seconds or 0.0
    high = math.inf if query.max_seconds is None else query.max_seconds
    return {video for video, seconds in catalogue.videos() if low <= seconds <= high}


def _by_file(query: Query, catalogue: Catalogue) -> set[int] | None:
    """Videos that a file holds which was changed at the right time, on a volume that counts."""
    if query.after is None and query.before is None and query.offline:
        return None
    volumes: dict[str, bool] = {}
    chosen = set()
    for row in catalogue.each_file():
        if row.video_id is None or not _is_between(row.mtime_ns, query.after, query.before):
            continue
        if not query.offline:
            if row.volume not in volumes:
                volumes[row.volume] = not row.volume or is_mounted(row.volume)
            if not volumes[row.volume]:
                continue
        chosen.add(row.video_id)
    return chosen


def _is_between(mtime_ns: int, after: date | None, before: date | None) -> bool:
    if after is None and before is None:
        return True
    try:
        day = date.fromtimestamp(mtime_ns / 1e9)
    except (OverflowError, ValueError, OSError):
        return False  # a time that no calendar knows
    return (after is None or day >= after) and (before is None or day < before)
