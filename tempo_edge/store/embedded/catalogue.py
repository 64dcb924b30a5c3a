"""SQLite, the truth: which files were seen, which videos they hold, and the frames of each.

A video is its content: two files with the same bytes share one row of ``videos`` and one set of
frames. A video's rows are written in one transaction, so a killed run leaves whole videos only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge._files.spelling import spelled
from tempo_edge.errors import LibraryError
from tempo_edge.store.embedded.columns import (
    LONGEST_SECONDS,
    file_row,
    frame_row,
    video_row,
)
from tempo_edge.store.embedded.line_vector_table import LineVectorTable
from tempo_edge.store.embedded.listing import ListingTable
from tempo_edge.store.embedded.saved import SavedTable
from tempo_edge.store.embedded.video_notes import VideoNotes
from tempo_edge.store.interface import WritableCatalogue
from tempo_edge.store.listing import listed_in, paths_inside
from tempo_edge.store.rows import FileRow, FrameRow, VideoRow

__all__ = ["SqliteCatalogue"]

_FILE = "path, volume, size, mtime_ns, state, reason, video_id"
_BETWEEN = f"SELECT {_FILE} FROM files WHERE path>=? AND path<? ORDER BY path"


class SqliteCatalogue(LineVectorTable, ListingTable, SavedTable, VideoNotes, WritableCatalogue):
    """One library's rows; what a public method does, its interface says."""

    # What the profile makes; until it is known, rows must agree with each other.
    _dim: int | None = None
    _cells = 256

    def expect(self, dim: int, cells: int) -> None:
        """Refuse vectors of another length than ``dim``, and tokens of other than ``cells``."""
        self._dim, self._cells = dim, cells

    # -- the whole ---------------------------------------------------------------------------

    def frame_span(self) -> tuple[int, int]:
        """(number of frames, largest frame id): what a vector cache is built from."""
        return self._of_all("frame_span", self._frame_span)

    def _frame_span(self) -> tuple[int, int]:
        (count,) = self._db.execute("SELECT coalesce(sum(frame_count), 0) FROM videos").fetchone()
        (largest,) = self._db.execute("SELECT coalesce(max(id), 0) FROM frames").fetchone()
        return self._columns("all videos").whole("frame_count", count), int(largest)

    def totals(self) -> dict[str, float]:
        """Counts for ``status``: files by state, videos, frames, hours of footage."""
        states = dict(self._db.execute("SELECT state, count(*) FROM files GROUP BY state"))
        videos, frames, seconds, text = self._db.execute(
            "SELECT count(*), coalesce(sum(frame_count), 0), coalesce(sum(duration_seconds), 0), "
            "coalesce(sum(typeof(duration_seconds) NOT IN ('real', 'integer')), 0) FROM videos"
        ).fetchone()
        all_of_them = self._columns("all videos")
        all_of_them.whole("frame_count", frames)
        if text or not 0 <= seconds <= LONGEST_SECONDS:
            self.videos()  # which names the one
            raise all_of_them.fault("duration_seconds", seconds, "seconds")
        return {
            "files_indexed": int(states.get("indexed", 0)),
            "files_skipped": int(states.get("skipped", 0)),
            "videos": int(videos),
            "frames": int(frames),
            "hours": float(seconds) / 3600.0,
        }

    # -- files ---------------------------------------------------------------------------------

    def file(self, path: str) -> FileRow | None:
        """The row of one file, or None."""
        row = self._db.execute(f"SELECT {_FILE} FROM files WHERE path=?", (path,)).fetchone()
        return None if row is None else file_row(self.path, *row)

    def each_file(self, under: Path | None = None) -> Iterator[FileRow]:
        """The rows of :meth:`files` in the order of their paths, few at a time."""
        if under is None or str(under) == "/":
            rows = self._db.execute(f"SELECT {_FILE} FROM files ORDER BY path")
            yield from (file_row(self.path, *values) for values in rows)
            return
        if (row := self.file(spelled(under))) is not None:
            yield row
        yield from self._between(*paths_inside(spelled(under)))

    def _between(self, first: str, end: str) -> Iterator[FileRow]:
        """Rows of files from one path to before another."""
        for values in self._db.execute(_BETWEEN, (first, end)):
            yield file_row(self.path, *values)

    def listing(self, folder: str) -> tuple[list[FileRow], list[str]]:
        """Rows of the files in a folder, and the folders in it that hold others further down."""
        return listed_in(folder, self._between)

    def put_file(self, row: FileRow) -> None:
        """Insert or replace one file row."""
        self._db.execute(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)",
            (row.path, row.volume, row.size, row.mtime_ns, row.state, row.reason, row.video_id),
        )

    def drop_files(self, paths: Iterable[str]) -> None:
        """Forget files by path; videos that no file holds any more go with :meth:`prune`."""
        self._db.executemany("DELETE FROM files WHERE path=?", ((p,) for p in paths))

    def prune(self) -> int:
        """Drop the videos that no file holds, with their frames; gives how many."""
        cursor = self._db.execute(
            "DELETE FROM videos WHERE id NOT IN "
            "(SELECT video_id FROM files WHERE video_id IS NOT NULL)"
        )
        self._prune_notes()
        return cursor.rowcount

    def videos(self, limit: int | None = None, offset: int = 0) -> list[tuple[int, float]]:
        """(id, seconds) of the videos that some file holds, in the order of their ids."""
        rows = self._db.execute(
            "SELECT id, duration_seconds FROM videos WHERE EXISTS "
            "(SELECT 1 FROM files WHERE files.video_id=videos.id) ORDER BY id LIMIT ? OFFSET ?",
            (-1 if limit is None else limit, offset),
        )
        return [
            (int(video), self._columns(f"video {video}").duration(seconds))
            for video, seconds in rows
        ]

    def files_of(self, video_id: int) -> list[FileRow]:
        """Every file that holds a video, by path."""
        rows = self._db.execute(
            f"SELECT {_FILE} FROM files WHERE video_id=? ORDER BY path", (video_id,)
        )
        return [file_row(self.path, *row) for row in rows]

    # -- videos and frames -----------------------------------------------------------------------

    def video_by_hash(self, content_hash: bytes) -> int | None:
        """The video with these contents, if the library has it."""
        row = self._db.execute(
            "SELECT id FROM videos WHERE content_hash=?", (content_hash,)
        ).fetchone()
        return None if row is None else int(row[0])

    def put_video(
        self,
        content_hash: bytes,
        video: VideoRow,
        frames: Sequence[FrameRow],
        curve: NDArray[np.float32],
        remark: str = "",
        indexed_seconds: float | None = None,
    ) -> int:
        """Insert a video with its frames, if no video has these contents; gives its id."""
        known = self.video_by_hash(content_hash)
        if known is not None:
            return known
        cursor = self._db.execute(
            "INSERT INTO videos (content_hash, codec, width, height, duration_seconds, rate, "
            "time_base, start_time, frame_count, curve) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                content_hash,
                video.codec,
                video.width,
                video.height,
                video.duration_seconds,
                None if video.rate is None else str(video.rate),
                str(video.time_base),
                str(video.start_time),
                len(frames),
                curve.astype("<f4").tobytes(),
            ),
        )
        video_id = cursor.lastrowid
        assert video_id is not None
        self._db.executemany(
            "INSERT INTO frames (video_id, pts, variation, cut, vector, cells, tokens) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    video_id,
                    frame.pts,
                    frame.variation,
                    int(frame.cut),
                    frame.vector.tobytes(),
                    frame.cells.tobytes(),
                    frame.tokens.tobytes(),
                )
                for frame in frames
            ),
        )
        self._note_indexed(video_id, indexed_seconds)
        if remark:
            self.note_remark(video_id, remark)
        if video.holes:
            self._note_holes(video_id, video.holes)
        return video_id

    def video(self, video_id: int) -> VideoRow:
        """A video's facts.

        Raises:
            LibraryError: the library has no such video.
        """
        row = self._db.execute(
            "SELECT codec, width, height, duration_seconds, rate, time_base, start_time "
            "FROM videos WHERE id=?",
            (video_id,),
        ).fetchone()
        if row is None:
            raise LibraryError(f"there is no video {video_id} in {self.path}")
        return video_row(self._columns(f"video {video_id}"), self._holes(video_id), *row)

    def curve(self, video_id: int) -> NDArray[np.float32]:
        """The variation curve measured while indexing: ``[n, 2]`` (seconds, variation)."""
        row = self._db.execute("SELECT curve FROM videos WHERE id=?", (video_id,)).fetchone()
        if row is None:
            raise LibraryError(f"there is no video {video_id} in {self.path}")
        return self._columns(f"video {video_id}").floats("curve", row[0], 2)

    def variations(self, video_id: int) -> NDArray[np.float32]:
        """How much the picture had changed at each frame that was kept, in time order: ``[n]``."""
        rows = self._db.execute(
            "SELECT variation FROM frames WHERE video_id=? ORDER BY pts", (video_id,)
        )
        read = self._columns(f"a frame of video {video_id}")
        return read.reals("variation", [row[0] for row in rows])

    def frame_keys(self, ids: Sequence[int]) -> list[tuple[int, int, int]]:
        """(id, video id, pts) of those frames among ``ids`` that some file still shows."""
        found: list[tuple[int, int, int]] = []
        for start in range(0, len(ids), 500):
            part = ids[start : start + 500]
            marks = ",".join("?" * len(part))
            found += self._db.execute(
                f"SELECT id, video_id, pts FROM frames WHERE id IN ({marks}) "
                "AND EXISTS (SELECT 1 FROM files WHERE files.video_id=frames.video_id)",
                part,
            ).fetchall()
        read = self._columns("a frame")
        read.wholes("video_id", [video for _, video, _ in found])
        read.wholes("pts", [pts for _, _, pts in found])
        return found

    def frames_between(
        self, video_id: int, first_pts: int, last_pts: int
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int8]]:
        """Frames of a stretch in time order: pts ``[n]``, cuts ``[n]``, vectors ``[n, d]``."""
        rows = self._db.execute(
            "SELECT pts, cut, vector FROM frames WHERE video_id=? AND pts>=? AND pts<=? "
            "ORDER BY pts",
            (video_id, *_ticks(first_pts, last_pts)),
        ).fetchall()
        read = self._columns(f"a frame of video {video_id}")
        pts = read.wholes("pts", [row[0] for row in rows])
        cuts = read.wholes("cut", [row[1] for row in rows]).astype(np.bool_)
        return pts, cuts, read.vectors("vector", [row[2] for row in rows], self._dim)

    def frames_of(self, video_id: int, first_pts: int, last_pts: int) -> list[FrameRow]:
        """Frames of a stretch in time order, with the tokens that they were granted."""
        rows = self._db.execute(
            "SELECT pts, variation, cut, vector, cells, tokens FROM frames "
            "WHERE video_id=? AND pts>=? AND pts<=? ORDER BY pts",
            (video_id, *_ticks(first_pts, last_pts)),
        ).fetchall()
        frame = f"frame {{}} of video {video_id}"
        return [
            frame_row(self._columns(frame.format(row[0])), self._dim, self._cells, *row)
            for row in rows
        ]

    def next_pts(self, video_id: int, pts: int) -> int | None:
        """Time stamp of the first frame after ``pts``, or None at the end of the video."""
        row = self._db.execute(
            "SELECT min(pts) FROM frames WHERE video_id=? AND pts>?", (video_id, pts)
        ).fetchone()
        if row[0] is None:
            return None
        return int(self._columns(f"a frame of video {video_id}").wholes("pts", row)[0])

    def count_frames(self, videos: Sequence[int] | None = None) -> int:
        """How many frames these videos have together; by default all."""
        if videos is None:
            return self.frame_span()[0]
        self._choose(videos)
        (count,) = self._db.execute(
            "SELECT coalesce(sum(frame_count), 0) FROM videos WHERE id IN temp.chosen"
        ).fetchone()
        return self._columns("some videos").whole("frame_count", count)

    def frame_ids(self, videos: Sequence[int]) -> NDArray[np.int64]:
        """Ids of all frames of these videos, ``[n]``, rising."""
        # A video's frames are put one after the other: to tell the first and the last is enough.
        known = self._of_all("frame_ids", dict[int, NDArray[np.int64]])
        self._choose([video for video in videos if video not in known])
        rows = self._db.execute(
            "SELECT video_id, min(id), max(id), count(*) FROM frames "
            "WHERE video_id IN temp.chosen GROUP BY video_id"
        ).fetchall()
        for video, first, last, count in rows:
            known[video] = np.asarray([[first, last]])
            if last - first + 1 != count:
                ids = self._db.execute("SELECT id FROM frames WHERE video_id=?", (video,))
                known[video] = np.asarray([[each, each] for (each,) in ids])
        spans = [known[video] for video in set(videos) if video in known]
        first, last = np.sort(np.concatenate([np.zeros((0, 2), np.int64), *spans]), axis=0).T
        counts = last - first + 1
        before = np.cumsum(counts) - counts
        return np.repeat(first - before, counts) + np.arange(counts.sum())

    def vectors_of(
        self, videos: Sequence[int], batch: int = 8192
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int8]]]:
        """Batches of (ids ``[n]``, vectors ``[n, d]``) of all frames of these videos, by id."""
        self._choose(videos)
        cursor = self._db.execute(
            "SELECT id, vector FROM frames WHERE video_id IN temp.chosen ORDER BY id"
        )
        while rows := cursor.fetchmany(batch):
            yield self._packed(rows)

    def vectors_of_frames(
        self, frames: Sequence[int]
    ) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
        """Ids ``[n]`` and vectors ``[n, d]`` of those of these frames that there are, by id."""
        rows: list[tuple[Any, Any]] = []
        for start in range(0, len(frames), 500):
            part = frames[start : start + 500]
            marks = ",".join("?" * len(part))
            query = f"SELECT id, vector FROM frames WHERE id IN ({marks})"
            rows += self._db.execute(query, part).fetchall()
        return self._packed(sorted(rows))

    def count_after(self, frame_id: int) -> int:
        """How many frames have a larger id."""
        (count,) = self._db.execute(
            "SELECT count(*) FROM frames WHERE id>?", (frame_id,)
        ).fetchone()
        return int(count)

    def vectors_after(
        self, frame_id: int, batch: int = 65536
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int8]]]:
        """Batches of (ids ``[n]``, vectors ``[n, d]``) of all frames with a larger id."""
        cursor = self._db.execute(
            "SELECT id, vector FROM frames WHERE id>? ORDER BY id", (frame_id,)
        )
        while rows := cursor.fetchmany(batch):
            yield self._packed(rows)

    def _packed(
        self, rows: Sequence[tuple[Any, Any]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
        """Ids ``[n]`` and vectors ``[n, d]`` of rows of both."""
        ids = np.asarray([row[0] for row in rows], dtype=np.int64)
        span = f"{ids[0]} to {ids[-1]}" if len(ids) else ""
        read = self._columns(f"one of frames {span}")
        return ids, read.vectors("vector", [row[1] for row in rows], self._dim)

    def contents_of_frame(self, frame_id: int) -> str:
        """Hash of the video that a frame belongs to, or nothing if there is no such frame."""
        row = self._db.execute(
            "SELECT content_hash FROM videos JOIN frames ON videos.id=frames.video_id "
            "WHERE frames.id=?",
            (frame_id,),
        ).fetchone()
        if row is None:
            return ""
        return self._columns(f"the video of frame {frame_id}").bytes("content_hash", row[0]).hex()


def _ticks(first: int, last: int) -> tuple[int, int]:
    """A stretch of ticks within those that a library can hold."""
    return max(first, -(2**63)), min(last, 2**63 - 1)
