"""How far later passes are with each video: rows of ``passes``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tempo_edge._files.spelling import spelled
from tempo_edge.store.embedded.captures import CaptureTable
from tempo_edge.store.embedded.columns import LONGEST_SECONDS, file_row
from tempo_edge.store.listing import paths_inside
from tempo_edge.store.passes import PassState, PassTotals
from tempo_edge.store.rows import FileRow

__all__ = ["WITHIN", "PassTable", "within"]

_STATE = "mark, until_seconds, is_done, notes, remark"
_FILE = "path, volume, size, mtime_ns, state, reason, files.video_id"

#: What is so of paths at or under one, in SQL; :func:`within` has what stands for the marks.
WITHIN = "(path=? OR (path>=? AND path<?))"


def within(under: Path | None) -> tuple[str, tuple[str, ...]]:
    """(what is so of paths at or under one, in SQL; what stands for its question marks)."""
    if under is None or str(under) == "/":
        return "1", ()
    top = spelled(under)
    return WITHIN, (top, *paths_inside(top))


class PassTable(CaptureTable):
    """The rows of ``passes``; what a public method does, its interface says.

    Libraries of before have none, and whoever reads one of these finds that no pass has begun.
    """

    def pass_state(self, kind: str, video_id: int) -> PassState | None:
        """How far a pass is with a video; None where it has not begun."""
        if not self._has("passes"):
            return None
        row = self._db.execute(
            f"SELECT {_STATE} FROM passes WHERE video_id=? AND kind=?", (video_id, kind)
        ).fetchone()
        if row is None:
            return None
        mark, until, is_done, notes, remark = row
        read = self._columns(f"the pass {kind!r} of video {video_id}")
        return PassState(
            read.text("mark", mark),
            read.real("until_seconds", until, 0.0, LONGEST_SECONDS),
            bool(read.whole("is_done", is_done, high=1)),
            read.text("notes", notes),
            read.text("remark", remark),
        )

    def pass_totals(self, kind: str) -> PassTotals:
        """How far a pass is with all videos that some file holds."""
        held = "EXISTS (SELECT 1 FROM files WHERE files.video_id=videos.id)"
        videos, seconds = self._db.execute(
            f"SELECT count(*), coalesce(sum(duration_seconds), 0) FROM videos WHERE {held}"
        ).fetchone()
        done, read = 0, 0.0
        if self._has("passes"):
            done, read = self._db.execute(
                "SELECT coalesce(sum(is_done), 0), coalesce(sum(CASE WHEN is_done THEN "
                "duration_seconds ELSE min(until_seconds, duration_seconds) END), 0) "
                f"FROM passes JOIN videos ON videos.id=video_id WHERE kind=? AND {held}",
                (kind,),
            ).fetchone()
        return PassTotals(int(done), int(videos), float(read), float(seconds))

    def pass_remarks(self, under: Path | None = None) -> Iterator[tuple[str, str]]:
        """(path, remark) of the files that some pass has something to say about, by path."""
        if not self._has("passes"):
            return
        where, values = within(under)
        rows = self._db.execute(
            "SELECT path, remark FROM passes JOIN files ON files.video_id=passes.video_id "
            f"WHERE remark<>'' AND {where} ORDER BY path, kind",
            values,
        )
        for path, remark in rows:
            read = self._columns(f"a pass over file {path!r}")
            yield read.text("path", path), read.text("remark", remark)

    def files_due(self, kind: str, mark: str, under: Path) -> list[FileRow]:
        """The files at or under a path that a pass is not done with, by path."""
        where, values = within(under)
        rows = self._db.execute(
            f"SELECT {_FILE} FROM files LEFT JOIN passes "
            "ON passes.video_id=files.video_id AND passes.kind=? "
            "WHERE files.video_id IS NOT NULL AND (mark IS NULL OR mark<>? OR NOT is_done) "
            f"AND {where} ORDER BY path",
            (kind, mark, *values),
        )
        return [file_row(self.path, *row) for row in rows.fetchall()]

    def note_pass(self, kind: str, video_id: int, state: PassState) -> None:
        """Note how far a pass is with a video."""
        self._db.execute(
            f"INSERT OR REPLACE INTO passes (video_id, kind, {_STATE}) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                video_id,
                kind,
                state.mark,
                state.until_seconds,
                int(state.is_done),
                state.notes,
                state.remark,
            ),
        )
