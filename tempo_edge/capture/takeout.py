"""What Google Photos exports beside a film: a JSON file with when and where it was taken."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from tempo_edge.capture.coordinates import coordinates
from tempo_edge.capture.facts import Capture, Instant, as_instant

__all__ = ["of_takeout"]


def of_takeout(text: str, now: datetime | None = None) -> Capture:
    """What the export says; nothing where it is something else.

    Args:
        text: all of it.
        now: nothing was taken after.
    """
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return Capture()
    instant = _instant(_within(told, "photoTakenTime", "timestamp"), now)
    where = None
    for name in ("geoData", "geoDataExif"):
        where = where or coordinates(
            _within(told, name, "latitude"), _within(told, name, "longitude")
        )
    return Capture(instant, "takeout" if instant else "", where)


def _within(told: Any, *names: str) -> Any:
    for name in names:
        told = told.get(name) if isinstance(told, dict) else None
    return told


def _instant(seconds: Any, now: datetime | None) -> Instant | None:
    """Seconds since 1970, in Greenwich."""
    try:
        clock = datetime(1970, 1, 1) + timedelta(seconds=int(str(seconds)[:20]))
    except (TypeError, ValueError, OverflowError):
        return None
    return as_instant(clock, is_utc=True, now=now)
