"""Time codes: labels of frames there and back, drop-frame and midnight included."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from benchmarks.fuzz.target import Refusal, Target, holds
from tempo_edge.media.timecode_track import TimecodeTrack
from tempo_edge.timeline.start_label import _of_tag, _of_track
from tempo_edge.timeline.timecode import (
    can_drop,
    format_timecode,
    frames_a_day,
    numbers_a_second,
    parse_timecode,
)

__all__ = ["TARGET"]

_RATES = [
    *("24", "25", "30", "48", "50", "60", "120", "1", "240", "29", "100"),
    *("24000/1001", "30000/1001", "48000/1001", "60000/1001", "120000/1001", "2997/100", "1/3"),
    *("599400/1001", "750", "1000", "1000000/1001", "1001", "1200"),
]

# As far as drop-frame strays from the clock: two numbers, and what a day adds, in seconds.
_STRAY = Fraction(1, 5)

_labels = st.one_of(
    st.from_regex(r"\A[0-9]{2}:[0-9]{2}:[0-9]{2}[:;.,][0-9]{2,3}\Z"),
    st.builds(
        "{:02d}:{:02d}:{:02d}{}{:02d}".format,
        st.integers(0, 24),
        st.integers(0, 60),
        st.sampled_from([0, 0, 1, 59, 60]),
        st.sampled_from(":;.,"),
        st.integers(0, 130),
    ),
    st.text(max_size=16),
)

_cases = st.fixed_dictionaries(
    {
        "frames": st.one_of(
            st.integers(-(10**7), 10**7),
            # Around whole minutes, where numbers are left out.
            st.builds(lambda m, n: m * 1798 + n, st.integers(-2000, 3000), st.integers(-40, 40)),
            st.integers(),
        ),
        "rate": st.one_of(
            st.sampled_from(_RATES),
            st.builds("{}/{}".format, st.integers(1, 10**6), st.integers(1, 10**4)),
        ),
        "drop": st.booleans(),
        "label": _labels,
    }
)


def _check(case: dict[str, Any], folder: Path) -> None:
    rate, frames, drop = Fraction(case["rate"]), case["frames"], case["drop"]
    _check_label(frames, rate, drop)
    _check_text(case["label"], rate)
    _check_start(case["label"], rate, frames, drop)


def _check_label(frames: int, rate: Fraction, drop: bool) -> None:
    with Refusal(ValueError) as refusal:
        label = format_timecode(frames, rate, drop)
        day = frames_a_day(rate, drop)
    if refusal.error is not None:
        counts = any((rate * each).denominator == 1 for each in (1, Fraction(1001, 1000)))
        counts = counts and Fraction(1000, 1001) <= rate <= 1000
        holds(not counts or (drop and not can_drop(rate)), f"{rate} a second is refused")
        return
    count, dropped = parse_timecode(label, rate)
    holds((count, dropped) == (frames % day, drop), f"{label} is read as frame {count}")
    holds(_counted_by_hand(label, rate) == count, f"{label} is not frame {count}")
    following = format_timecode(frames + 1, rate, drop)
    last = count == day - 1
    holds((_parts(following) > _parts(label)) != last, f"{following} follows {label}")
    if drop:
        *clock, number = _parts(label)
        told = (
            3600 * clock[0] + 60 * clock[1] + clock[2] + Fraction(number) / numbers_a_second(rate)
        )
        holds(abs(told - count / rate) < _STRAY, f"{label} is far from {float(count / rate)} s")


def _counted_by_hand(label: str, rate: Fraction) -> int:
    """The frame of a label, by counting what is left out minute by minute."""
    numbers = numbers_a_second(rate)
    hour, minute, second, number = _parts(label)
    minutes = 60 * hour + minute
    count = (60 * minutes + second) * numbers + number
    if ";" in label:
        count -= sum(numbers // 15 for each in range(1, minutes + 1) if each % 10)
    return count


def _parts(label: str) -> list[int]:
    return [int(part) for part in re.split("[:;]", label)]


def _check_text(text: str, rate: Fraction) -> None:
    with Refusal(ValueError):
        count, drop = parse_timecode(text, rate)
        holds(0 <= count < frames_a_day(rate, drop), f"{text!a} is read as frame {count}")
        label = format_timecode(count, rate, drop)
        same = _parts(re.sub("[;.,]", ":", text.strip())) == _parts(label)
        holds(same, f"{text!a} is frame {count}, whose label is {label}")


def _check_start(text: str, rate: Fraction, frames: int, drop: bool) -> None:
    """A file's own label: whatever it says, the file has a start, in one line if it surprises."""
    for label in (
        _of_tag(text, rate),
        _of_track(TimecodeTrack(frames % 2**31, rate, drop), Fraction(25)),
        _of_track(TimecodeTrack(frames % 2**31, Fraction(30000, 1001), drop), rate),
    ):
        holds(not label.drop or can_drop(label.rate), f"drops labels at {label.rate}")
        if label.drop:
            holds(0 <= label.frame < frames_a_day(label.rate, True), f"starts at {label.frame}")
        holds(label.remark is None or len(label.remark.splitlines()) == 1, "remarks several lines")


TARGET = Target(
    "timecodes",
    ("tempo_edge.timeline.timecode", "tempo_edge.timeline.start_label"),
    _cases,
    _check,
)
