"""When, where and by what videos were taken: rows of ``captures``, one for each file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from tempo_edge.capture.facts import Capture, Coordinates, Instant
from tempo_edge.filters import Circle, Filters
from tempo_edge.store.capture_row import (
    EVER,
    FACTS,
    camera_names,
    cameras_like,
    clocks,
    facts_of,
    known,
    rank_of,
)
from tempo_edge.store.embedded.contents import ContentsTable

__all__ = ["CaptureTable"]

# Paths that are asked about at once.
_AT_ONCE = 500

# Whether no file of the same video is trusted more.
_IS_BEST = (
    "NOT EXISTS (SELECT 1 FROM captures AS other WHERE other.video_id=captures.video_id "
    "AND other.rank<captures.rank)"
)
_IS_HELD = "EXISTS (SELECT 1 FROM files WHERE files.video_id=videos.id)"


class CaptureTable(ContentsTable):
    """The rows of ``captures``; what a public method does, its interface says.

    Libraries of before have none, and whoever reads one of these finds nothing known.
    """

    def note_capture(self, path: str, mark: str, capture: Capture) -> None:
        """Note a file's capture, until the file is put again."""
        self._db.execute(
            f"INSERT OR REPLACE INTO captures (path, video_id, mark, rank, {FACTS}) "
            "VALUES (?, (SELECT video_id FROM files WHERE path=?), ?, ?, ?, ?, ?, ?, ?, ?, ?, "
            "?, ?, ?)",
            (path, path, mark, rank_of(capture), *facts_of(capture)),
        )

    def capture_marks(self, paths: Sequence[str]) -> dict[str, str]:
        """By path, the mark of those files among some whose capture was noted."""
        found: dict[str, str] = {}
        for start in range(0, len(paths), _AT_ONCE):
            part = paths[start : start + _AT_ONCE]
            slots = ",".join("?" * len(part))
            rows = self._db.execute(
                f"SELECT path, mark FROM captures WHERE path IN ({slots})", part
            )
            found.update(rows.fetchall())
        return found

    def capture(self, video_id: int) -> Capture | None:
        """When, where and by what a video was taken; None where no file's capture was noted."""
        if not self._has("captures"):
            return None
        rows = self._db.execute(
            f"SELECT {FACTS} FROM captures WHERE video_id=? ORDER BY rank, path", (video_id,)
        ).fetchall()
        found: Capture | None = None
        for row in rows:
            said = self._capture(video_id, *row)
            found = said if found is None else found.or_else(said)
        return found

    def file_capture(self, path: str) -> tuple[str, Capture] | None:
        """(mark, capture) as they were noted of one file, or None."""
        if not self._has("captures"):
            return None
        row = self._db.execute(
            f"SELECT mark, video_id, {FACTS} FROM captures WHERE path=?", (path,)
        ).fetchone()
        if row is None:
            return None
        read = self._columns(f"the capture of file {path!r}")
        return read.text("mark", row[0]), self._capture(*row[1:])

    def taken(self) -> dict[int, Capture]:
        """By video, when it was taken and who says so, of those of which that is known."""
        found: dict[int, Capture] = {}
        if not self._has("captures"):
            return found
        rows = self._db.execute(
            "SELECT video_id, taken_from, clock, is_utc, is_day, zone FROM captures "
            "WHERE clock IS NOT NULL ORDER BY video_id, rank, path"
        )
        for video, *said in rows:
            if video not in found:
                found[video] = self._capture(video, *said, None, None, "", "", "")
        return found

    def _capture(self, video_id: int, source: Any, clock: Any, *facts: Any) -> Capture:
        is_utc, is_day, zone, latitude, longitude, *names = facts
        read = self._columns(f"the capture of video {video_id}")
        instant = None
        if clock is not None:
            seconds = read.whole("clock", clock, -EVER, EVER)
            try:
                shown = datetime(1970, 1, 1) + timedelta(seconds=seconds)
            except OverflowError:
                raise read.fault("clock", clock, "a time of a calendar") from None
            offset = None if zone is None else read.whole("zone", zone, -1440, 1440)
            is_utc, is_day = (
                bool(read.whole(name, value, high=1))
                for name, value in (("is_utc", is_utc), ("is_day", is_day))
            )
            instant = Instant(shown, offset, is_utc, is_day)
        where = None
        if latitude is not None or longitude is not None:
            north = read.real("latitude", latitude, -90, 90)
            where = Coordinates(north, read.real("longitude", longitude, -180, 180))
        place, make, model = (
            read.text(column, value)
            for column, value in zip(("place", "make", "model"), names, strict=True)
        )
        return Capture(instant, read.text("taken_from", source), where, place, make, model)

    def cameras(self) -> list[str]:
        """The names of all cameras, make and model, in the order of their letters."""
        return camera_names(self._cameras())

    def _cameras(self) -> list[tuple[str, str]]:
        if not self._has("captures"):
            return []
        rows = self._db.execute("SELECT DISTINCT make, model FROM captures")
        read = self._columns("a camera")
        return [
            (read.text("make", make), read.text("model", model))
            for make, model in rows
            if make or model
        ]

    def videos_within(self, filters: Filters) -> set[int]:
        """Ids of the videos that some filters leave, where these leave anything out."""
        return set.intersection(*self._each_filter(filters))

    def _each_filter(self, filters: Filters) -> Iterator[set[int]]:
        if filters.least_side:
            rows = self._db.execute(
                f"SELECT id FROM videos WHERE min(width, height)>=? AND {_IS_HELD}",
                (filters.least_side,),
            )
            yield {int(video) for (video,) in rows}
        if not self._has("captures"):
            yield set()
            return
        if filters.is_timed:
            yield self._taken(filters)
        if filters.around is not None:
            yield self._around(filters.around)
        if filters.camera:
            yield self._by_camera(filters.camera)

    def _taken(self, filters: Filters) -> set[int]:
        """Videos that were taken between two instants, by the files that are trusted most."""
        found: set[int] = set()
        for is_utc in (0, 1):
            rows = self._db.execute(
                "SELECT video_id FROM captures WHERE clock IS NOT NULL AND is_utc=? "
                f"AND clock>=? AND clock<? AND {_IS_BEST}",
                (is_utc, *clocks(filters, bool(is_utc))),
            )
            found.update(int(video) for (video,) in rows)
        return found

    def _around(self, circle: Circle) -> set[int]:
        south, north, west, east = circle.box()
        rows = self._db.execute(
            "SELECT latitude, longitude, video_id FROM captures WHERE latitude IS NOT NULL "
            "AND latitude BETWEEN ? AND ? AND longitude BETWEEN ? AND ?",
            (south, north, west, east),
        )
        return {
            int(video)
            for latitude, longitude, video in rows
            if circle.holds(Coordinates(latitude, longitude))
        }

    def _by_camera(self, asked: str) -> set[int]:
        """Videos by cameras whose names have all words of what was asked for.

        Raises:
            QueryError: there is no such camera.
        """
        found: set[int] = set()
        for make, model in cameras_like(asked, self._cameras()):
            rows = self._db.execute(
                "SELECT video_id FROM captures WHERE make=? AND model=?", (make, model)
            )
            found.update(int(video) for (video,) in rows)
        return found

    def lacking(self, filters: Filters) -> int:
        """How many videos lack what some filters ask for: a time, a place, a camera."""
        wanted = known(filters)
        if not wanted:
            return 0
        return self._of_all(("lacking", *wanted), partial(self._lacking, wanted))

    def _lacking(self, wanted: Sequence[str]) -> int:
        """How many videos have no row of captures for each of some conditions."""
        (videos,) = self._db.execute(
            "SELECT count(DISTINCT video_id) FROM files WHERE video_id IS NOT NULL"
        ).fetchone()
        if not self._has("captures"):
            return int(videos)
        each = (f"SELECT video_id FROM captures WHERE {condition}" for condition in wanted)
        (known,) = self._db.execute(
            f"SELECT count(DISTINCT video_id) FROM ({' INTERSECT '.join(each)})"
        ).fetchone()
        return max(0, int(videos) - int(known))
