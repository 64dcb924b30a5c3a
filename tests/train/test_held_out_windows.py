"""Figures of held-out windows: kinds of absent questions apart, seeing and blind."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

pytest.importorskip("torch")

from tempo_edge.train.grounder.examples import Example, Kind
from tempo_edge.train.grounder.held_out_windows import (
    Judged,
    blind_twins,
    dev_score,
    figures,
    threshold_at,
)

EDGES = np.array([0.0, 5.0, 10.0])
SPAN = (0.0, 5.0)
NOTHING = (9.0, 10.0)


def _example(
    kind: Kind, shown: Sequence[int] = (0,), about: Sequence[int] = (0,), query: str = ""
) -> Example:
    spans = (SPAN,) if kind == "present" else ()
    return Example((), EDGES, query, spans, kind, shown=frozenset(shown), about=frozenset(about))


def _judged(
    right: Sequence[bool],
    present: Sequence[float],
    answered: Sequence[bool],
    blind: Sequence[float] | None = None,
) -> Judged:
    spans = [[SPAN if yes else NOTHING] for yes in right]
    unseen = np.full(len(spans), math.nan) if blind is None else np.array(blind)
    return Judged(spans, np.array(present, float), np.array(answered, bool), unseen)


def test_kinds_of_absent_questions_are_told_apart() -> None:
    kinds: list[Kind] = ["present", "present", "swap", "swap", "lookalike", "easy"]
    judged = _judged(
        [True, False, False, False, False, False],
        [0.9, 0.6, 0.7, 0.2, 0.8, 0.1],
        [True, True, True, False, True, False],
        [0.5, 0.4, 0.6, 0.45, 0.1, math.nan],
    )
    found = figures([_example(kind) for kind in kinds], judged)
    assert (found["r1_at_0.5"], found["r1_at_0.7"], found["mean_iou"]) == (50.0, 50.0, 50.0)
    alarms = [found[f"false_alarms_{kind}"] for kind in ("easy", "lookalike", "swap")]
    assert alarms == [0.0, 100.0, 50.0]
    assert found["reject_f1"] == 66.7  # two of four absent ones refused, nothing missed
    seeing = [found[f"auroc_{kind}"] for kind in ("easy", "lookalike", "swap")]
    assert seeing == [100.0, 50.0, 75.0]
    assert found["auroc_hard"] == 66.7 and found["auroc"] == 75.0
    assert found["auroc_swap_blind"] == 25.0 and found["auroc_lookalike_blind"] == 100.0
    assert found["auroc_hard_blind"] == 50.0
    assert math.isnan(found["auroc_easy_blind"])


def test_grounders_are_compared_where_as_much_is_answered() -> None:
    """Whoever refuses nearly everything by its own lights has the same figures at 85 %."""
    count = 20
    kinds: list[Kind] = ["present"] * count + ["swap"] * 4
    scores = [*np.linspace(1.0, 0.05, count), 0.99, 0.22, 0.21, 0.01]
    right = [True] * 10 + [False] * 14
    examples = [_example(kind) for kind in kinds]
    shy = figures(examples, _judged(right, scores, [at == 0 for at in range(24)]))
    bold = figures(examples, _judged(right, scores, [True] * 24))
    assert shy["answered"] == 5.0 and bold["answered"] == 100.0
    for row in (shy, bold):
        # Seventeen of twenty are answered, from 0.2 on: and with them three of four swaps.
        assert row["answered_at_85"] == 85.0
        assert row["false_alarms_swap_at_85"] == 75.0
        assert row["r1_at_0.7_at_85"] == 50.0
        assert dev_score(row) == pytest.approx((row["auroc_hard"] + 50.0) / 2)


def test_windows_without_cuts_are_told_apart() -> None:
    kinds: list[Kind] = ["present", "swap", "present", "swap", "lookalike"]
    examples = [replace(_example(kind), uncut=at > 1) for at, kind in enumerate(kinds)]
    judged = _judged([True, False, False, False, False], [0.9, 0.1, 0.4, 0.8, 0.2], [True] * 5)
    found = figures(examples, judged)
    assert found["r1_at_0.7_at_85"] == 50.0
    assert found["r1_at_0.7_at_85_with_cuts"] == found["auroc_hard_with_cuts"] == 100.0
    assert found["r1_at_0.7_at_85_without_cuts"] == 0.0
    assert found["auroc_hard_without_cuts"] == 50.0
    alone = figures(
        examples[:2], replace(judged, **{name: value[:2] for name, value in vars(judged).items()})
    )
    assert alone["r1_at_0.7_at_85_with_cuts"] == 100.0
    assert math.isnan(alone["r1_at_0.7_at_85_without_cuts"])


def test_a_score_leaves_out_what_was_not_measured() -> None:
    assert dev_score({"auroc_hard": math.nan, "r1_at_0.7_at_85": 40.0}) == 40.0
    assert dev_score({"auroc_hard": math.nan, "r1_at_0.7_at_85": math.nan}) == 0.0
    empty = figures([_example("swap")], _judged([False], [0.5], [True]))
    assert empty["false_alarms_swap"] == 100.0 and math.isnan(empty["r1_at_0.7"])


@given(st.lists(st.floats(0, 1), min_size=1), st.floats(0.01, 1))
def test_a_threshold_answers_the_share_that_is_wanted_and_no_more(
    scores: list[float], share: float
) -> None:
    present: NDArray[np.float64] = np.array(scores)
    at = threshold_at(present, share)
    assert (present >= at).mean() >= share - 1e-9
    assert (present > at).mean() < share + 1e-9
    assert threshold_at(np.array([]), share) == math.inf


@given(st.lists(st.integers(0, 5), min_size=2, max_size=20), st.integers(0, 100))
def test_a_blind_twin_asks_the_same_of_footage_that_shows_nothing_of_it(
    pictures: list[int], seed: int
) -> None:
    examples = [
        _example("present" if at % 2 else "swap", (picture, 9), (picture,), f"{at}")
        for at, picture in enumerate(pictures)
    ]
    twins = blind_twins(examples, np.random.default_rng(seed))
    for example, twin in zip(examples, twins, strict=True):
        others = [other for other in examples if example.about.isdisjoint(other.shown)]
        if not others:
            assert twin is None
        elif twin is not None:
            assert (twin.query, twin.kind) == (example.query, example.kind)
            assert twin.spans == () and example.about.isdisjoint(twin.shown)
            assert twin.shown in [other.shown for other in others]
    if len(set(pictures)) > 1:
        assert any(twin is not None for twin in twins)
