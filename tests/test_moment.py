"""Spans: their arithmetic, their validation, and how times are printed."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tempo_edge.capture.facts import Capture
from tempo_edge.moment import LEAD_SECONDS, Copy, Moment, Span, format_timestamp, merge_spans

# Milliseconds up to a week: sums of such floats are exact enough to compare.
instants = st.integers(-10_000, 604_800_000).map(lambda ms: ms / 1000)
spans = st.tuples(instants, st.integers(1, 600_000)).map(lambda t: Span(t[0], t[0] + t[1] / 1000))


@given(spans, spans)
def test_overlap_is_symmetric_and_within_both(one: Span, two: Span) -> None:
    shared = one.intersection_seconds(two)
    assert shared == two.intersection_seconds(one)
    assert 0 <= shared <= min(one.duration_seconds, two.duration_seconds)
    assert one.iou(two) == pytest.approx(two.iou(one))
    assert 0 <= one.iou(two) <= 1


@given(spans)
def test_a_span_overlaps_itself_wholly(span: Span) -> None:
    assert span.iou(span) == 1
    assert span.intersection_seconds(span) == span.duration_seconds > 0


@given(spans, st.integers(1, 100_000))
def test_spans_that_touch_share_nothing(span: Span, ms: int) -> None:
    """Half-open: the end of one is the start of the other."""
    after = Span(span.end_seconds, span.end_seconds + ms / 1000)
    assert span.intersection_seconds(after) == 0
    assert span.iou(after) == 0


def test_iou_of_a_known_pair() -> None:
    assert Span(0, 10).iou(Span(5, 15)) == pytest.approx(1 / 3)
    assert Span(0, 10).iou(Span(2, 4)) == pytest.approx(0.2)
    assert Span(0, 10).intersection_seconds(Span(5, 15)) == 5


@pytest.mark.parametrize("bounds", [(1, 1), (2, 1), (0.0, -0.0)])
def test_an_empty_span_is_refused(bounds: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match=r"must end after it starts"):
        Span(*bounds)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_span_without_finite_bounds_is_refused(bad: float) -> None:
    for bounds in ((0.0, bad), (bad, 1.0)):
        with pytest.raises(ValueError, match=r"must have finite bounds"):
            Span(*bounds)


def test_spans_sort_by_their_start() -> None:
    assert sorted([Span(2, 3), Span(1, 9), Span(1, 4)]) == [Span(1, 4), Span(1, 9), Span(2, 3)]


# -- merging -----------------------------------------------------------------------------------

gaps = st.integers(0, 5_000).map(lambda ms: ms / 1000)


@given(st.lists(spans, max_size=30), gaps)
def test_merged_spans_are_sorted_and_further_apart_than_the_gap(
    some: list[Span], gap: float
) -> None:
    merged = merge_spans(some, gap)
    for before, after in pairwise(merged):
        assert after.start_seconds > before.end_seconds + gap


@given(st.lists(spans, max_size=30), gaps)
def test_every_span_lies_in_one_that_is_merged(some: list[Span], gap: float) -> None:
    merged = merge_spans(some, gap)
    for span in some:
        assert any(
            m.start_seconds <= span.start_seconds and span.end_seconds <= m.end_seconds
            for m in merged
        )
    starts, ends = {s.start_seconds for s in some}, {s.end_seconds for s in some}
    assert all(m.start_seconds in starts and m.end_seconds in ends for m in merged)


@given(st.lists(spans, max_size=30), gaps)
def test_merging_twice_or_in_another_order_changes_nothing(some: list[Span], gap: float) -> None:
    merged = merge_spans(some, gap)
    assert merge_spans(merged, gap) == merged
    assert merge_spans(reversed(some), gap) == merged


@given(st.lists(spans, max_size=30))
def test_without_a_gap_merging_covers_the_same_time(some: list[Span]) -> None:
    merged = merge_spans(some)
    for instant in {s.start_seconds for s in some} | {s.end_seconds for s in some}:
        inside = any(s.start_seconds <= instant < s.end_seconds for s in some)
        assert inside == any(m.start_seconds <= instant < m.end_seconds for m in merged)


def test_merging_known_spans() -> None:
    assert merge_spans([]) == []
    assert merge_spans([Span(5, 6), Span(1, 2), Span(2, 3)]) == [Span(1, 3), Span(5, 6)]
    assert merge_spans([Span(0, 9), Span(2, 3)]) == [Span(0, 9)]
    assert merge_spans([Span(0, 1), Span(2, 3), Span(4.5, 5)], 1.0) == [Span(0, 3), Span(4.5, 5)]


# -- moments -----------------------------------------------------------------------------------


def moment(**changes: object) -> Moment:
    facts: dict[str, object] = {
        "path": Path("/films/a.mp4"),
        "start_seconds": 1.23456,
        "end_seconds": 4.0,
        "score": 3.14159,
        "confidence": 0.98765,
        "profile": "nano",
    }
    return Moment(**{**facts, **changes})  # type: ignore[arg-type]


def test_a_moment_as_plain_values() -> None:
    values = moment().as_dict()
    assert json.loads(json.dumps(values)) == {
        "path": "/films/a.mp4",
        "start_seconds": 1.235,
        "end_seconds": 4.0,
        "cue_seconds": 1.235,
        "score": 3.1416,
        "confidence": 0.9877,
        "profile": "nano",
        "offline": False,
        "copies": [],
        "found_by": ["picture"],
        "text": "",
        **Capture().as_dict(),
    }
    said = moment(found_by=("subtitle", "picture"), text="a boat").as_dict()
    assert (said["found_by"], said["text"]) == (["subtitle", "picture"], "a boat")
    for wrong in ((), ("picture", "smell")):
        with pytest.raises(ValueError, match="must name some of picture, subtitle"):
            moment(found_by=wrong)
    assert moment().span == Span(1.23456, 4.0)
    copied = moment(copies=(Copy(Path("/films/b.mkv"), 2.34567, 5.0, True),)).as_dict()
    assert json.loads(json.dumps(copied))["copies"] == [
        {"path": "/films/b.mkv", "start_seconds": 2.346, "end_seconds": 5.0, "offline": True}
    ]
    with pytest.raises(ValueError, match="must end after it starts"):
        Copy(Path("/films/b.mkv"), 2.0, 2.0)


def test_a_line_of_words_is_played_from_shortly_before() -> None:
    said = moment(found_by=("speech", "picture"))
    assert said.cue_seconds == 1.23456 - LEAD_SECONDS
    assert said.as_dict()["cue_seconds"] == 0.735
    assert moment(found_by=("picture", "speech")).cue_seconds == 1.23456
    assert moment(found_by=("speech",), start_seconds=0.2).cue_seconds == 0


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"end_seconds": 1.0}, "must end after it starts"),
        ({"start_seconds": math.nan}, "must have finite bounds"),
        ({"score": math.inf}, "score inf must be finite"),
        ({"confidence": 1.01}, r"confidence 1.01 must be within \[0, 1\]"),
        ({"confidence": -0.5}, r"confidence -0.5 must be within \[0, 1\]"),
        ({"confidence": math.nan}, r"confidence nan must be within \[0, 1\]"),
    ],
)
def test_a_moment_validates_itself(changes: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        moment(**changes)


# -- timestamps --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "00:00.0"),
        (12.44, "00:12.4"),
        (12.46, "00:12.5"),
        (59.94, "00:59.9"),
        (59.96, "01:00.0"),
        (600, "10:00.0"),
        (3599.96, "1:00:00.0"),
        (3600, "1:00:00.0"),
        (3725.5, "1:02:05.5"),
        (360_000, "100:00:00.0"),
    ],
)
def test_timestamps(seconds: float, text: str) -> None:
    assert format_timestamp(seconds) == text


@given(st.floats(0, 10**7))
def test_a_timestamp_can_be_read_back(seconds: float) -> None:
    assume(abs(seconds * 10 % 1 - 0.5) > 1e-3)
    *hours, minutes, rest = format_timestamp(seconds).split(":")
    assert len(minutes) == 2 and len(rest) == 4
    assert int(minutes) < 60 and float(rest) < 60
    read = int(hours[0] if hours else 0) * 3600 + int(minutes) * 60 + float(rest)
    assert read == pytest.approx(seconds, abs=0.051)


@pytest.mark.parametrize("bad", [-0.1, math.nan, math.inf])
def test_times_that_can_not_be_printed_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="must be finite and not negative"):
        format_timestamp(bad)
