"""A library to leaf through: its videos part by part, and how many were taken in each month."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tempo_edge.errors import QueryError
from tempo_edge.query import ORDERS
from tempo_edge.search.scope import videos_in

if TYPE_CHECKING:
    from tempo_edge.capture.facts import Instant
    from tempo_edge.scope import Scope
    from tempo_edge.store.interface import Catalogue

__all__ = ["Amount", "Month", "Part", "part_of", "taken_by_month"]

# What says when a film was taken where nothing else does: the time at which its file was changed.
_FILE = "file"


@dataclass(frozen=True)
class Part:
    """Some of the videos that a scope leaves.

    Attributes:
        videos: (id, seconds) of each, in their order.
        count: how many there are in all.
        unknown_count: how many the scope leaves out for want of knowing when or where, or by what,
            they were taken.
    """

    videos: tuple[tuple[int, float], ...]
    count: int
    unknown_count: int


@dataclass(frozen=True)
class Amount:
    """How many videos, and how many seconds of footage."""

    videos: int
    seconds: float


@dataclass(frozen=True)
class Month:
    """What was taken in a month.

    Attributes:
        year, month: of the calendar, January being 1.
        all: all of it.
        by_file: of that, what only the time of its file says so of, which may be a copy's.
    """

    year: int
    month: int
    all: Amount
    by_file: Amount


def part_of(
    catalogue: Catalogue, scope: Scope, sort: str = "score", limit: int = 100, offset: int = 0
) -> Part:
    """Some of the videos that count, within a snapshot.

    Args:
        catalogue: of the library.
        scope: which videos count.
        sort: of :data:`tempo_edge.query.ORDERS`. Where nothing is looked for none is surer than
            another, and the order is that of their ids; by time, those of an unknown time are last.
        limit, offset: as many at most, after so many others.

    Raises:
        QueryError: there is no such order, or the library holds nothing where it is looked at.
    """
    if sort not in ORDERS:
        raise QueryError.naming("{sort} {!r} must be one of {}", sort, ", ".join(ORDERS))
    chosen = videos_in(scope, catalogue)
    seconds = {
        video: length for video, length in catalogue.videos() if chosen is None or video in chosen
    }
    ordered = _ordered(catalogue, list(seconds), sort)
    part = ordered[offset : offset + limit]
    listed = tuple((video, seconds[video]) for video in part)
    return Part(listed, len(seconds), catalogue.lacking(scope.filters))


def _ordered(catalogue: Catalogue, videos: list[int], sort: str) -> list[int]:
    """Ids, rising, in the order that is asked for; in what is equal in it they rise."""
    if sort == "time":
        taken = catalogue.taken()
        at = {video: said.instant.in_greenwich for video, said in taken.items() if said.instant}
        return sorted(videos, key=lambda video: at.get(video, float("inf")))
    if sort == "name":
        wanted = set(videos)
        paths = (row.video_id for row in catalogue.each_file())
        named = dict.fromkeys(video for video in paths if video is not None and video in wanted)
        return list(named)
    return videos


def taken_by_month(catalogue: Catalogue, scope: Scope) -> tuple[list[Month], Amount]:
    """(the months in which something was taken, what no month is known of), within a snapshot.

    A month is that of the place, or of this machine where only Greenwich's time is known, as
    :class:`tempo_edge.filters.Filters` compares times. Months come in their order.

    Raises:
        QueryError: the library holds nothing where it is looked at.
    """
    chosen = videos_in(scope, catalogue)
    taken = catalogue.taken()
    all_of: dict[tuple[int, int] | None, list[float]] = defaultdict(list)
    by_file: dict[tuple[int, int] | None, list[float]] = defaultdict(list)
    for video, seconds in catalogue.videos():
        if chosen is not None and video not in chosen:
            continue
        said = taken.get(video)
        month = None if said is None or said.instant is None else _month(said.instant)
        all_of[month].append(seconds)
        if said is not None and said.taken_from == _FILE:
            by_file[month].append(seconds)
    unknown = _amount(all_of.pop(None, []))
    months = [
        Month(*month, _amount(all_of[month]), _amount(by_file.get(month, [])))
        for month in sorted(each for each in all_of if each is not None)
    ]
    return months, unknown


def _amount(seconds: list[float]) -> Amount:
    return Amount(len(seconds), sum(seconds))


def _month(instant: Instant) -> tuple[int, int]:
    clock = instant.clock
    if instant.is_utc:
        with suppress(OverflowError, ValueError, OSError):  # where this machine's calendar ends
            clock = datetime.fromtimestamp(instant.seconds)
    return clock.year, clock.month
