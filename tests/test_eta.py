"""The language of times: what is said can be read, and is said about the right instant."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge import eta
from tempo_edge.moment import Span


@given(st.fractions(0, 10_000))
def test_a_time_is_said_to_the_nearest_tenth(seconds: Fraction) -> None:
    said = Fraction(eta.stamp(seconds)[1:-2])
    assert abs(said - seconds) <= Fraction(1, 20)


def test_halves_do_not_depend_on_binary_fractions() -> None:
    assert eta.stamp(Fraction(1, 20)) == "<0.1s>"
    assert eta.stamp(Fraction(3, 20)) == "<0.2s>"
    assert eta.stamp(Fraction(1001, 30000) * 30) == "<1.0s>"


@given(st.lists(st.integers(0, 30_000), min_size=0, max_size=10, unique=True))
def test_answers_are_read_as_they_were_meant(times: list[int]) -> None:
    times.sort()
    spans = [Span(a / 10, b / 10) for a, b in zip(times[::2], times[1::2], strict=False)]
    assert eta.read(eta.say(reversed(spans))) == spans


@given(st.lists(st.integers(0, 999), max_size=8), st.lists(st.integers(0, 999), max_size=8))
def test_what_is_spelled_is_the_same_text(frames: list[int], answer: list[int]) -> None:
    said = "".join(eta.stamp(Fraction(tenths, 10)) for tenths in frames)
    said += "-".join(eta.number(tenths) for tenths in answer)
    assert eta.text(eta.spell(said)) == said
    assert len(eta.spell(said)) <= 2 * len(frames) + 3 * len(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "12.4",
        "12.4-",
        "12-13",
        "1.0-2.0;",
        "01.0-2.0",
        "3.0-2.0",
        "2.0-3.0;1.0-4.0",
        "1.0-2.00",
    ],
)
def test_what_is_no_answer_is_refused(answer: str) -> None:
    with pytest.raises(ValueError, match=r"answer|must end after"):
        eta.read(answer)


def test_a_time_before_its_window_is_refused() -> None:
    with pytest.raises(ValueError, match=r"time -0\.1 lies before its window"):
        eta.stamp(-0.1)


def test_a_time_without_a_word_is_named() -> None:
    with pytest.raises(ValueError, match="a time beyond 100 s, which has no word"):
        eta.spell("<123.4s>")


def test_a_foreign_word_is_named() -> None:
    with pytest.raises(ValueError, match="no word at 'x'"):
        eta.spell("1.1x")
