"""A library's rows in PostgreSQL: which files were seen, which videos they hold, frames of each.

A video is its content: two files with the same bytes share one row of ``videos`` and one set of
frames, and whoever puts it again gets what is there. Frames are partitioned by the profile that
looked at them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector

from tempo_edge._files.spelling import spelled
from tempo_edge.errors import LibraryError
from tempo_edge.store.embedded.columns import Columns, frame_row, video_row
from tempo_edge.store.interface import WritableCatalogue
from tempo_edge.store.listing import listed_in, paths_inside
from tempo_edge.store.postgres.halves import as_bytes, eight_bits
from tempo_edge.store.postgres.line_vector_table import LineVectorTable
from tempo_edge.store.postgres.listing import ListingTable
from tempo_edge.store.postgres.passes import FILE
from tempo_edge.store.postgres.saved import SavedTable
from tempo_edge.store.postgres.trouble import told
from tempo_edge.store.rows import FileRow, FrameRow, VideoRow

__all__ = ["PostgresCatalogue"]

# Files that are read at a time.
_AT_ONCE = 2000

_FRAME = "profile, video_id, pts, variation, cut, vector, cells, tokens"


class PostgresCatalogue(LineVectorTable, ListingTable, SavedTable, WritableCatalogue):
    """One library's rows; what a public method does, its interface says."""

    # What the profile makes; until it is known, rows must agree with each other.
    _dim: int | None = None
    _cells = 256

    def expect(self, dim: int, cells: int) -> None:
        """Refuse vectors of another length than ``dim``, and tokens of other than ``cells``."""
        self._dim, self._cells = dim, cells

    @property
    def dim(self) -> int | None:
        """The length of vectors, where it is known."""
        return self._dim

    def totals(self) -> dict[str, float]:
        """Counts for ``status``: files by state, videos, frames, hours of footage."""
        indexed, skipped, videos, frames, seconds = self._one(
            "SELECT (SELECT count(*) FROM files WHERE state='indexed'), "
            "(SELECT count(*) FROM files WHERE state='skipped'), count(*), "
            "coalesce(sum(frame_count), 0)::bigint, coalesce(sum(duration_seconds), 0) FROM videos"
        )
        return {
            "files_indexed": int(indexed),
            "files_skipped": int(skipped),
            "videos": int(videos),
            "frames": int(frames),
            "hours": float(seconds) / 3600.0,
        }

    # -- files ---------------------------------------------------------------------------------

    def file(self, path: str) -> FileRow | None:
        """The row of one file, or None."""
        return self._file(path)

    def _file(self, path: str) -> FileRow | None:
        row = self._one(f"SELECT {FILE} FROM files WHERE path=%s", (path,))
        return None if row is None else FileRow(*row)

    def each_file(self, under: Path | None = None) -> Iterator[FileRow]:
        """The rows of :meth:`files` in the order of their paths, few at a time."""
        if under is None:
            yield from self._between("", None)
            return
        if str(under) == "/":
            yield from self._between(*paths_inside("/"))
            return
        if (row := self._file(spelled(under))) is not None:
            yield row
        yield from self._between(*paths_inside(spelled(under)))

    def _between(self, first: str, end: str | None) -> Iterator[FileRow]:
        """Rows of files from one path to before another, or to the last one."""
        comparison = ">="
        while True:
            rows = self._run(
                f"SELECT {FILE} FROM files WHERE path{comparison}%s "
                f"AND (%s::text IS NULL OR path<%s) ORDER BY path LIMIT {_AT_ONCE}",
                (first, end, end),
            ).fetchall()
            yield from (FileRow(*row) for row in rows)
            if len(rows) < _AT_ONCE:
                return
            first, comparison = rows[-1][0], ">"

    def listing(self, folder: str) -> tuple[list[FileRow], list[str]]:
        """Rows of the files in a folder, and the folders in it that hold others further down."""
        return listed_in(folder, self._between)

    def put_file(self, row: FileRow) -> None:
        """Insert or replace one file row; what was noted of the one before goes with it."""
        with self._writing():
            self._run("DELETE FROM files WHERE path=%s", (row.path,))
            self._run(
                "INSERT INTO files VALUES (%s, %s, %s, %s, %s, %s, %s)",
                (row.path, row.volume, row.size, row.mtime_ns, row.state, row.reason, row.video_id),
            )

    def drop_files(self, paths: Iterable[str]) -> None:
        """Forget files by path; videos that no file holds any more go with :meth:`prune`."""
        with self._writing():
            self._run("DELETE FROM files WHERE path=ANY(%s::text[])", (list(paths),))

    def prune(self) -> int:
        """Drop the videos that no file holds, with all that is of them; gives how many."""
        with self._writing():
            return self._run(
                "DELETE FROM videos WHERE NOT EXISTS "
                "(SELECT 1 FROM files WHERE files.video_id=videos.id)"
            ).rowcount

    def videos(self, limit: int | None = None, offset: int = 0) -> list[tuple[int, float]]:
        """(id, seconds) of the videos that some file holds, in the order of their ids."""
        return self._run(
            "SELECT id, duration_seconds FROM videos WHERE EXISTS "
            "(SELECT 1 FROM files WHERE files.video_id=videos.id) ORDER BY id LIMIT %s OFFSET %s",
            (limit, offset),
        ).fetchall()

    def files_of(self, video_id: int) -> list[FileRow]:
        """Every file that holds a video, by path."""
        rows = self._run(f"SELECT {FILE} FROM files WHERE video_id=%s ORDER BY path", (video_id,))
        return [FileRow(*row) for row in rows]

    # -- videos --------------------------------------------------------------------------------

    def video_by_hash(self, content_hash: bytes) -> int | None:
        """The video with these contents, if the library has it."""
        row = self._one("SELECT id FROM videos WHERE content_hash=%s", (content_hash,))
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
        with self._writing():
            row = self._one(
                "INSERT INTO videos (content_hash, codec, width, height, duration_seconds, rate, "
                "time_base, start_time, frame_count, curve, remark, holes, indexed_seconds) "
                f"VALUES ({', '.join(['%s'] * 11)}, %s::bigint[], "
                # The clock is the server's: another machine's may be an hour off.
                "coalesce(%s::float8, extract(epoch FROM clock_timestamp()))) "
                "ON CONFLICT (content_hash) DO NOTHING RETURNING id",
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
                    remark,
                    list(chain.from_iterable(video.holes)),
                    indexed_seconds,
                ),
            )
            if row is None:
                known = self.video_by_hash(content_hash)
                assert known is not None
                return known
            self._put_frames(int(row[0]), frames)
        return int(row[0])

    def _put_frames(self, video_id: int, frames: Sequence[FrameRow]) -> None:
        profile = self.get_meta("profile") or ""
        if frames:
            self._have_partition(profile)
        types: list[int | str] = ["text", "int8", "int8", "float8", "bool"]
        types += [self._vector_type, "bytea", "bytea"]
        with (
            told(self.name),
            self._db.cursor() as cursor,
            cursor.copy(f"COPY frames ({_FRAME}) FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.set_types(types)
            for frame in frames:
                copy.write_row(
                    (
                        profile,
                        video_id,
                        int(frame.pts),
                        float(frame.variation),
                        bool(frame.cut),
                        HalfVector(frame.vector.astype(np.float16)),
                        frame.cells.tobytes(),
                        frame.tokens.tobytes(),
                    )
                )

    def _have_partition(self, profile: str) -> None:
        """Have a place for the frames of a profile; who reads the others waits for nothing."""
        if self._one("SELECT 1 FROM profiles WHERE profile=%s", (profile,)) is not None:
            return
        (count,) = self._one("SELECT count(*) FROM profiles")
        name = f"frames_{count}"
        self._run(f"CREATE TABLE {name} (LIKE frames INCLUDING DEFAULTS INCLUDING STORAGE)")
        (literal,) = self._one("SELECT quote_literal(%s)", (profile,))
        self._run(f"ALTER TABLE frames ATTACH PARTITION {name} FOR VALUES IN ({literal})")
        self._run("INSERT INTO profiles VALUES (%s, %s)", (profile, name))

    def video(self, video_id: int) -> VideoRow:
        """A video's facts.

        Raises:
            LibraryError: the library has no such video.
        """
        *values, holes = self._of_video(
            "codec, width, height, duration_seconds, rate, time_base, start_time, holes", video_id
        )
        pairs = tuple(zip(holes[::2], holes[1::2], strict=True))
        return video_row(Columns(self.name, f"video {video_id}"), pairs, *values)

    def curve(self, video_id: int) -> NDArray[np.float32]:
        """The variation curve measured while indexing: ``[n, 2]`` (seconds, variation)."""
        (curve,) = self._of_video("curve", video_id)
        return Columns(self.name, f"video {video_id}").floats("curve", curve, 2)

    def _of_video(self, columns: str, video_id: int) -> Any:
        row = self._one(f"SELECT {columns} FROM videos WHERE id=%s", (video_id,))
        if row is None:
            raise LibraryError(f"there is no video {video_id} in {self.name}")
        return row

    def remark(self, video_id: int) -> str:
        """The remark made on a video when it was indexed: that it is damaged, say; or nothing."""
        row = self._one("SELECT remark FROM videos WHERE id=%s", (video_id,))
        return "" if row is None else str(row[0])

    def note_remark(self, video_id: int, remark: str) -> None:
        """Make a remark on a video, in the place of the one that there is."""
        with self._writing():
            self._run("UPDATE videos SET remark=%s WHERE id=%s", (remark, video_id))

    # -- frames --------------------------------------------------------------------------------

    def variations(self, video_id: int) -> NDArray[np.float32]:
        """How much the picture had changed at each frame that was kept, in time order: ``[n]``."""
        rows = self._run("SELECT variation FROM frames WHERE video_id=%s ORDER BY pts", (video_id,))
        return np.asarray([row[0] for row in rows], dtype=np.float32)

    def frame_keys(self, ids: Sequence[int]) -> list[tuple[int, int, int]]:
        """(id, video id, pts) of those frames among ``ids`` that some file still shows."""
        return self._run(
            "SELECT id, video_id, pts FROM frames WHERE id=ANY(%s::bigint[]) "
            "AND EXISTS (SELECT 1 FROM files WHERE files.video_id=frames.video_id) ORDER BY id",
            (list(ids),),
        ).fetchall()

    def frames_between(
        self, video_id: int, first_pts: int, last_pts: int
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int8]]:
        """Frames of a stretch in time order: pts ``[n]``, cuts ``[n]``, vectors ``[n, d]``."""
        rows = self._stretch("pts, cut, vector", video_id, first_pts, last_pts)
        pts = np.asarray([row[0] for row in rows], dtype=np.int64)
        cuts = np.asarray([row[1] for row in rows], dtype=np.bool_)
        vectors = [row[2] for row in rows]
        return pts, cuts, eight_bits(self.name, f"a frame of video {video_id}", vectors, self._dim)

    def frames_of(self, video_id: int, first_pts: int, last_pts: int) -> list[FrameRow]:
        """Frames of a stretch in time order, with the tokens that they were granted."""
        rows = self._stretch(
            "pts, variation, cut, vector, cells, tokens", video_id, first_pts, last_pts
        )
        frames = []
        for pts, variation, cut, vector, cells, tokens in rows:
            read = Columns(self.name, f"frame {pts} of video {video_id}")
            values = pts, variation, cut, as_bytes(vector), cells, tokens
            frames.append(frame_row(read, self._dim, self._cells, *values))
        return frames

    def _stretch(self, columns: str, video_id: int, first: int, last: int) -> list[Any]:
        return self._run(
            f"SELECT {columns} FROM frames WHERE video_id=%s AND pts>=%s AND pts<=%s ORDER BY pts",
            (video_id, max(first, -(2**63)), min(last, 2**63 - 1)),
        ).fetchall()

    def next_pts(self, video_id: int, pts: int) -> int | None:
        """Time stamp of the first frame after ``pts``, or None at the end of the video."""
        (found,) = self._one(
            "SELECT min(pts) FROM frames WHERE video_id=%s AND pts>%s", (video_id, pts)
        )
        return None if found is None else int(found)

    def count_frames(self, videos: Sequence[int] | None = None) -> int:
        """How many frames these videos have together; by default all."""
        (count,) = self._one(
            "SELECT coalesce(sum(frame_count), 0)::bigint FROM videos "
            "WHERE %s::bigint[] IS NULL OR id=ANY(%s::bigint[])",
            (None if videos is None else list(videos),) * 2,
        )
        return int(count)

    def fetch(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """The rows that a statement gives, for what searches vectors."""
        return self._run(statement, values).fetchall()
