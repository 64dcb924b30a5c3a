"""What a library on a server lists: files with their videos."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tempo_edge.store.listing import ListedVideo, PassShare
from tempo_edge.store.postgres.evidence import EvidenceTable
from tempo_edge.store.postgres.passes import FILE, within
from tempo_edge.store.rows import FileRow

__all__ = ["ListingTable"]

_VIDEO = "codec, width, height, duration_seconds, frame_count, indexed_seconds"
_LINES = (
    "(SELECT json_object_agg(kind, lines) FROM (SELECT kind, count(*) AS lines FROM evidence "
    "WHERE evidence.video_id=videos.id GROUP BY kind) AS counted)"
)
_PASSES = (
    "(SELECT json_object_agg(kind, json_build_array(until_seconds, is_done)) FROM passes "
    "WHERE passes.video_id=videos.id)"
)
# The largest whole number that PostgreSQL takes for a limit.
_MOST = 2**63 - 1

_ORDERS = {
    "name": "path",
    "time": "files.video_id DESC, path",
    "length": "duration_seconds DESC, path",
    "size": "files.size DESC, path",
}


class ListingTable(EvidenceTable):
    """Files and videos side by side; what a public method does, its interface says."""

    def each_video(
        self, under: Path | None = None, order: str = "name", limit: int | None = None
    ) -> Iterator[ListedVideo]:
        """The files that were indexed, few of which are in memory at a time."""
        where, values = within(under)
        most = None if limit is None else min(limit, _MOST)
        rows = self._each(
            f"SELECT {FILE}, {_VIDEO}, {_LINES}, {_PASSES} FROM files "
            "JOIN videos ON videos.id=files.video_id "
            f"WHERE state='indexed' AND {where} ORDER BY {_ORDERS[order]} LIMIT %s",
            (*values, most),
        )
        for row in rows:
            yield _listed(*row)


def _listed(*row: Any) -> ListedVideo:
    file, facts = row[:7], row[7:]
    codec, width, height, seconds, frames, indexed, lines, passes = facts
    shares = {kind: PassShare(*share) for kind, share in (passes or {}).items()}
    video = codec, width, height, seconds, frames, indexed
    return ListedVideo(FileRow(*file), *video, lines or {}, shares)
