"""Rewards: bounded, largest for the truth, nothing for a refusal of what is there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge import eta
from tempo_edge.moment import Span
from tempo_edge.train.grounder.grpo.operating_point import OperatingPoint
from tempo_edge.train.grounder.grpo.rewards import (
    RewardWeights,
    boundary_reward,
    grounding_reward,
    read_answer,
    reward,
)

TIMES = st.lists(st.integers(0, 600), max_size=8, unique=True)


def _spans(times: list[int]) -> list[tuple[float, float]]:
    times = sorted(times)
    return [(a / 10, b / 10) for a, b in zip(times[::2], times[1::2], strict=False)]


@given(TIMES, TIMES)
def test_rewards_are_bounded_and_the_truth_earns_most(a: list[int], b: list[int]) -> None:
    predicted, true = _spans(a), _spans(b)
    for earn in (grounding_reward, boundary_reward):
        assert 0.0 <= earn(predicted, true) <= 1.0
        assert earn(true, true) == pytest.approx(1.0)
    assert grounding_reward(predicted, true) == pytest.approx(grounding_reward(true, predicted))


@given(TIMES)
def test_refusing_earns_all_or_nothing(times: list[int]) -> None:
    true = _spans(times)
    assert grounding_reward([], true) == (0.0 if true else 1.0)
    assert grounding_reward([(0.0, 1.0)], []) == 0.0
    assert boundary_reward([], true) == (0.0 if true else 1.0)
    assert boundary_reward([(0.0, 1.0)], []) == 0.0


@given(TIMES)
def test_an_answer_is_paid_for_what_it_says(times: list[int]) -> None:
    true = _spans(times)
    answer = eta.say(Span(*span) for span in true)
    weights = RewardWeights(form=0.1, boundary=0.5)
    # Of a refusal the boundaries are no matter.
    expected = 1.6 if true else 1.1
    assert reward(read_answer(answer, 60.0), true, weights) == pytest.approx(expected)


def test_boundaries_are_paid_for_only_where_they_are_asked_for() -> None:
    """Half of what was there is found, and its end is half a second off: by hand."""
    said, true = [(10.0, 10.5)], [(10.0, 11.0)]
    assert reward(said, true) == pytest.approx(0.5 + 0.1)
    assert reward(said, true, RewardWeights(form=0.2)) == pytest.approx(0.5 + 0.2)
    near = (1.0 + np.exp(-1.0)) / 2
    assert reward(said, true, RewardWeights(form=0.0, boundary=1.0)) == pytest.approx(0.5 + near)


@pytest.mark.parametrize("answer", ["", "1.0", "5.0-4.0", "1.0-2.0;1.5-3.0", "1.0-99.0"])
def test_what_can_not_be_read_or_leaves_the_window_earns_nothing(answer: str) -> None:
    assert read_answer(answer, 60.0) is None
    assert reward(None, [(1.0, 2.0)]) == 0.0


def test_a_nearer_boundary_earns_more() -> None:
    true = [(10.0, 20.0)]
    earned = [boundary_reward([(10.0, 20.0 + off)], true) for off in (0.0, 0.3, 1.0, 5.0)]
    assert earned == sorted(earned, reverse=True)
    assert earned[0] == 1.0


def test_a_rightful_refusal_earns_what_it_is_told_to() -> None:
    weights = RewardWeights(form=0.1, boundary=0.5)
    assert reward([], [], weights, refusal=0.6) == pytest.approx(0.7)
    assert reward([], [(1.0, 2.0)], weights, refusal=0.6) == pytest.approx(0.1)
    assert reward([(1.0, 2.0)], [], weights, refusal=0.6) == pytest.approx(0.1)


@given(st.floats(0.05, 0.95), st.floats(0.15, 1.0), st.floats(0.0, 1.0))
def test_an_answer_pays_above_the_wanted_chance_and_not_below(
    above: float, iou: float, chance: float
) -> None:
    """By what it earns with such a chance of being there, against what a refusal earns."""
    point = OperatingPoint(above)
    point.see(np.array([iou, iou]), np.array([0.9, 0.4]))
    answering, refusing = chance * iou, (1.0 - chance) * point.refusal_reward
    if abs(chance - above) > 1e-6:
        assert (answering > refusing) == (chance > above)


def test_what_is_answered_says_what_a_refusal_earns() -> None:
    point = OperatingPoint(0.5)
    assert point.refusal_reward == 1.0, "nothing is known yet"
    point.see(np.zeros(0), np.zeros(0))
    assert point.earned is None
    point.see(np.array([0.9, 0.1]), np.array([0.75, 0.25]))
    assert point.refusal_reward == pytest.approx(0.7)  # by hand: the refused one counts little
    point.see(np.array([0.2]), np.array([1.0]))
    assert point.refusal_reward == pytest.approx(0.9 * 0.7 + 0.1 * 0.2)
    other = OperatingPoint(0.75)
    other.earned = point.earned
    assert other.refusal_reward == pytest.approx(3.0 * point.refusal_reward)


def test_spans_that_hit_nothing_do_not_make_refusals_worthless() -> None:
    point = OperatingPoint(0.5)
    point.see(np.array([0.0]), np.array([1.0]))
    assert point.refusal_reward == pytest.approx(0.1)


def test_bad_weights_are_named() -> None:
    with pytest.raises(ValueError, match=r"weight form 2\.0 must be within"):
        RewardWeights(form=2.0)
    for wrong in (0.0, 1.0):
        with pytest.raises(ValueError, match=r"answer_above \d\.0 must be within \(0, 1\)"):
            RewardWeights(answer_above=wrong)
