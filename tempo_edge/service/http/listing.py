"""What the library lists: its videos, what was skipped, and how one video looks over time."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from tempo_edge import __version__
from tempo_edge.errors import NoLibraryError, ServiceError
from tempo_edge.library import Library
from tempo_edge.query import Query
from tempo_edge.search.window import open_window
from tempo_edge.search.wording import read
from tempo_edge.service.http.paths import is_there
from tempo_edge.store.rows import FileRow

__all__ = ["curve", "files_of", "shown_path", "skipped", "totals", "videos"]

Facts = dict[str, Any]

# All the ticks that a library can hold: all frames of a video.
_FIRST, _LAST = -(2**63), 2**63 - 1


def totals(library: Library) -> Facts:
    """The part of ``/v1/status`` that the library knows."""
    try:
        counted = library.totals()
    except NoLibraryError:
        counted = {}
    return {
        "version": __version__,
        "library": str(library.path),
        "profile": library.profile.name,
        "videos": counted.get("videos", 0),
        "hours": counted.get("hours", 0.0),
        "frames": counted.get("frames", 0),
        "skipped": counted.get("files_skipped", 0),
    }


def videos(library: Library, limit: int, offset: int) -> list[Facts]:
    """Some of the videos, in the order of their ids."""
    try:
        catalogue = library.catalogue
    except NoLibraryError:
        return []
    with catalogue.snapshot():
        listed = [
            (video, seconds, catalogue.files_of(video))
            for video, seconds in catalogue.videos(limit, offset)
        ]
    found = []
    for video, seconds, rows in listed:
        row, online = shown_path(rows)
        found.append(
            {
                "id": video,
                "path": row.path,
                "name": Path(row.path).name,
                "duration_seconds": seconds,
                "modified": _instant(row.mtime_ns),
                "online": online,
                "remark": row.reason,
            }
        )
    return found


def _instant(mtime_ns: int) -> str | None:
    try:
        return datetime.fromtimestamp(mtime_ns // 10**9, timezone.utc).isoformat()
    except (OverflowError, ValueError, OSError):
        return None  # a time that no calendar knows


def shown_path(rows: list[FileRow]) -> tuple[FileRow, bool]:
    """Of the files that hold a video one that is there, if any is; and whether it is."""
    for row in rows:
        if is_there(row.path):
            return row, True
    return rows[0], False


def files_of(library: Library, video_id: int) -> list[FileRow]:
    """The files that hold a video.

    Raises:
        ServiceError: the library lists no such video; status 404.
    """
    try:
        with library.catalogue.snapshot():
            rows = library.catalogue.files_of(video_id)
    except NoLibraryError:
        rows = []
    if not rows:
        raise ServiceError(404, f"the library lists no video {video_id}")
    return rows


def skipped(library: Library) -> list[Facts]:
    """Files that can't be used, and why."""
    try:
        rows = library.files()
    except NoLibraryError:
        return []
    return [{"path": row.path, "reason": row.reason} for row in rows if row.state == "skipped"]


def curve(library: Library, video_id: int, query: str | None) -> Facts:
    """One value for each of the ``n`` frames that were kept of a video.

    Gives ``edges`` (``n + 1`` seconds: frame ``i`` stands for ``[edges[i], edges[i + 1])``),
    ``variation`` in [0, 1], and ``similarity``, a cosine to the query's first term; the latter is
    empty without a query.

    Raises:
        ServiceError: the library lists no such video; status 404.
        QueryError: it is no query.
    """
    files_of(library, video_id)
    catalogue = library.catalogue
    with catalogue.snapshot():
        video = catalogue.video(video_id)
        vector = (
            np.zeros(library.profile.dim, np.float32)
            if query is None
            else read(library.profile, Query(query, retrieval=True).expression.terms[0].text)[0]
        )
        window = open_window(vector, catalogue, video_id, video, _FIRST, _LAST)
        variation = catalogue.variations(video_id)
    seen = bool(len(window.pts))
    return {
        "edges": window.edges.tolist() if seen else [],
        "variation": variation.astype(float).round(4).tolist(),
        "similarity": [] if query is None else window.similarities.astype(float).round(4).tolist(),
    }
