"""How far later passes are with each video: rows of ``passes``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tempo_edge._files.spelling import spelled
from tempo_edge.store.listing import paths_inside
from tempo_edge.store.passes import PassState, PassTotals
from tempo_edge.store.postgres.captures import CaptureTable
from tempo_edge.store.rows import FileRow

__all__ = ["FILE", "PassTable", "within"]

_STATE = "mark, until_seconds, is_done, notes, remark"

#: The columns of a file's row.
FILE = ", ".join(
    f"files.{name}"
    for name in ("path", "volume", "size", "mtime_ns", "state", "reason", "video_id")
)


def within(under: Path | None) -> tuple[str, tuple[str, ...]]:
    """(what is so of paths at or under one, in SQL; what stands for its placeholders)."""
    if under is None:
        return "true", ()
    if str(under) == "/":
        return "(path>='/' AND path<'0')", ()
    return "(path=%s OR (path>=%s AND path<%s))", (top := spelled(under), *paths_inside(top))


class PassTable(CaptureTable):
    """The rows of ``passes``; what a public method does, its interface says."""

    def pass_state(self, kind: str, video_id: int) -> PassState | None:
        """How far a pass is with a video; None where it has not begun."""
        row = self._one(
            f"SELECT {_STATE} FROM passes WHERE video_id=%s AND kind=%s", (video_id, kind)
        )
        return None if row is None else PassState(*row)

    def pass_totals(self, kind: str) -> PassTotals:
        """How far a pass is with all videos that some file holds."""
        done, videos, read, seconds = self._one(
            "SELECT count(*) FILTER (WHERE is_done), count(*), coalesce(sum(CASE WHEN is_done THEN "
            "duration_seconds ELSE least(until_seconds, duration_seconds) END) "
            "FILTER (WHERE passes.kind IS NOT NULL), 0), coalesce(sum(duration_seconds), 0) "
            "FROM videos LEFT JOIN passes ON passes.video_id=videos.id AND passes.kind=%s "
            "WHERE EXISTS (SELECT 1 FROM files WHERE files.video_id=videos.id)",
            (kind,),
        )
        return PassTotals(int(done), int(videos), float(read), float(seconds))

    def pass_remarks(self, under: Path | None = None) -> Iterator[tuple[str, str]]:
        """(path, remark) of the files that some pass has something to say about, by path."""
        where, values = within(under)
        yield from self._each(
            "SELECT path, remark FROM passes JOIN files ON files.video_id=passes.video_id "
            f"WHERE remark<>'' AND {where} ORDER BY path, kind",
            values,
        )

    def files_due(self, kind: str, mark: str, under: Path) -> list[FileRow]:
        """The files at or under a path that a pass is not done with, by path."""
        where, values = within(under)
        rows = self._run(
            f"SELECT {FILE} FROM files LEFT JOIN passes "
            "ON passes.video_id=files.video_id AND passes.kind=%s "
            "WHERE files.video_id IS NOT NULL AND (mark IS NULL OR mark<>%s OR NOT is_done) "
            f"AND {where} ORDER BY path",
            (kind, mark, *values),
        )
        return [FileRow(*row) for row in rows]

    def note_pass(self, kind: str, video_id: int, state: PassState) -> None:
        """Note how far a pass is with a video."""
        replaced = ", ".join(f"{name}=excluded.{name}" for name in _STATE.split(", "))
        with self._writing():
            self._run(
                f"INSERT INTO passes (video_id, kind, {_STATE}) VALUES (%s, %s, %s, %s, %s, %s, %s)"
                f" ON CONFLICT (video_id, kind) DO UPDATE SET {replaced}",
                (
                    video_id,
                    kind,
                    state.mark,
                    state.until_seconds,
                    state.is_done,
                    state.notes,
                    state.remark,
                ),
            )
