"""When, where and by what videos were taken: rows of ``captures``, one for each file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from tempo_edge.capture.facts import Capture, Coordinates, Instant
from tempo_edge.filters import Circle, Filters
from tempo_edge.store.capture_row import (
    FACTS,
    camera_names,
    cameras_like,
    clocks,
    facts_of,
    known,
    rank_of,
)
from tempo_edge.store.postgres.contents import ContentsTable

__all__ = ["CaptureTable"]

# Whether no file of the same video is trusted more.
_IS_BEST = (
    "NOT EXISTS (SELECT 1 FROM captures AS other WHERE other.video_id=captures.video_id "
    "AND other.rank<captures.rank)"
)
_IS_HELD = "EXISTS (SELECT 1 FROM files WHERE files.video_id=videos.id)"


class CaptureTable(ContentsTable):
    """The rows of ``captures``; what a public method does, its interface says."""

    def note_capture(self, path: str, mark: str, capture: Capture) -> None:
        """Note a file's capture, until the file is put again."""
        columns = f"path, video_id, mark, rank, {FACTS}"
        replaced = ", ".join(f"{name}=excluded.{name}" for name in columns.split(", ")[1:])
        with self._writing():
            self._run(
                f"INSERT INTO captures ({columns}) VALUES (%s, "
                "(SELECT video_id FROM files WHERE path=%s), "
                f"{', '.join(['%s'] * 12)}) ON CONFLICT (path) DO UPDATE SET {replaced}",
                (path, path, mark, rank_of(capture), *facts_of(capture)),
            )

    def capture_marks(self, paths: Sequence[str]) -> dict[str, str]:
        """By path, the mark of those files among some whose capture was noted."""
        rows = self._run(
            "SELECT path, mark FROM captures WHERE path=ANY(%s::text[])", (list(paths),)
        )
        return dict(rows.fetchall())

    def capture(self, video_id: int) -> Capture | None:
        """When, where and by what a video was taken; None where no file's capture was noted."""
        rows = self._run(
            f"SELECT {FACTS} FROM captures WHERE video_id=%s ORDER BY rank, path", (video_id,)
        )
        found: Capture | None = None
        for row in rows:
            said = _capture(*row)
            found = said if found is None else found.or_else(said)
        return found

    def file_capture(self, path: str) -> tuple[str, Capture] | None:
        """(mark, capture) as they were noted of one file, or None."""
        row = self._one(f"SELECT mark, {FACTS} FROM captures WHERE path=%s", (path,))
        return None if row is None else (str(row[0]), _capture(*row[1:]))

    def taken(self) -> dict[int, Capture]:
        """By video, when it was taken and who says so, of those of which that is known."""
        rows = self._run(
            "SELECT DISTINCT ON (video_id) video_id, taken_from, clock, is_utc, is_day, zone "
            "FROM captures WHERE clock IS NOT NULL ORDER BY video_id, rank, path"
        )
        return {
            video: _capture(source, clock, is_utc, is_day, zone, None, None, "", "", "")
            for video, source, clock, is_utc, is_day, zone in rows
        }

    def cameras(self) -> list[str]:
        """The names of all cameras, make and model, in the order of their letters."""
        return camera_names(self._cameras())

    def _cameras(self) -> list[tuple[str, str]]:
        return self._run(
            "SELECT DISTINCT make, model FROM captures WHERE make<>'' OR model<>''"
        ).fetchall()

    def videos_within(self, filters: Filters) -> set[int]:
        """Ids of the videos that some filters leave, where these leave anything out."""
        return set.intersection(*self._each_filter(filters))

    def _each_filter(self, filters: Filters) -> Iterator[set[int]]:
        if filters.least_side:
            yield self._ids(
                f"SELECT id FROM videos WHERE least(width, height)>=%s AND {_IS_HELD}",
                (filters.least_side,),
            )
        if filters.is_timed:
            yield self._taken(filters)
        if filters.around is not None:
            yield self._around(filters.around)
        if filters.camera:
            yield self._by_camera(filters.camera)

    def _ids(self, statement: str, values: Sequence[Any]) -> set[int]:
        return {int(video) for (video,) in self._run(statement, values)}

    def _taken(self, filters: Filters) -> set[int]:
        """Videos that were taken between two instants, by the files that are trusted most."""
        found: set[int] = set()
        for is_utc in (False, True):
            found |= self._ids(
                "SELECT video_id FROM captures WHERE clock IS NOT NULL AND is_utc=%s "
                f"AND clock>=%s AND clock<%s AND {_IS_BEST}",
                (is_utc, *clocks(filters, is_utc)),
            )
        return found

    def _around(self, circle: Circle) -> set[int]:
        rows = self._run(
            "SELECT latitude, longitude, video_id FROM captures WHERE latitude IS NOT NULL "
            "AND latitude BETWEEN %s AND %s AND longitude BETWEEN %s AND %s",
            circle.box(),
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
        for each in cameras_like(asked, self._cameras()):
            found |= self._ids("SELECT video_id FROM captures WHERE make=%s AND model=%s", each)
        return found

    def lacking(self, filters: Filters) -> int:
        """How many videos lack what some filters ask for: a time, a place, a camera."""
        wanted = known(filters)
        if not wanted:
            return 0
        each = (f"SELECT video_id FROM captures WHERE {condition}" for condition in wanted)
        row = self._one(
            "SELECT (SELECT count(DISTINCT video_id) FROM files), "
            f"(SELECT count(DISTINCT video_id) FROM ({' INTERSECT '.join(each)}) AS known)"
        )
        return max(0, int(row[0]) - int(row[1]))


def _capture(
    source: str,
    clock: int | None,
    is_utc: bool,
    is_day: bool,
    zone: int | None,
    latitude: float | None,
    longitude: float | None,
    *names: str,
) -> Capture:
    instant, where = None, None
    if clock is not None:
        shown = datetime(1970, 1, 1) + timedelta(seconds=clock)
        instant = Instant(shown, zone, is_utc, is_day)
    if latitude is not None and longitude is not None:
        where = Coordinates(latitude, longitude)
    return Capture(instant, source, where, *names)
