"""When a film was taken, by the name that a camera, a phone or a person gave to its file."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from tempo_edge.capture.facts import Instant, as_instant

__all__ = ["instant_of_name"]

_DAY = r"((?:18|19|20)\d\d)([-_.]?)([01]\d)\2([0-3]\d)"
_TIME = r"([0-2]\d)([-_.:h]?)([0-5]\d)[-_.:m]?([0-5]\d)(?!\d{4})"

# A day, and a time behind it: 20240131_142500, 2024-01-31 14.25.00, 2024-01-31 at 14.25.00.
_NAMED = re.compile(rf"(?<!\d){_DAY}(?:(?:[-_ .T]|_at_| at )+{_TIME}\d{{0,3}}(Z)?)?(?!\d)")

# Milliseconds since 1970, as some programs name what they save.
_EPOCH = re.compile(r"(?<!\d)(1[0-9]{12})(?!\d)")

# Phones that name files by the time in Greenwich: Google's Pixel.
_UTC_NAMES = re.compile(r"PXL_", re.IGNORECASE)


def instant_of_name(name: str, now: datetime | None = None) -> Instant | None:
    """The time that is in a name: that of the place, but for those that are of Greenwich.

    Args:
        name: of the file, without folders.
        now: nothing was taken after; see :func:`tempo_edge.capture.facts.as_instant`.
    """
    stem = name.rpartition(".")[0] or name
    for found in _NAMED.finditer(stem[:500]):
        year, _, month, day, hour, _, minute, second, zulu = found.groups()
        try:
            clock = datetime(int(year), int(month), int(day))
            if hour is None:
                instant = as_instant(clock, is_day=True, now=now)
            else:
                at = clock.replace(hour=int(hour), minute=int(minute), second=int(second))
                is_utc = bool(zulu or _UTC_NAMES.match(stem))
                instant = as_instant(at, is_utc=is_utc, now=now)
        except ValueError:
            continue  # a day that no calendar has
        if instant is not None:
            return instant
    if (epoch := _EPOCH.search(stem[:500])) is not None:
        clock = datetime(1970, 1, 1) + timedelta(milliseconds=int(epoch[1]))
        return as_instant(clock, is_utc=True, earliest=datetime(2005, 1, 1), now=now)
    return None
