"""The facts of one film's capture: when, where and by what it was taken, and who says so."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

__all__ = [
    "EARLIEST",
    "LONGEST_NAME",
    "SOURCES",
    "Capture",
    "Coordinates",
    "Instant",
    "as_instant",
    "named",
]

#: What may say when a film was taken, the most trustworthy first: a sidecar that somebody wrote or
#: mended, the container, the export of Google Photos, the name, a drone's telemetry, and at last
#: the time at which the file was changed.
SOURCES = ("xmp", "container", "takeout", "name", "srt", "file")

#: Nothing was filmed before.
EARLIEST = datetime(1888, 1, 1)

#: Letters of a camera's or a place's name that are kept.
LONGEST_NAME = 100

# Clocks are wrong by so much at most, zones apart.
_AHEAD = timedelta(days=2)


@dataclass(frozen=True)
class Coordinates:
    """A place on the globe, in degrees.

    Raises:
        ValueError: it lies past a pole, or more than once around, or is no number.
    """

    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        if not abs(self.latitude) <= 90:
            raise ValueError(f"latitude {self.latitude} must be within [-90, 90]")
        if not abs(self.longitude) <= 180:
            raise ValueError(f"longitude {self.longitude} must be within [-180, 180]")

    @property
    def is_null(self) -> bool:
        """Whether it is where receivers without a fix believe to be."""
        return abs(self.latitude) < 1e-6 and abs(self.longitude) < 1e-6

    def kilometres(self, other: Coordinates) -> float:
        """The distance along the globe."""
        here, there = math.radians(self.latitude), math.radians(other.latitude)
        apart = math.radians(other.longitude - self.longitude)
        half = math.sin((there - here) / 2) ** 2
        half += math.cos(here) * math.cos(there) * math.sin(apart / 2) ** 2
        return 2 * 6371.0088 * math.asin(min(1.0, math.sqrt(half)))


@dataclass(frozen=True)
class Instant:
    """When a film was taken.

    Attributes:
        clock: what a clock showed: at the place, or, ``is_utc``, in Greenwich where nobody knows
            the zone of the place. It has no zone of its own.
        offset: minutes east of Greenwich, where they are known.
        is_day: whether no more than the day is known.
    """

    clock: datetime
    offset: int | None = None
    is_utc: bool = False
    is_day: bool = False

    @property
    def text(self) -> str:
        """ISO 8601: with ``Z``, with an offset, without either, or a day alone."""
        if self.is_day:
            return self.clock.date().isoformat()
        said = self.clock.replace(microsecond=0).isoformat()
        if self.is_utc:
            return f"{said}Z"
        if self.offset is None:
            return said
        hours, minutes = divmod(abs(self.offset), 60)
        return f"{said}{'-' if self.offset < 0 else '+'}{hours:02d}:{minutes:02d}"

    @property
    def in_greenwich(self) -> int:
        """Seconds since 1970; where no zone is known, by the one of this machine."""
        if self.is_utc:
            return self.seconds
        if self.offset is not None:
            return self.seconds - 60 * self.offset
        try:
            return int(time.mktime(self.clock.timetuple()))
        except (OverflowError, ValueError):  # where this machine's calendar ends
            return self.seconds

    @staticmethod
    def of(text: str) -> Instant:
        """The instant again, from its :attr:`text`.

        Raises:
            ValueError: it is none.
        """
        is_utc, is_day = text.endswith("Z"), len(text) == 10
        clock = datetime.fromisoformat(text[:-1] if is_utc else text)
        shift = clock.utcoffset()
        offset = None if shift is None else round(shift.total_seconds() / 60)
        return Instant(clock.replace(tzinfo=None), offset, is_utc, is_day)

    @property
    def seconds(self) -> int:
        """What the clock showed, in seconds from the beginning of 1970."""
        return int((self.clock - datetime(1970, 1, 1)).total_seconds() // 1)


@dataclass(frozen=True)
class Capture:
    """What is known of the taking of one film; None and nothing where it is not.

    Attributes:
        instant: when it was taken; ``taken_from``: who says so, of :data:`SOURCES`.
        coordinates: where; ``place``: the nearest town, by a table of them.
        make, model: of the camera.
    """

    instant: Instant | None = None
    taken_from: str = ""
    coordinates: Coordinates | None = None
    place: str = ""
    make: str = ""
    model: str = ""

    @property
    def camera(self) -> str:
        """Make and model, the make once."""
        if self.model.casefold().startswith(self.make.casefold()):
            return self.model
        return f"{self.make} {self.model}".strip()

    def as_dict(self) -> dict[str, Any]:
        """Plain values; None and nothing where it is not known."""
        where = self.coordinates
        return {
            "taken_at": None if self.instant is None else self.instant.text,
            "taken_from": self.taken_from or None,
            "latitude": None if where is None else where.latitude,
            "longitude": None if where is None else where.longitude,
            "place": self.place,
            "camera": self.camera,
        }

    @staticmethod
    def from_dict(facts: Mapping[str, Any]) -> Capture:
        """The capture again, from what :meth:`as_dict` gave; a service of before knows of none.

        Raises:
            ValueError: a value is none of its kind.
        """
        at, source = facts.get("taken_at"), facts.get("taken_from")
        if source is not None and source not in SOURCES:
            raise ValueError(f"taken_from {source!r} must be one of {', '.join(SOURCES)}")
        north, east = facts.get("latitude"), facts.get("longitude")
        return Capture(
            None if at is None else Instant.of(str(at)),
            source or "",
            None if north is None or east is None else Coordinates(float(north), float(east)),
            named(facts.get("place")),
            model=named(facts.get("camera")),
        )

    def or_else(self, other: Capture) -> Capture:
        """This, and what the other knows where this knows nothing."""
        found = self
        if found.instant is None:
            found = replace(found, instant=other.instant, taken_from=other.taken_from)
        if found.coordinates is None:
            found = replace(found, coordinates=other.coordinates, place=other.place)
        if not found.make and not found.model:
            found = replace(found, make=other.make, model=other.model)
        return found


def as_instant(
    clock: datetime,
    *,
    is_utc: bool = False,
    is_day: bool = False,
    earliest: datetime = EARLIEST,
    now: datetime | None = None,
) -> Instant | None:
    """An instant by what was written down; None where nothing can have been filmed then.

    Args:
        clock: with a zone, or without one.
        is_utc: whether one without a zone is Greenwich's.
        is_day: whether its day alone is known.
        earliest: what lies before was never meant.
        now: the end of all that was filmed, in Greenwich; by default the present.
    """
    offset = None
    try:
        shift = clock.utcoffset()
        if shift is not None:
            clock, offset = clock.replace(tzinfo=None), round(shift.total_seconds() / 60)
        latest = (now or datetime.now(timezone.utc).replace(tzinfo=None)) + _AHEAD
    except (ValueError, OverflowError):
        return None
    if not earliest <= clock <= latest:
        return None
    return Instant(clock, offset, is_utc, is_day)


def named(name: object) -> str:
    """A name of a camera or of a place on one line, and not too long; nothing for what is none."""
    if not isinstance(name, str):
        return ""
    shown = "".join(letter if letter.isprintable() else " " for letter in name)
    said = " ".join(shown.split())[:LONGEST_NAME]
    return said.encode("utf-8", "replace").decode()
