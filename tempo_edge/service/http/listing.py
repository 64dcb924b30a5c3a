"""What the library lists: its videos, what was skipped, and how one video looks over time."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from tempo_edge import __version__
from tempo_edge.browsing import Amount, part_of, taken_by_month
from tempo_edge.capture.facts import Capture
from tempo_edge.errors import NoLibraryError, ServiceError
from tempo_edge.library import Library
from tempo_edge.query import Query
from tempo_edge.scope import Scope
from tempo_edge.search.window import open_window
from tempo_edge.search.wording import read
from tempo_edge.service.http.paths import is_there
from tempo_edge.store.rows import FileRow

__all__ = [
    "COUNT",
    "UNKNOWN_COUNT",
    "curve",
    "files_of",
    "months",
    "shown_path",
    "skipped",
    "totals",
    "videos",
]

Facts = dict[str, Any]

#: Headers of a list of videos: how many there are in all that were asked for, and how many more
#: were left out for want of knowing when or where they were taken.
COUNT, UNKNOWN_COUNT = "tempo-edge-count", "tempo-edge-unknown-count"

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


def videos(
    library: Library, scope: Scope, sort: str, limit: int, offset: int
) -> tuple[list[Facts], dict[str, str]]:
    """Some of the videos that a scope leaves, and how many these are, as headers.

    Raises:
        QueryError: there is no such order, or nothing where it is looked at.
    """
    try:
        catalogue = library.catalogue
    except NoLibraryError:
        return [], _counted(0, 0)
    with catalogue.snapshot():
        part = part_of(catalogue, scope, sort, limit, offset)
        listed = [
            (video, seconds, catalogue.files_of(video), catalogue.capture(video) or Capture())
            for video, seconds in part.videos
        ]
    found = []
    for video, seconds, rows, capture in listed:
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
                **capture.as_dict(),
            }
        )
    return found, _counted(part.count, part.unknown_count)


def _counted(count: int, unknown_count: int) -> dict[str, str]:
    return {COUNT: str(count), UNKNOWN_COUNT: str(unknown_count)}


def months(library: Library, scope: Scope) -> Facts:
    """How many of the videos that a scope leaves were taken in each month.

    Raises:
        QueryError: there is nothing where it is looked at.
    """
    try:
        catalogue = library.catalogue
    except NoLibraryError:
        return {"months": [], "unknown": _amount(Amount(0, 0.0))}
    with catalogue.snapshot():
        each_month, unknown = taken_by_month(catalogue, scope)
    told = [
        {
            "month": f"{each.year:04d}-{each.month:02d}",
            **_amount(each.all),
            "by_file": _amount(each.by_file),
        }
        for each in each_month
    ]
    return {"months": told, "unknown": _amount(unknown)}


def _amount(amount: Amount) -> Facts:
    return {"videos": amount.videos, "seconds": round(amount.seconds, 3)}


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
