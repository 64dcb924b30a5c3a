"""Coordinates as containers and sidecars write them; None for what is none."""

from __future__ import annotations

import math
import re

from tempo_edge.capture.facts import Coordinates

__all__ = ["coordinates", "of_exif", "of_iso6709"]

# Degrees, degrees and minutes, or these and seconds, by the digits before the point.
_ISO = re.compile(r"([+-])(\d{2,6})(\.\d{1,12})?([+-])(\d{3,7})(\.\d{1,12})?(?![\d.])")

# 38,42.5N or 38,42,30.5N, as XMP has it; a bare number of degrees as well.
_EXIF = re.compile(r"(\d{1,3})(?:,(\d{1,2}(?:\.\d{1,12})?))(?:,(\d{1,2}(?:\.\d{1,12})?))?([NSEW])")


def coordinates(latitude: object, longitude: object) -> Coordinates | None:
    """Two numbers of degrees; none for those that no globe has, or that stand for nothing."""
    try:
        made = Coordinates(float(latitude), float(longitude))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return None if made.is_null else made


def of_iso6709(text: str) -> Coordinates | None:
    """``+38.7139-009.1394/`` or ``+3842.83-00908.36+012/``: ISO 6709, annex H."""
    found = _ISO.match(text.strip())
    if found is None:
        return None
    south, north_digits, north_part, west, east_digits, east_part = found.groups()
    latitude = _degrees(north_digits, north_part or "", 2)
    longitude = _degrees(east_digits, east_part or "", 3)
    if latitude is None or longitude is None:
        return None
    return coordinates(
        -latitude if south == "-" else latitude, -longitude if west == "-" else longitude
    )


def _degrees(digits: str, part: str, width: int) -> float | None:
    """Degrees of ``DD``, ``DDMM`` or ``DDMMSS``, with a fraction of the last."""
    pieces = [digits[:width], *(digits[at : at + 2] for at in range(width, len(digits), 2))]
    if any(len(piece) < 2 for piece in pieces):
        return None
    last = float(pieces[-1] + part)
    numbers = [*map(float, pieces[:-1]), last]
    if any(number >= 60 for number in numbers[1:]):
        return None
    return sum(number / 60.0**power for power, number in enumerate(numbers))


def of_exif(text: str) -> float | None:
    """Degrees, south and west below zero, of one coordinate as XMP writes it."""
    found = _EXIF.fullmatch(text.strip())
    if found is None:
        try:
            bare = float(text) if len(text) < 32 else math.nan
        except ValueError:
            return None
        return bare if math.isfinite(bare) else None
    degrees, minutes, seconds, side = found.groups()
    value = float(degrees) + float(minutes) / 60 + float(seconds or 0) / 3600
    return -value if side in "SW" else value
