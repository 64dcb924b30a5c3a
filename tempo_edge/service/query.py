"""What a search is asked for, and which videos of a library come into question for it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tempo_edge.errors import ServiceError
from tempo_edge.indexing.walk import is_mounted
from tempo_edge.library import Library
from tempo_edge.service.parameters import Parameters
from tempo_edge.store.rows import FileRow

__all__ = ["Query"]

_LONGEST_QUERY = 1000
_LONGEST_CLIENT = 200
_MOST_MOMENTS = 100
_MOST_SCOPES = 32
_DEFAULT_MOMENTS = 10


@dataclass(frozen=True)
class Query:
    """The parameters of ``/v1/find``.

    Attributes:
        text: what to look for.
        retrieval: candidates only, which is quick.
        client: who asks; None for someone who asks only once.
        after, before: the file was last changed on or after the first day, before the second.
        min_seconds, max_seconds: of the video's length, both inclusive.
        offline: whether videos on volumes that are not there count.
    """

    text: str
    limit: int = _DEFAULT_MOMENTS
    min_confidence: float | None = None
    within: list[Path] | None = None
    grounder: str | None = None
    retrieval: bool = False
    client: str | None = None
    after: date | None = None
    before: date | None = None
    min_seconds: float | None = None
    max_seconds: float | None = None
    offline: bool = True

    @staticmethod
    def of(given: Parameters) -> Query:
        """Read from a request.

        Raises:
            ServiceError: a parameter is missing, or not what it must be; status 400.
        """
        text = given.text("q", _LONGEST_QUERY)
        if text is None or not text.strip():
            raise ServiceError(400, "q is missing or empty: say what to look for")
        grounder = given.text("grounder", 32)
        retrieval = given.flag("retrieval") or False
        if retrieval and grounder not in (None, "curve"):
            raise ServiceError(
                400, f"grounder {grounder!r} and retrieval=1 exclude each other: choose one"
            )
        return Query(
            text,
            given.whole("limit", 1, _MOST_MOMENTS) or _DEFAULT_MOMENTS,
            given.number("min_confidence", 0.0, 1.0),
            given.paths("within", _MOST_SCOPES),
            grounder,
            retrieval,
            given.text("client", _LONGEST_CLIENT) or None,
            given.day("after"),
            given.day("before"),
            given.instant("min_seconds"),
            given.instant("max_seconds"),
            given.flag("offline") is not False,
        )

    def videos(self, library: Library) -> set[int] | None:
        """Ids of the videos that pass the filters; None where there is no filter."""
        chosen: set[int] | None = None
        if self.after or self.before or not self.offline:
            chosen = self._by_file(library.files())
        if self.min_seconds is not None or self.max_seconds is not None:
            low = self.min_seconds or 0.0
            high = math.inf if self.max_seconds is None else self.max_seconds
            with library.catalogue.snapshot():
                shown = library.catalogue.shown(-1, 0)
            fitting = {video for video, seconds in shown if low <= seconds <= high}
            chosen = fitting if chosen is None else chosen & fitting
        return chosen

    def _by_file(self, rows: Iterable[FileRow]) -> set[int]:
        """Videos that a file holds which was changed at the right time, on a volume that counts."""
        volumes: dict[str, bool] = {}
        chosen = set()
        for row in rows:
            if row.video_id is None or not self._is_of_the_time(row.mtime_ns):
                continue
            if not self.offline:
                if row.volume not in volumes:
                    volumes[row.volume] = not row.volume or is_mounted(row.volume)
                if not volumes[row.volume]:
                    continue
            chosen.add(row.video_id)
        return chosen

    def _is_of_the_time(self, mtime_ns: int) -> bool:
        if not (self.after or self.before):
            return True
        try:
            day = date.fromtimestamp(mtime_ns / 1e9)
        except (OverflowError, ValueError, OSError):
            return False  # a time that no calendar knows
        return (not self.after or day >= self.after) and (not self.before or day < self.before)
