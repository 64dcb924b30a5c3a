"""What a library in a file lists: files with their videos, and when each was indexed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from tempo_edge.store.embedded.columns import LONGEST_SECONDS, file_row
from tempo_edge.store.embedded.evidence import EvidenceTable
from tempo_edge.store.embedded.passes import within
from tempo_edge.store.embedded.schema import INDEXED_AT
from tempo_edge.store.listing import ListedVideo, PassShare

__all__ = ["ListingTable"]

_FILE = "path, volume, files.size, mtime_ns, state, reason, files.video_id"
_VIDEO = "codec, width, height, duration_seconds, frame_count"
# The largest whole number that SQLite knows.
_MOST = 2**63 - 1

_ORDERS = {
    "name": "path",
    "time": "files.video_id DESC, path",
    "length": "duration_seconds DESC, path",
    "size": "files.size DESC, path",
}


class ListingTable(EvidenceTable):
    """Files and videos side by side; what a public method does, its interface says.

    Libraries of before do not know when a video was indexed. Ids rise, so its order is known.
    """

    def _note_indexed(self, video_id: int, seconds: float | None) -> None:
        """Note when a video was indexed, in seconds since 1970; by default just now."""
        self._db.execute(INDEXED_AT)
        at = time.time() if seconds is None else seconds
        self._db.execute("INSERT INTO indexed_at VALUES (?, ?)", (video_id, at))

    def each_video(
        self, under: Path | None = None, order: str = "name", limit: int | None = None
    ) -> Iterator[ListedVideo]:
        """The files that were indexed, few of which are in memory at a time."""
        where, values = within(under)
        noted = self._has_now("indexed_at")
        at = "(SELECT seconds FROM indexed_at WHERE video_id=files.video_id)" if noted else "NULL"
        rows = self._db.execute(
            # Files on the left side: in their own order nothing needs to be sorted.
            f"SELECT {_FILE}, {_VIDEO}, {at} FROM files CROSS JOIN videos ON videos.id=video_id "
            f"WHERE state='indexed' AND {where} ORDER BY {_ORDERS[order]} LIMIT ?",
            (*values, -1 if limit is None else min(limit, _MOST)),
        )
        for row in rows:
            file, (codec, width, height, seconds, frames, noted_at) = row[:7], row[7:]
            read = self._columns(f"video {file[-1]}")
            yield ListedVideo(
                file_row(self.path, *file),
                read.text("codec", codec),
                read.whole("width", width),
                read.whole("height", height),
                read.duration(seconds),
                read.whole("frame_count", frames),
                None if noted_at is None else read.real("seconds", noted_at, 0.0, LONGEST_SECONDS),
                self._lines_of(file[-1]),
                self._passes_of(file[-1]),
            )

    def _lines_of(self, video_id: int) -> dict[str, int]:
        """How many lines of words a video has, by their kind."""
        if not self._has("words_read"):
            return {}
        rows = self._db.execute(
            "SELECT kind, count(*) FROM evidence WHERE video_id=? GROUP BY kind", (video_id,)
        )
        read = self._columns(f"a line of video {video_id}")
        return {read.text("kind", kind): int(count) for kind, count in rows}

    def _passes_of(self, video_id: int) -> dict[str, PassShare]:
        """How far each later pass is that has begun with a video."""
        if not self._has("passes"):
            return {}
        rows = self._db.execute(
            "SELECT kind, until_seconds, is_done FROM passes WHERE video_id=?", (video_id,)
        )
        read = self._columns(f"a pass over video {video_id}")
        return {
            read.text("kind", kind): PassShare(
                read.real("until_seconds", until, 0.0, LONGEST_SECONDS),
                bool(read.whole("is_done", is_done, high=1)),
            )
            for kind, until, is_done in rows
        }
