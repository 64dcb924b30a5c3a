"""A boundary is said by the frame after it, and means the moment at which the picture changed."""

from __future__ import annotations

import numpy as np
import pytest

from tempo_edge import eta
from tempo_edge.moment import Span
from tempo_edge.search.grounders.boundaries import Boundaries
from tempo_edge.search.grounders.prompt import FrameTokens

# Frames at 0.0, 1.2, 3.0 (a cut) and 4.0; the window ends at 5.0.
WINDOW = Boundaries((0, 12, 30, 40, 50), np.array([0.0, 0.6, 3.0, 3.5, 5.0]))


def test_what_is_said_is_what_was_read_and_means_what_is_known() -> None:
    said = eta.read("1.2-3.0;4.0-5.0")
    assert WINDOW.frames(said) == [(1, 2), (3, 4)]
    assert WINDOW.spans(said) == [Span(0.6, 3.0), Span(3.5, 5.0)]


def test_true_spans_are_said_by_their_nearest_boundaries() -> None:
    assert eta.say(WINDOW.nearest([(0.5, 2.9), (3.4, 5.0)])) == "1.2-3.0;4.0-5.0"
    assert WINDOW.nearest([(0.01, 0.02)]) == [Span(0.0, 1.2)]


def test_its_grammar_knows_no_other_times() -> None:
    grammar = WINDOW.grammar()
    assert grammar.options() == ["0", "1", "3", "4", "none"]
    for word in ("4", ".0", "-"):
        grammar.take(eta.TOKEN[word])
    assert grammar.options() == ["5"]


def test_frames_of_one_tenth_can_not_be_told_apart_and_that_is_no_error() -> None:
    twins = Boundaries((0, 12, 12, 20), np.array([0.0, 1.2, 1.24, 2.0]))
    assert twins.spans(eta.read("1.2-2.0")) == [Span(1.2, 2.0)]
    assert twins.spans(eta.read("0.0-1.2")) == [Span(0.0, 1.2)]


def test_a_span_between_two_edges_of_one_time_is_none() -> None:
    """What lies beyond the last word is squeezed together there: nothing is shown for no time."""
    squeezed = Boundaries((0, 500, 998, 999), np.array([0.0, 50.0, 99.9, 99.9]))
    assert squeezed.spans(eta.read("99.8-99.9")) == []
    assert squeezed.spans(eta.read("0.0-50.0;99.8-99.9")) == [Span(0.0, 50.0)]


def test_true_spans_that_touch_are_two_and_those_that_cross_one() -> None:
    assert eta.say(WINDOW.nearest([(0.6, 3.0), (3.0, 5.0)])) == "1.2-3.0;3.0-5.0"
    assert eta.say(WINDOW.nearest([(0.6, 3.5), (3.0, 5.0)])) == "1.2-4.0"


def test_every_edge_needs_a_stamp() -> None:
    with pytest.raises(ValueError, match="2 stamps must be as many as edges: 3"):
        Boundaries((0, 1), np.zeros(3))


def test_frames_are_named_by_their_times_and_the_end_by_where_it_is() -> None:
    looks = [
        FrameTokens(s, False, np.ones(1), np.zeros(0, np.uint8), np.ones((0, 1))) for s in (0, 1.24)
    ]
    assert Boundaries.of(looks, np.array([0.0, 0.6, 5.04])).stamps == (0, 12, 50)


def test_of_many_true_spans_four_are_said() -> None:
    stamps = tuple(range(0, 110, 10))
    window = Boundaries(stamps, np.arange(11.0))
    true = [(float(start), start + 1.0) for start in range(0, 10, 2)]
    assert eta.say(window.nearest(true)) == "0.0-1.0;2.0-3.0;4.0-5.0;6.0-7.0"
