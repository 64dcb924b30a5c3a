"""Which videos a query concerns by their capture: when, where and by what they were taken."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from tempo_edge.capture.facts import Coordinates
from tempo_edge.errors import QueryError
from tempo_edge.periods import Period

__all__ = ["EVERYTHING", "WHERE", "Circle", "Filters", "Where"]

# How far around a town is still there, in kilometres.
_AROUND_A_TOWN_KM = 25.0

# Half the way around the globe: further there is nothing.
_FURTHEST_KM = 20_038.0

_SIDES = {"sd": 480, "hd": 720, "fullhd": 1080, "4k": 2160, "8k": 4320}
_SIZE = re.compile(r"(\d{1,5})(?:p|x(\d{1,5}))?")

# Letters of a camera that is asked for.
_LONGEST_CAMERA = 100


class Where(TypedDict, total=False):
    """Filters as people say them, by the names that every door has for them.

    Attributes:
        since, until: taken in or after the first, not after the second:
            :meth:`tempo_edge.periods.Period.of`. An instant to the minute is where it ends.
        on: both of one, as a day, a month or a summer.
        around: degrees of latitude and of longitude, and kilometres: ``38.71,-9.14,5``.
        place: the name of a town, with its country perhaps: ``Paris, US``.
        camera: words of its make and model, in any case of letters.
        size: least picture: ``1080p``, ``4k``, ``1920x1080``.
    """

    since: str
    until: str
    on: str
    around: str
    place: str
    camera: str
    size: str


#: The names of the filters, in the order in which doors tell of them.
WHERE = ("since", "until", "on", "around", "place", "camera", "size")


@dataclass(frozen=True)
class Circle:
    """All that lies within a distance of a place.

    Raises:
        QueryError: it is no distance on a globe.
    """

    centre: Coordinates
    kilometres: float

    def __post_init__(self) -> None:
        if not 0 < self.kilometres <= _FURTHEST_KM:
            raise QueryError.naming(
                "{around} {:g} km must be more than 0 and at most {:g}",
                *(self.kilometres, _FURTHEST_KM),
            )

    @staticmethod
    def of(text: str) -> Circle:
        """What ``LAT,LON,KM`` means.

        Raises:
            QueryError: it is something else, or lies beyond the poles.
        """
        try:
            latitude, longitude, kilometres = map(float, text[:100].split(","))
        except ValueError:
            raise QueryError.naming(
                "{around} {!r} must be latitude, longitude, kilometres, as 38.71,-9.14,5",
                text[:100],
            ) from None
        try:
            return Circle(Coordinates(latitude, longitude), kilometres)
        except QueryError:
            raise
        except ValueError as error:
            raise QueryError.naming("{around} {!r}: {}", text[:100], error) from None

    @property
    def text(self) -> str:
        """What :meth:`of` reads."""
        return f"{self.centre.latitude!r},{self.centre.longitude!r},{self.kilometres!r}"

    def holds(self, place: Coordinates) -> bool:
        """Whether a place lies in it."""
        return self.centre.kilometres(place) <= self.kilometres

    def box(self) -> tuple[float, float, float, float]:
        """(south, north, west, east) in degrees around it; all longitudes where it nears a pole,
        or where west and east would lie on both sides of the date line."""
        high = math.degrees(self.kilometres / 6371.0) + 1e-9
        south, north = self.centre.latitude - high, self.centre.latitude + high
        widest = max(abs(south), abs(north))
        if widest >= 90:
            return south, north, -180.0, 180.0
        wide = high / math.cos(math.radians(widest))
        west, east = self.centre.longitude - wide, self.centre.longitude + wide
        if west < -180 or east > 180:
            west, east = -180.0, 180.0
        return south, north, west, east


@dataclass(frozen=True)
class Filters:
    """What a video's capture must be. It validates itself; without any, every video is left.

    Attributes:
        since, until: taken in ``[since, until)``, by the clock of the place; what is known by
            Greenwich's alone is compared by the clock of this machine.
        around: taken within it.
        camera: all of these words are in the camera's make and model.
        least_side: least pixels of the shorter side of the picture.

    Raises:
        QueryError: they leave nothing, or are no values.
    """

    since: datetime | None = None
    until: datetime | None = None
    around: Circle | None = None
    camera: str = ""
    least_side: int = 0

    def __post_init__(self) -> None:
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise QueryError.naming(
                "{since} {} must be before {until} {}",
                *(self.since.isoformat(" "), self.until.isoformat(" ")),
            )
        if not 0 <= self.least_side <= 99_999:
            raise QueryError.naming("{size} {} must be within [0, 99999]", self.least_side)
        if len(self.camera) > _LONGEST_CAMERA:
            raise QueryError.naming(
                "{camera} of {} letters must have at most 100", len(self.camera)
            )

    def __bool__(self) -> bool:
        """Whether they may leave anything out."""
        return self != EVERYTHING

    @property
    def is_timed(self) -> bool:
        """Whether they ask when."""
        return self.since is not None or self.until is not None

    @staticmethod
    def of(where: Where | None = None, now: datetime | None = None) -> Filters:
        """Filters as somebody said them.

        Args:
            where: what was said; an empty text and None are nothing said.
            now: the present, by the clock of the place.

        Raises:
            QueryError: one is no value, two exclude each other, or there is no such place.
            MissingExtraError: what reads it is not installed.
        """
        asked = {name: value for name, value in (where or {}).items() if value}
        for name, value in asked.items():
            if name not in WHERE:
                raise QueryError(f"filter {name!r} must be one of {', '.join(WHERE)}")
            if not isinstance(value, str):
                raise QueryError.naming(f"{{{name}}} {{!r}} must be a text", value)
        said: dict[str, str] = {name: str(value) for name, value in asked.items()}
        for one, others in (("on", ("since", "until")), ("around", ("place",))):
            for other in others:
                if one in said and other in said:
                    raise QueryError.naming(
                        f"{{{one}}} and {{{other}}} exclude each other: choose one"
                    )
        since, until = _times(said, now)
        around = Circle.of(said["around"]) if "around" in said else None
        if "place" in said:
            from tempo_edge.capture.places import PlaceTable

            around = Circle(PlaceTable.shipped().find(said["place"]), _AROUND_A_TOWN_KM)
        size = said.get("size", "")
        return Filters(since, until, around, said.get("camera", "").strip(), _side(size))

    def as_where(self) -> Where:
        """What :meth:`of` makes these filters of again."""
        where = Where()
        if self.since is not None:
            where["since"] = self.since.isoformat(timespec="seconds")
        if self.until is not None:
            where["until"] = self.until.isoformat(timespec="seconds")
        if self.around is not None:
            where["around"] = self.around.text
        if self.camera:
            where["camera"] = self.camera
        if self.least_side:
            where["size"] = f"{self.least_side}p"
        return where


#: No filter: every video is left.
EVERYTHING = Filters()


def _times(said: dict[str, str], now: datetime | None) -> tuple[datetime | None, datetime | None]:
    """The first instant that counts, and the first that does no more."""
    if "on" in said:
        period = Period.of(said["on"], "on", now)
        if period.start == period.end:
            raise QueryError.naming("{on} {!r} must be a day, a month or a year", said["on"])
        return period.start, period.end
    since = Period.of(said["since"], "since", now).start if "since" in said else None
    until = Period.of(said["until"], "until", now).end if "until" in said else None
    if since is not None and until is not None and since >= until:
        raise QueryError.naming(
            "{since} {!r} must be before {until} {!r}", said["since"], said["until"]
        )
    return since, until


def _side(size: str) -> int:
    """Pixels of the shorter side of a size; nothing is zero."""
    said = size.strip().lower().replace(" ", "")
    if not said or said in _SIDES:
        return _SIDES.get(said, 0)
    found = _SIZE.fullmatch(said)
    if found is None or not int(found[1]):
        raise QueryError.naming("{size} {!r} must be as 720p, 1080p, 4k or 1920x1080", size[:40])
    return min(int(each) for each in found.groups() if each is not None)
