"""Which videos of a library a query concerns."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

from tempo_edge.errors import QueryError
from tempo_edge.query import Query
from tempo_edge.scope import Scope
from tempo_edge.store.interface import Catalogue
from tempo_edge.volumes.mounts import is_mounted

__all__ = ["videos_in", "videos_of"]


def videos_of(query: Query, catalogue: Catalogue) -> list[int] | None:
    """Ids of the only videos that count, sorted; None where all of them do.

    Raises:
        QueryError: the library holds no footage under a path that the query is kept to, or none
            by a camera.
    """
    inside = videos_in(query.scope, catalogue)
    if query.videos is None:
        return None if inside is None else sorted(inside)
    return sorted(query.videos if inside is None else inside & query.videos)


def videos_in(scope: Scope, catalogue: Catalogue) -> set[int] | None:
    """Ids of the only videos that a scope leaves; None where it leaves all.

    Raises:
        QueryError: the library holds no footage under a path, or none by a camera.
    """
    sets = [
        _by_path(scope, catalogue),
        _by_file(scope, catalogue),
        _by_length(scope, catalogue),
        catalogue.videos_within(scope.filters) if scope.filters else None,
    ]
    given = [each for each in sets if each is not None]
    return set.intersection(*given) if given else None


def _by_path(scope: Scope, catalogue: Catalogue) -> set[int] | None:
    """Videos that a file at or under one of the scope's paths holds."""
    if scope.within is None:
        return None
    return {video for path in scope.within for video in _under(path, catalogue)}


def _under(path: Path, catalogue: Catalogue) -> set[int]:
    videos = {row.video_id for row in catalogue.each_file(path) if row.video_id is not None}
    if not videos:
        raise QueryError(
            f"the library holds no footage at or under {path}: index it, or name another path"
        )
    return videos


def _by_length(scope: Scope, catalogue: Catalogue) -> set[int] | None:
    """Videos that are neither too short nor too long."""
    if scope.min_seconds is None and scope.max_seconds is None:
        return None
    low = scope.min_seconds or 0.0
    high = math.inf if scope.max_seconds is None else scope.max_seconds
    return {video for video, seconds in catalogue.videos() if low <= seconds <= high}


def _by_file(scope: Scope, catalogue: Catalogue) -> set[int] | None:
    """Videos that a file holds which was changed at the right time, on a volume that counts."""
    if scope.after is None and scope.before is None and scope.offline:
        return None
    volumes: dict[str, bool] = {}
    chosen = set()
    for row in catalogue.each_file():
        if row.video_id is None or not _is_between(row.mtime_ns, scope.after, scope.before):
            continue
        if not scope.offline:
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
