"""A draft is what a threshold would answer, and is followed word by word."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge import eta
from tempo_edge.moment import Span
from tempo_edge.search.draft import FACTS, Draft, rises
from tempo_edge.search.grammar import Grammar

END = eta.TOKEN["[end]"]


def _followed(draft: Draft, said: list[int]) -> list[int]:
    """What is said when every next word is the draft's."""
    said = list(said)
    while len(said) < 40:
        token = draft.follow(said)
        if token is None or token == END:
            break
        said.append(token)
    return said


@given(
    heights=st.lists(st.floats(-3, 8), min_size=1, max_size=40),
    gaps=st.lists(st.integers(0, 24), min_size=41, max_size=41),
)
def test_to_follow_a_draft_is_to_say_its_spans(heights: list[float], gaps: list[int]) -> None:
    stamps = np.cumsum([0, *gaps])[: len(heights) + 1].tolist()
    if stamps[-1] >= 10 * eta.LONGEST_SECONDS:
        return
    draft = Draft.of(np.array(heights), 0.0, stamps)
    assert draft.facts.shape == (FACTS,) and np.isfinite(draft.facts).all()
    if not draft.spans:  # all that is drafted lies within one tenth
        assert draft.follow(()) is None
        return
    said = _followed(draft, [])
    assert eta.text(said) == eta.say([Span(a / 10, b / 10) for a, b in draft.spans])
    # And whatever it says is allowed.
    grammar = Grammar(stamps[:-1], stamps[1:])
    for token in [*said, END]:
        grammar.take(token)


def test_spans_are_runs_that_reach_nearly_the_best() -> None:
    heights = np.array([0.1, 4.0, 5.0, 0.0, 4.4, 0.2, 3.0])
    assert rises(heights).tolist() == [False, True, True, False, True, False, True]
    draft = Draft.of(heights, 6.5, [0, 10, 20, 30, 40, 50, 60, 70])
    assert draft.spans == ((10, 30), (40, 50))  # 3.0 is in, but nothing to begin a span with
    assert draft.best == 2
    best, drop, mean, tallest, rise, tens, spans, share, fifties = draft.facts
    assert (best, drop, mean, tallest) == pytest.approx((5.0, 2.0, 4.5, 6.5))
    assert (rise, tens, spans) == pytest.approx((4.9, 0.2, 2.0))
    assert (share, fifties) == pytest.approx((3 / 7, 7 / 50))


def test_where_an_answer_departs_the_next_span_counts() -> None:
    draft = Draft(((15, 30), (40, 62)), np.zeros(FACTS, np.float32), 0)
    assert eta.text(_followed(draft, eta.spell("3.5-"))) == "3.5-6.2"
    assert eta.text(_followed(draft, eta.spell("1.5-4.0;"))) == "1.5-4.0;4.0-6.2"
    assert draft.follow(eta.spell("2")) is None  # a second that it doesn't name
    assert draft.follow(eta.spell("7.0-")) is None
    assert draft.follow(eta.spell("1.5-5.0")) == END
    assert draft.follow(eta.spell("none")) == END
