"""Rewards: bounded, largest for the truth, nothing for a refusal of what is there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge import eta
from tempo_edge.moment import Span
from tempo_edge.train.grounder.grpo.rewards import (
    RewardWeights,
    advantages,
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
    assert reward(read_answer(answer, 60.0), true, weights) == pytest.approx(1.6)


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


@given(
    st.lists(st.lists(st.floats(0, 1), min_size=4, max_size=4), min_size=1, max_size=6),
    st.floats(0.1, 5),
    st.floats(-2, 2),
)
def test_advantages_do_not_depend_on_scale_or_shift(
    rows: list[list[float]], scale: float, shift: float
) -> None:
    rewards = np.round(np.array(rows), 3)
    found, alive = advantages(rewards)
    assert np.allclose(found.sum(axis=1), 0.0, atol=1e-4)
    assert np.allclose(found[alive].std(axis=1), 1.0, atol=1e-3)
    assert (found[~alive] == 0.0).all()
    again, still = advantages(rewards * scale + shift)
    assert (still == alive).all()
    assert np.allclose(again, found, atol=1e-2)


def test_groups_without_a_spread_are_named_dead() -> None:
    found, alive = advantages(np.array([[1.0, 1.0], [0.0, 1.0]]))
    assert alive.tolist() == [False, True]
    assert found.tolist() == [[0.0, 0.0], [-1.0, 1.0]]


def test_bad_shapes_and_weights_are_named() -> None:
    with pytest.raises(ValueError, match=r"rewards of shape \(3,\)"):
        advantages(np.zeros(3))
    with pytest.raises(ValueError, match=r"weight form 2\.0 must be within"):
        RewardWeights(form=2.0)
