"""Every path through the grammar is an answer, and every answer of the window is a path."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge import eta
from tempo_edge.moment import Span
from tempo_edge.search.grounders.grammar import Grammar

TIMES = st.lists(st.integers(0, 999), min_size=1, max_size=30)


def _walk(grammar: Grammar, rng: np.random.Generator) -> str:
    said: list[int] = []
    for _ in range(200):
        token = int(rng.choice(np.flatnonzero(grammar.token_mask())))
        grammar.take(token)
        if eta.WORDS[token] == "[end]":
            return eta.text(said)
        said.append(token)
    raise AssertionError("the answer never ended")


@given(TIMES, TIMES, st.integers(1, 5), st.integers(0, 99))
def test_whatever_is_said_is_an_answer_of_the_window(
    starts: list[int], ends: list[int], limit: int, seed: int
) -> None:
    answer = _walk(Grammar(starts, ends, limit), np.random.default_rng(seed))
    spans = eta.read(answer)
    assert len(spans) <= limit
    for span in spans:
        assert eta.tenths(span.start_seconds) in starts
        assert eta.tenths(span.end_seconds) in ends


@given(st.lists(st.integers(0, 999), min_size=2, max_size=10, unique=True))
def test_every_right_answer_can_be_said(times: list[int]) -> None:
    times.sort()
    spans = [Span(a / 10, b / 10) for a, b in zip(times[::2], times[1::2], strict=False)]
    grammar = Grammar(times, times, limit=5)
    for token in eta.spell(eta.say(spans)):
        grammar.take(token)
    assert "[end]" in grammar.options()


def test_spans_may_touch_and_none_is_empty() -> None:
    grammar = Grammar([10, 20, 30], [20, 30, 40])
    for word in ("2", ".0", "-"):
        grammar.take(eta.TOKEN[word])
    assert grammar.options() == ["3", "4"]
    for word in ("3", ".0"):
        grammar.take(eta.TOKEN[word])
    assert grammar.options() == [";", "[end]"]
    grammar.take(eta.TOKEN[";"])
    assert grammar.options() == ["3"]


def test_a_window_without_room_for_a_span_can_only_be_refused() -> None:
    grammar = Grammar([50], [50])
    assert grammar.options() == ["none"]
    grammar.take(eta.TOKEN["none"])
    assert grammar.options() == ["[end]"]


def test_a_token_out_of_place_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"token '-' must be one of \['1', 'none'\]"):
        Grammar([10], [20]).take(eta.TOKEN["-"])


@pytest.mark.parametrize(
    ("starts", "limit", "complaint"),
    [
        ([-1], 1, "starts -1 must be within"),
        ([1000], 1, "starts 1000 must be within"),
        ([1], 0, "limit 0 must be at least 1"),
    ],
)
def test_bad_windows_are_named(starts: list[int], limit: int, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Grammar(starts, [5], limit)


def test_every_span_begins_where_the_last_one_ended_or_later() -> None:
    grammar = Grammar([0, 10, 20, 30, 40], [10, 20, 30, 40, 50])
    for token in eta.spell("0.0-1.0;2.0-3.0"):
        grammar.take(token)
    grammar.take(eta.TOKEN[";"])
    assert grammar.options() == ["3", "4"]
