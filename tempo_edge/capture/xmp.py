"""An XMP sidecar: a few attributes of it are looked for, and no XML is ever built of it."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape

from tempo_edge.capture.coordinates import coordinates, of_exif
from tempo_edge.capture.facts import Capture, Instant, as_instant, named

__all__ = ["of_xmp"]

# Letters of a value that are read.
_LONGEST = 200

_TIMES = ("exif:DateTimeOriginal", "photoshop:DateCreated", "xmp:CreateDate")

_WRITTEN = re.compile(
    r"(\d{4})[-:](\d{2})[-:](\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}))?(?:\.\d{1,9})?"
    r"(Z|[+-]\d{2}:?\d{2})?)?"
)


def of_xmp(text: str, now: datetime | None = None) -> Capture:
    """What an XMP sidecar says of a film's capture.

    Args:
        text: all of it.
        now: nothing was taken after.
    """
    instant = None
    for tag in _TIMES:
        if instant is None:
            instant = _instant(_value(text, tag), now)
    latitude, longitude = (of_exif(_value(text, f"exif:GPS{n}")) for n in ("Latitude", "Longitude"))
    where = coordinates(latitude, longitude)
    make, model = (named(_value(text, f"tiff:{name}")) for name in ("Make", "Model"))
    return Capture(instant, "xmp" if instant else "", where, "", make, model)


def _value(text: str, tag: str) -> str:
    """The value of an attribute, or of an element without children; nothing where there is none."""
    pattern = rf"""{tag}\s{{0,9}}=\s{{0,9}}["']([^"'<>]{{0,{_LONGEST}}})["']"""
    found = re.search(pattern, text) or re.search(rf"<{tag}>([^<>]{{0,{_LONGEST}}})</", text)
    return "" if found is None else unescape(found[1]).strip()


def _instant(text: str, now: datetime | None) -> Instant | None:
    """A time as XMP writes it; None for what is none."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, zone = found.groups()
    said = f"{year}-{month}-{day}T{hour or '00'}:{minute or '00'}:{second or '00'}"
    shift = f"{zone[:3]}:{zone[-2:]}" if zone not in (None, "Z") else ""
    try:
        clock = datetime.fromisoformat(said + shift)
    except ValueError:
        return None
    return as_instant(clock, is_utc=zone == "Z", is_day=hour is None, now=now)
