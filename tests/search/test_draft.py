"""A draft is what a threshold would answer, and is followed word by word."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge import eta
from tempo_edge.moment import Span
from tempo_edge.search.grounders.draft import FACTS, DraftAnswer
from tempo_edge.search.grounders.grammar import Grammar
from tempo_edge.search.similarity import CurveSettings

END = eta.TOKEN["[end]"]


def _followed(draft: DraftAnswer, said: list[int]) -> list[int]:
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
    cuts = np.zeros(len(heights), np.bool_)
    draft = DraftAnswer.of(np.array(heights), cuts, 0.0, stamps, CurveSettings())
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
    cuts, stamps = np.zeros(7, np.bool_), [0, 10, 20, 30, 40, 50, 60, 70]
    plain = CurveSettings(keep=0.55, seed=0.8, smooth=0.0, join_seconds=0.5)
    draft = DraftAnswer.of(heights, cuts, 6.5, stamps, plain)
    assert draft.ranges == ((1, 3), (4, 5))
    assert draft.spans == ((10, 30), (40, 50))  # 3.0 is in, but nothing to begin a span with
    assert draft.best == 2
    best, drop, mean, tallest, rise, tens, spans, share, fifties = draft.facts
    assert (best, drop, mean, tallest) == pytest.approx((5.0, 2.0, 4.5, 6.5))
    assert (rise, tens, spans) == pytest.approx((4.9, 0.2, 2.0))
    assert (share, fifties) == pytest.approx((3 / 7, 7 / 50))


def test_it_is_what_the_curve_grounder_would_say() -> None:
    heights = np.array([0.1, 4.0, 5.0, 0.0, 4.4, 0.2, 3.0])
    cuts, stamps = np.array([1, 0, 1, 0, 0, 0, 0], np.bool_), list(range(0, 80, 10))
    joined = DraftAnswer.of(heights, cuts, 6.5, stamps, CurveSettings(smooth=0.0, join_seconds=1.0))
    assert joined.spans == ((10, 50),)  # a second between them is a dip
    smoothed = DraftAnswer.of(
        heights, cuts, 6.5, stamps, CurveSettings(smooth=0.5, join_seconds=0.5)
    )
    assert smoothed.spans == ((30, 40),)  # between two that are like the query
    eager = DraftAnswer.of(heights, cuts, 6.5, stamps, CurveSettings(seed=0.5, join_seconds=0.5))
    assert eager.spans[-1] == (60, 70)


def test_where_an_answer_departs_the_next_span_counts() -> None:
    draft = DraftAnswer(((1, 2), (4, 6)), ((15, 30), (40, 62)), np.zeros(FACTS, np.float32), 0)
    assert eta.text(_followed(draft, eta.spell("3.5-"))) == "3.5-6.2"
    assert eta.text(_followed(draft, eta.spell("1.5-4.0;"))) == "1.5-4.0;4.0-6.2"
    assert draft.follow(eta.spell("2")) is None  # a second that it doesn't name
    assert draft.follow(eta.spell("7.0-")) is None
    assert draft.follow(eta.spell("1.5-5.0")) == END
    assert draft.follow(eta.spell("none")) == END
