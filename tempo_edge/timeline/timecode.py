"""SMPTE time code: the labels that editors count frames by, with and without dropped numbers.

A label names a frame, it does not measure time: at 30000/1001 frames a second "01:00:00:00" lies
3.6 seconds after an hour. Drop-frame leaves out labels, never frames, to stay near the clock.
"""

from __future__ import annotations

import re
from fractions import Fraction

__all__ = ["can_drop", "format_timecode", "frames_a_day", "numbers_a_second", "parse_timecode"]

_LABEL = re.compile(r"(\d\d):([0-5]\d):([0-5]\d)([:;.,])(\d{2,3})")

# A label has three digits for the frames of a second, at most.
_MOST_NUMBERS = 1000

# What NTSC's rates are slower than the whole numbers that their frames are counted by.
_NTSC = Fraction(1000, 1001)


def numbers_a_second(rate: Fraction) -> int:
    """How many frames a second are numbered: 30 for 30000/1001.

    Raises:
        ValueError: no time code counts at this rate.
    """
    for whole in (rate, rate / _NTSC):
        if whole.denominator == 1 and 1 <= whole <= _MOST_NUMBERS:
            return int(whole)
    raise ValueError(
        f"rate {rate} must be a whole number from 1 to {_MOST_NUMBERS}, or one times 1000/1001"
    )


def can_drop(rate: Fraction) -> bool:
    """Whether drop-frame is defined: for 30000/1001 frames a second and its multiples."""
    return rate % (30 * _NTSC) == 0


def frames_a_day(rate: Fraction, drop: bool) -> int:
    """Frames from 00:00:00:00 until it comes round again."""
    numbers = numbers_a_second(rate)
    return 86_400 * numbers - (_dropped(numbers) * 9 * 144 if drop else 0)


def format_timecode(frames: int, rate: Fraction, drop: bool = False) -> str:
    """The label of a frame: ``HH:MM:SS:FF``, or ``HH:MM:SS;FF`` with drop-frame.

    The first two numbers of each minute are left out, four at 60000/1001 frames a second, but not
    those of each tenth (SMPTE ST 12-1). A day later it begins anew.

    Args:
        frames: frames since 00:00:00:00, negative ones count from the day before.
        rate: frames a second.
        drop: leave out numbers.

    Raises:
        ValueError: there is no such time code at this rate.
    """
    numbers = numbers_a_second(rate)
    frames %= frames_a_day(rate, _checked(rate, drop))
    if drop:
        left_out = _dropped(numbers)
        tens, rest = divmod(frames, 600 * numbers - 9 * left_out)
        frames += 9 * left_out * tens
        if rest >= left_out:
            frames += left_out * ((rest - left_out) // (60 * numbers - left_out))
    seconds, number = divmod(frames, numbers)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d}{';' if drop else ':'}{number:02d}"


def parse_timecode(text: str, rate: Fraction) -> tuple[int, bool]:
    """Read a label.

    Args:
        text: ``HH:MM:SS:FF``; with ``;``, ``.`` or ``,`` before the frames it is drop-frame.
        rate: frames a second.

    Returns:
        Frames since 00:00:00:00, and whether numbers are dropped.

    Raises:
        ValueError: it is no time code, or none that there is at this rate.
    """
    parts = _LABEL.fullmatch(text.strip())
    if parts is None:
        raise ValueError(f"time code {text!r} must look like 01:02:03:04")
    hour, minute, second, number = (int(parts[group]) for group in (1, 2, 3, 5))
    drop = _checked(rate, parts[4] != ":")
    numbers = numbers_a_second(rate)
    if hour > 23 or number >= numbers:
        raise ValueError(f"time code {text!r} must be below 24 hours and {numbers} frames")
    minutes = 60 * hour + minute
    frames = (60 * minutes + second) * numbers + number
    if not drop:
        return frames, False
    left_out = _dropped(numbers)
    if second == 0 and number < left_out and minute % 10:
        raise ValueError(f"time code {text!r} is one of the numbers that drop-frame leaves out")
    return frames - left_out * (minutes - minutes // 10), True


def _dropped(numbers: int) -> int:
    """Numbers left out in a minute: 2 of 30, 4 of 60."""
    return numbers // 15


def _checked(rate: Fraction, drop: bool) -> bool:
    if drop and not can_drop(rate):
        raise ValueError(f"rate {rate} must be 30000/1001 or a multiple of it for drop-frame")
    return drop
