"""The row of a capture, and what filters ask of its columns, whichever database keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tempo_edge.capture.facts import SOURCES, Capture, Instant
from tempo_edge.errors import QueryError
from tempo_edge.filters import Filters

__all__ = [
    "EVER",
    "FACTS",
    "camera_names",
    "cameras_like",
    "clocks",
    "facts_of",
    "known",
    "rank_of",
]

#: The columns of what a capture says; :func:`facts_of` gives their values.
FACTS = "taken_from, clock, is_utc, is_day, zone, latitude, longitude, place, make, model"

#: Seconds before and after all that a calendar knows.
EVER = 1 << 40

# Cameras that a refusal names.
_NAMED = 8


def rank_of(capture: Capture) -> int:
    """The value of ``rank``: of several captures of a video, the least is trusted most."""
    return SOURCES.index(capture.taken_from) if capture.instant else len(SOURCES)


def facts_of(capture: Capture) -> tuple[Any, ...]:
    """The values of :data:`FACTS`."""
    instant, where = capture.instant, capture.coordinates
    return (
        capture.taken_from,
        None if instant is None else instant.seconds,
        instant is not None and instant.is_utc,
        instant is not None and instant.is_day,
        None if instant is None else instant.offset,
        None if where is None else where.latitude,
        None if where is None else where.longitude,
        capture.place,
        capture.make,
        capture.model,
    )


def clocks(filters: Filters, is_utc: bool) -> tuple[int, int]:
    """The half-open range of ``clock`` that filters leave, of the clocks here or of Greenwich's."""
    low = -EVER if filters.since is None else _seconds(filters.since, is_utc)
    high = EVER if filters.until is None else _seconds(filters.until, is_utc)
    return low, high


def _seconds(clock: datetime, is_utc: bool) -> int:
    """Seconds since 1970 of a clock here, or of Greenwich's at that time."""
    instant = Instant(clock)
    return instant.in_greenwich if is_utc else instant.seconds


def known(filters: Filters) -> list[str]:
    """Conditions of rows in SQL, one for each thing that filters ask about: that it is known."""
    wanted = []
    if filters.is_timed:
        wanted.append("clock IS NOT NULL")
    if filters.around is not None:
        wanted.append("latitude IS NOT NULL")
    if filters.camera:
        wanted.append("(make<>'' OR model<>'')")
    return wanted


def camera_names(cameras: Sequence[tuple[str, str]]) -> list[str]:
    """The names of cameras, of (make, model) of each, in the order of their letters."""
    return sorted({Capture(make=make, model=model).camera for make, model in cameras})


def cameras_like(asked: str, cameras: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The cameras, (make, model), among some whose names have all words of what was asked for.

    Raises:
        QueryError: there is no such camera.
    """
    words = asked.casefold().split()
    chosen = [
        names for names in cameras if all(word in " ".join(names).casefold() for word in words)
    ]
    if not chosen:
        names = camera_names(cameras)
        more = " and others" if len(names) > _NAMED else ""
        told = ", ".join(names[:_NAMED]) + more if names else "no camera is known"
        raise QueryError.naming("{camera} {!r} took nothing in the library: {}", asked, told)
    return chosen
