"""Time code against counting, and against OpenTimelineIO's arithmetic."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tempo_edge.timeline.timecode import can_drop, format_timecode, frames_a_day, parse_timecode

NTSC_30, NTSC_60 = Fraction(30000, 1001), Fraction(60000, 1001)
RATES = [
    *(Fraction(rate) for rate in (10, 24, 25, 30, 50, 60)),
    *(Fraction(24000, 1001), NTSC_30, Fraction(48000, 1001), NTSC_60),
]


def labels(numbers: int, left_out: int, minutes: int) -> list[str]:
    """Every label there is, by leaving out what drop-frame leaves out."""
    return [
        f"{minute // 60:02d}:{minute % 60:02d}:{second:02d};{number:02d}"
        for minute, second, number in product(range(minutes), range(60), range(numbers))
        if not (second == 0 and number < left_out and minute % 10)
    ]


@pytest.mark.parametrize(("rate", "numbers", "left_out"), [(NTSC_30, 30, 2), (NTSC_60, 60, 4)])
def test_drop_frame_counts_like_a_list_of_the_labels(
    rate: Fraction, numbers: int, left_out: int
) -> None:
    every = labels(numbers, left_out, 61)
    # One turn of the rule, which is ten minutes, the beginning of the next, and the hour.
    turn, hour = frames_a_day(rate, True) // 144, frames_a_day(rate, True) // 24
    for at in (*range(turn + 90 * numbers), *range(hour - 90 * numbers, len(every))):
        assert format_timecode(at, rate, True) == every[at]
        assert parse_timecode(every[at], rate) == (at, True)
    assert every[frames_a_day(rate, True) // 24].startswith("01:00:00;00")


@given(st.sampled_from(RATES), st.booleans(), st.integers(0, 24 * 3600 * 60))
@example(NTSC_30, False, 2589408)
def test_labels_read_back_and_are_those_of_opentimelineio(
    rate: Fraction, drop: bool, frames: int
) -> None:
    otio = pytest.importorskip("opentimelineio")
    drop = drop and can_drop(rate)
    frames %= frames_a_day(rate, drop)
    label = format_timecode(frames, rate, drop)
    assert parse_timecode(label, rate) == (frames, drop)
    if rate in (10, 48000 / Fraction(1001)):
        return  # rates that OpenTimelineIO has no time code for
    if can_drop(rate) and frames >= frames_a_day(rate, True):
        return  # it ends every day where one with labels left out ends
    time = otio.opentime.RationalTime(frames, float(rate))
    assert otio.opentime.to_timecode(time, float(rate), drop) == label


@given(st.sampled_from([NTSC_30, NTSC_60]), st.integers(0, 24 * 3600 * 59))
def test_drop_frame_stays_near_the_clock(rate: Fraction, frames: int) -> None:
    """Within four frames and the 86 ms that it loses in a day."""
    frames %= frames_a_day(rate, True)
    hours, minutes, rest = format_timecode(frames, rate, True).split(":")
    seconds, number = rest.split(";")
    shown = int(hours) * 3600 + int(minutes) * 60 + int(seconds) + int(number) / round(rate)
    assert abs(shown - float(frames / rate)) < 0.16


def test_a_day_later_it_begins_anew() -> None:
    assert format_timecode(frames_a_day(NTSC_30, True), NTSC_30, True) == "00:00:00;00"
    assert format_timecode(-1, NTSC_30, True) == "23:59:59;29"
    assert format_timecode(-1, Fraction(25)) == "23:59:59:24"


@pytest.mark.parametrize("rate", [Fraction(600_000, 1001), Fraction(750_000, 1001), Fraction(1000)])
def test_fast_rates_are_counted_as_long_as_their_labels_can_be_read(rate: Fraction) -> None:
    drop = rate == Fraction(750_000, 1001)
    last = frames_a_day(rate, drop) - 1
    assert parse_timecode(format_timecode(last, rate, drop), rate) == (last, drop)


@pytest.mark.parametrize(
    ("text", "rate", "error"),
    [
        ("1:2:3:4", 25, "time code '1:2:3:4' must look like 01:02:03:04"),
        ("00:00:00:25", 25, "time code '00:00:00:25' must be below 24 hours and 25 frames"),
        ("24:00:00:00", 25, "time code '24:00:00:00' must be below 24 hours and 25 frames"),
        ("00:00:00;00", 25, "rate 25 must be 30000/1001 or a multiple of it for drop-frame"),
        ("00:01:00;01", NTSC_30, "'00:01:00;01' is one of the numbers that drop-frame leaves out"),
        ("00:00:00:00", Fraction(29), None),
        ("00:00:00:00", Fraction(59, 2), "rate 59/2 must be a whole number from 1 to 1000, or one"),
        ("00:00:00:00", 1001, "rate 1001 must be a whole number from 1 to 1000, or one times"),
    ],
)
def test_what_is_no_time_code_says_so(text: str, rate: Fraction, error: str | None) -> None:
    if error is None:
        assert parse_timecode(text, Fraction(rate)) == (0, False)
        return
    with pytest.raises(ValueError) as caught:
        parse_timecode(text, Fraction(rate))
    assert error in str(caught.value)
