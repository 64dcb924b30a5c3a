"""Durations that people name, and instants of a film, which are durations since it began.

There is one reading of them, whether an option, an example or a plug-in asks.
"""

from __future__ import annotations

import re

__all__ = ["TIME", "duration"]

_WHOLE = "[0-9]{1,12}"
_NUMBER = rf"{_WHOLE}(?:\.[0-9]{{1,9}})?"
_CLOCK = rf"(?:{_WHOLE}:){{0,2}}{_NUMBER}"
_UNITS = rf"(?=[0-9])(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s?)?"

#: What :func:`duration` reads, but for spaces, as a pattern without groups.
TIME = rf"(?:{_CLOCK}|(?i:{_UNITS}))"

_READ = re.compile(TIME)
_EACH = re.compile(rf"({_NUMBER})([hms]?)")
_IN_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "": 1.0}


def duration(text: str) -> float:
    """Seconds of ``90``, ``1:30``, ``1:02:03.5``, ``90s``, ``1m30s`` or ``2h``.

    Raises:
        ValueError: it is something else; the text, behind a name, says what it must be.
    """
    said = "".join(text.split()).lower()
    if _READ.fullmatch(said) is None:
        raise ValueError(f"{text[:40]!r} must be a time, such as 30s, 1m30s or 1:30")
    if ":" not in said:
        return sum(float(number) * _IN_SECONDS[unit] for number, unit in _EACH.findall(said))
    *large, seconds = said.split(":")
    if float(seconds) >= 60 or (len(large) == 2 and int(large[1]) >= 60):
        raise ValueError(f"{text[:40]!r} has 60 or more where 59 is the last: say 1:30 or 90s")
    total = float(seconds)
    for place, part in enumerate(reversed(large), start=1):
        total += int(part) * 60**place
    return total
