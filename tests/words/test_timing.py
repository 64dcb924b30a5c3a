"""Lines are in order, within the film, and once where they were repeated."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge.media.text_tracks import Cue
from tempo_edge.words import timing
from tempo_edge.words.line import Line
from tempo_edge.words.timing import timed


def cue(start: float, end: float | None, text: str = "a word") -> Cue:
    return Cue(Fraction(start), None if end is None else Fraction(end), text)


def spans(*cues: Cue, end_seconds: float = 100.0) -> list[tuple[float, float, str]]:
    found = timed(cues, end_seconds).spans
    return [(span.start_seconds, span.end_seconds, span.text) for span in found]


def test_they_are_put_in_order_and_may_overlap() -> None:
    assert spans(cue(5, 9, "two"), cue(1, 6, "one")) == [(1, 6, "one"), (5, 9, "two")]


def test_an_end_that_is_missing_or_wrong_is_when_the_next_one_begins() -> None:
    assert spans(cue(1, None, "a"), cue(4, 3, "b"), cue(6, 6, "c"), cue(30, None, "d")) == [
        *((1, 4, "a"), (4, 6, "b"), (6, 16, "c"), (30, 40, "d"))
    ]
    assert spans(cue(1, None, "a"), cue(1, None, "b")) == [(1, 11, "a"), (1, 11, "b")]
    assert spans(cue(1, None, "a"), cue(3, None, "")) == [(1, 3, "a")], "silence ends a line"


def test_they_are_within_the_film() -> None:
    found = timed([cue(-5, 2, "a"), cue(-5, 0, "b"), cue(9, 99, "c"), cue(10, 11, "d")], 10.0)
    assert [(each.start_seconds, each.end_seconds) for each in found.spans] == [(0, 2), (9, 10)]
    assert found.outside == 2 and found.remark == "2 of 4 lines lie outside the film"


def test_what_is_repeated_at_once_is_one_line() -> None:
    moving = [cue(n / 25, (n + 1) / 25, f"{{\\pos({n},1)}}sign") for n in range(100)]
    assert spans(*moving, cue(10, 11, "sign")) == [(0, 4, "sign"), (10, 11, "sign")]


def test_no_more_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "MOST_LINES", 3)
    found = timed([cue(n, n + 0.25, f"word {n}") for n in range(10)], 100.0)
    assert len(found.spans) == 3 and found.more == 7
    assert "7 lines more than 3 are left out" in found.remark


times = st.fractions(min_value=-(10**9), max_value=10**9, max_denominator=90_000)


@given(
    st.lists(st.builds(Cue, times, st.none() | times, st.sampled_from(["a", "b", "", "{\\p1}m"]))),
    st.floats(0.04, 1e6),
)
def test_whatever_they_claim(cues: list[Cue], end_seconds: float) -> None:
    found = timed(cues, end_seconds)
    starts = [span.start_seconds for span in found.spans]
    assert starts == sorted(starts)
    for span in found.spans:
        assert span.end_seconds <= end_seconds
        Line(span.start_seconds, span.end_seconds, "subtitle", span.text)  # which checks itself
    spoken = sum(cue.text in ("a", "b") for cue in cues)
    assert len(found.spans) + found.outside <= spoken
