"""Times that people name: a day, a month, last summer; each is a stretch of a calendar."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from tempo_edge._extras import lacking
from tempo_edge.errors import MissingExtraError, QueryError

__all__ = ["Period"]

# Letters of a time that is named.
_LONGEST = 60

_ISO = re.compile(
    r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,6})?)?)?)?)?"
)

# A day in numbers, of which nobody knows which is the month.
_NUMBERS = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})")

_MONTHS = "january february march april may june july august september october november december"
_MONTH_NUMBERS = {
    spelled: number
    for number, name in enumerate(_MONTHS.split(), start=1)
    for spelled in (name, name[:3])
}

# The month that each begins with; of three months, as meteorologists have them, and of the north.
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}

_NAMED = re.compile(rf"({'|'.join((*_MONTH_NUMBERS, *_SEASONS))})(?: of)?(?:,? (\d{{4}}))?")
_RELATIVE = re.compile(
    rf"(this|last) ({'|'.join(('week', 'month', 'year', *_SEASONS, *_MONTH_NUMBERS))})"
)


@dataclass(frozen=True)
class Period:
    """A stretch of time ``[start, end)`` by the clock of the place; an instant is empty."""

    start: datetime
    end: datetime

    @staticmethod
    def of(text: str, name: str = "time", now: datetime | None = None) -> Period:
        """What somebody means by a time.

        ISO 8601 (``2024``, ``2024-01``, ``2024-01-31``, ``2024-01-31T14:25``), today, yesterday,
        months, seasons of the north, and this and last of them need nothing; what else people say
        (``three weeks ago``) is read by dateparser, which an extra brings.

        Args:
            text: what was said.
            name: of what was said, for errors.
            now: the present, by the clock of the place.

        Raises:
            QueryError: that is no time, or none of a calendar.
            MissingExtraError: dateparser would have to read it, and is not installed.
        """
        said = " ".join(text.split()).lower()
        present = now or datetime.now()
        if len(said) > _LONGEST or not said:
            raise _refused(text, name)
        try:
            return (
                _iso(said)
                or _near(said, present)
                or _named(said, present)
                or _spoken(said, present, text, name)
            )
        except (ValueError, OverflowError):
            raise _refused(text, name) from None


_EXAMPLES = "2024, 2024-01-31, yesterday, last summer or three weeks ago"


def _refused(text: str, name: str) -> QueryError:
    why, say = "is no time", _EXAMPLES
    if found := _NUMBERS.fullmatch(text.strip()):
        first, second, year = map(int, found.groups())
        days = dict.fromkeys(((first, second), (second, first)))
        there = [
            f"{year}-{month:02d}-{day:02d}" for month, day in days if _is_day(year, month, day)
        ]
        if there:
            why, say = "may be read in two ways" if len(there) > 1 else why, " or ".join(there)
    return QueryError.naming(f"{{{name}}} {{!r}} {why}: say {say}", text[:_LONGEST])


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        datetime(year, month, day)
    except ValueError:
        return False
    return True


def _iso(said: str) -> Period | None:
    found = _ISO.fullmatch(said.upper())
    if found is None:
        return None
    year, month, day, hour, minute, second = (None if n is None else int(n) for n in found.groups())
    assert year is not None
    if month is None:
        return _months(year, 1, 12)
    if day is None:
        return _months(year, datetime(year, month, 1).month, 1)
    if hour is None or minute is None:
        return _days(datetime(year, month, day), 1)
    at = datetime(year, month, day, hour, minute, second or 0)
    return Period(at, at)


def _near(said: str, now: datetime) -> Period | None:
    """Today, yesterday, and this and last week, month, year, season and month of a name."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if said in ("today", "yesterday"):
        return _days(today - timedelta(days=said == "yesterday"), 1)
    found = _RELATIVE.fullmatch(said)
    if found is None:
        return None
    back, what = found[1] == "last", found[2]
    if what == "week":
        return _days(today - timedelta(days=today.weekday() + 7 * back), 7)
    if what == "year":
        return _months(now.year - back, 1, 12)
    if what == "month":
        return _months(now.year, now.month - back, 1)
    months, first = (3, _SEASONS[what]) if what in _SEASONS else (1, _MONTH_NUMBERS[what])
    latest = _latest(first, months, now)
    if not back:
        return latest
    # The last one is over: the one before that which is under way.
    return latest if latest.end <= now else _months(latest.start.year - 1, first, months)


def _named(said: str, now: datetime) -> Period | None:
    """A month or a season, of a year or the latest that has begun."""
    found = _NAMED.fullmatch(said)
    if found is None:
        return None
    what, year = found.groups()
    months, first = (3, _SEASONS[what]) if what in _SEASONS else (1, _MONTH_NUMBERS[what])
    return _latest(first, months, now) if year is None else _months(int(year), first, months)


def _latest(first: int, months: int, now: datetime) -> Period:
    """The latest stretch of some months that has begun."""
    begun = _months(now.year, first, months)
    return begun if begun.start <= now else _months(now.year - 1, first, months)


def _spoken(said: str, now: datetime, text: str, name: str) -> Period:
    """What dateparser makes of it."""
    if re.search("[a-z]", said) is None:
        raise _refused(text, name)  # whether 01/02 is in January nobody knows
    try:
        from dateparser.date import DateDataParser
    except ImportError as error:
        raise MissingExtraError.naming(
            f"{{{name}}} {{!r}} is no time: say {_EXAMPLES}; {{}}",
            *(text[:_LONGEST], lacking("dateparser")),
        ) from error
    settings = {"PREFER_DATES_FROM": "past", "PREFER_DAY_OF_MONTH": "first", "RELATIVE_BASE": now}
    read = DateDataParser(languages=["en"], settings=settings).get_date_data(said)
    if read.date_obj is None:
        raise _refused(text, name)
    at = read.date_obj.replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    if "ago" not in said and read.period == "year":
        return _months(at.year, 1, 12)
    if "ago" not in said and read.period == "month":
        return _months(at.year, at.month, 1)
    return _days(at, 1)


def _days(start: datetime, number: int) -> Period:
    return Period(start, start + timedelta(days=number))


def _months(year: int, month: int, number: int) -> Period:
    """Some months from one on; the one before the first is the last of the year before."""
    start, end = 12 * year + month - 1, 12 * year + month - 1 + number
    return Period(
        datetime(start // 12, start % 12 + 1, 1),
        datetime(end // 12, end % 12 + 1, 1),
    )
