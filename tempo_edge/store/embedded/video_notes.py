"""Notes on videos among the stored facts of a library: remarks, and holes in what is shown."""

from __future__ import annotations

import json

from tempo_edge.store.embedded.columns import Columns
from tempo_edge.store.embedded.database import Database

__all__ = ["VideoNotes"]

# Before a video's id, the key of its remark among the stored facts, and that of its holes: a file
# of the same contents that turns up later is told of too, and libraries of before need no new
# column.
_REMARK, _HOLES = "remark of video ", "holes of video "


class VideoNotes(Database):
    """The notes on videos; what a public method does, its interface says."""

    def remark(self, video_id: int) -> str:
        """The remark made on a video when it was indexed: that it is damaged, say; or nothing."""
        return self.get_meta(f"{_REMARK}{video_id}") or ""

    def note_remark(self, video_id: int, remark: str) -> None:
        """Make a remark on a video, in the place of the one that there is."""
        self.set_meta(f"{_REMARK}{video_id}", remark)

    def _note_holes(self, video_id: int, holes: tuple[tuple[int, int], ...]) -> None:
        self.set_meta(f"{_HOLES}{video_id}", json.dumps(holes))

    def _holes(self, video_id: int) -> tuple[tuple[int, int], ...]:
        kept = self.get_meta(f"{_HOLES}{video_id}")
        try:
            read = [(before, after) for before, after in json.loads(kept or "[]")]
        except (TypeError, ValueError, RecursionError):
            read = [(None, None)]
        if any(type(tick) is not int or abs(tick) >= 2**63 for hole in read for tick in hole):
            row = Columns(self.path, f"video {video_id}")
            raise row.fault("holes", kept, "pairs of ticks")
        return tuple(read)

    def _prune_notes(self) -> None:
        """Drop the notes on videos that are not there."""
        for kind in (_REMARK, _HOLES):
            self._db.execute(
                "DELETE FROM meta WHERE substr(key, 1, ?)=? AND "
                "CAST(substr(key, ?) AS INTEGER) NOT IN (SELECT id FROM videos)",
                (len(kind), kind, len(kind) + 1),
            )
