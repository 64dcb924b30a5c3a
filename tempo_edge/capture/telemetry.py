"""A drone's telemetry, which lies in subtitles: it says when and where, and nobody speaks it."""

from __future__ import annotations

import re
from datetime import datetime

from tempo_edge.capture.coordinates import coordinates
from tempo_edge.capture.facts import Capture, as_instant

__all__ = ["is_telemetry", "of_telemetry"]

# Letters of a file that are looked at: the first fix is in the first lines, or soon after.
_LOOKED_AT = 200_000

# What tells telemetry: marks that DJI's programs write, of each generation of its drones.
_MARKS = re.compile(
    r"\[\s*(?:iso|shutter|fnum|ev|ct|focal_len|latitude|rel_alt|longt?itude)\s*:"
    r"|\bHOME\s*\(\s*[EW]?:?\s*-?\d|\bGPS\s*\(\s*-?\d|\b(?:SrtCnt|FrameCnt)\s*:"
    r"|\bF/\d[\d.]*,\s*SS\s*\d|\bISO:\d+\s+Shutter:"
)

_TIME = re.compile(
    r"\b(\d{4})[-.](\d{1,2})[-.](\d{1,2})[ T](\d{1,2}):(\d{2}):(\d{2})(?:[.,:]\d{1,6})*"
)
_NUMBER = r"([+-]?\d{1,3}(?:\.\d{1,12})?)"
_TAGGED = re.compile(
    rf"\[\s*latitude\s*:\s*{_NUMBER}\s*\]\s*\[\s*longt?itude\s*:\s*{_NUMBER}\s*\]", re.IGNORECASE
)
# Longitude first; the third number is a height, or how many satellites there were.
_GPS = re.compile(rf"\bGPS\s*\(\s*{_NUMBER}\s*,\s*{_NUMBER}\s*,")


def is_telemetry(text: str) -> bool:
    """Whether a subtitle's text, or the beginning of one, is telemetry."""
    return _MARKS.search(text[:2000]) is not None


def of_telemetry(text: str, now: datetime | None = None) -> Capture:
    """When and where a drone was, by its subtitles; its clock shows the time of the place.

    Args:
        text: all of the file; the beginning is looked at.
        now: nothing was taken after.
    """
    head = text[:_LOOKED_AT]
    instant = None
    if (found := _TIME.search(head)) is not None:
        try:
            instant = as_instant(datetime(*map(int, found.groups())), now=now)  # type: ignore[arg-type]
        except ValueError:
            instant = None
    where = None
    for latitude, longitude in _TAGGED.findall(head):
        where = where or coordinates(latitude, longitude)
    for longitude, latitude in _GPS.findall(head):
        where = where or coordinates(latitude, longitude)
    return Capture(instant, "srt" if instant else "", where)
