"""The logistic model, and the facts that it judges by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge.errors import ProfileError
from tempo_edge.models.description import Description
from tempo_edge.search.calibrate import (
    FEATURES,
    READ_FEATURES,
    Calibration,
    NullDistribution,
    fit_logistic,
    fit_monotone,
)
from tempo_edge.search.contrast import EVIDENCE, FRAMES_WEIGHT, SHOWN_FROM


def unit(rows: int, dim: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_fitting_recovers_a_known_law() -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(20_000, 3)) * [1, 10, 0.1] + [0, 5, 0]
    odds = 2.0 * x[:, 0] - 0.3 * (x[:, 1] - 5) + 0.0 * x[:, 2]
    present = generator.random(len(x)) < 1 / (1 + np.exp(-odds))
    weights, bias = fit_logistic(x, present, ridge=1e-3)
    assert weights[:2] == pytest.approx([2.0, -0.3], rel=0.1)
    assert abs(weights[2] * 0.1) < 0.1
    assert bias == pytest.approx(1.5, abs=0.2)


def test_classes_count_alike_whatever_the_mixture() -> None:
    generator = np.random.default_rng(1)
    here, gone = generator.normal(1, 1, (4000, 1)), generator.normal(-1, 1, (200, 1))
    present = np.arange(4200) < 4000
    weights, bias = fit_logistic(np.concatenate([here, gone]), present, ridge=1e-3)
    assert -bias / weights[0] == pytest.approx(0.0, abs=0.15)  # even odds lie halfway


def test_fitting_needs_both_kinds() -> None:
    with pytest.raises(ValueError, match="queries that do not"):
        fit_logistic(np.zeros((3, 2)), np.ones(3, dtype=bool))


@given(st.lists(st.floats(-1e6, 1e6), min_size=len(FEATURES), max_size=len(FEATURES)))
def test_confidence_is_a_probability(features: list[float]) -> None:
    judge = Calibration(np.linspace(-3, 3, len(FEATURES)), 0.5, 0.5)
    assert 0.0 <= judge.confidence(np.asarray(features)) <= 1.0


def test_confidence_rises_with_what_weighs_positively() -> None:
    judge = Calibration(np.eye(len(FEATURES))[1], 0.0, 0.5)
    low, high = np.zeros(len(FEATURES)), np.zeros(len(FEATURES))
    high[1] = 2.0
    assert judge.confidence(low) == 0.5
    assert judge.confidence(high) == pytest.approx(0.8808, abs=1e-4)


def test_the_stored_form_must_be_of_these_features() -> None:
    facts = {
        "features": list(FEATURES),
        "weights": [0] * len(FEATURES),
        "bias": 1,
        "threshold": 0.4,
    }
    assert Calibration.of(Description(Path("c.json"), facts)).threshold == 0.4
    for wrong in (["other"], ["rise", "rise"], [], "rise", [1]):
        with pytest.raises(ProfileError, match=r"c\.json: features must be some of \["):
            Calibration.of(Description(Path("c.json"), {**facts, "features": wrong}))


def test_features_that_a_calibration_does_not_name_weigh_nothing() -> None:
    """So one that was fitted before there was evidence judges as it did."""
    older = ["similarity", "above_background", "above_library", "rise", "fullness", "log_frames"]
    facts = {"features": older, "weights": [1, 2, 3, 4, 5, 6], "bias": 1, "threshold": 0.4}
    judge = Calibration.of(Description(Path("c.json"), facts))
    assert dict(zip(FEATURES, judge.weights, strict=True)) == {
        **dict.fromkeys(FEATURES, 0.0),
        **dict(zip(older, [1, 2, 3, 4, 5, 6], strict=True)),
    }
    assert not judge.has_contrast
    facts = {"features": ["sentence_rank"], "weights": [1], "bias": 1, "threshold": 0.4}
    assert Calibration.of(Description(Path("c.json"), facts)).has_contrast
    read = Calibration.of(Description(Path("c.json"), facts), READ_FEATURES)
    assert read.has_contrast and read.weights.tolist()[READ_FEATURES.index("sentence_rank")] == 1


def test_more_of_a_fact_never_speaks_against_a_span() -> None:
    generator = np.random.default_rng(2)
    x = generator.normal(size=(5000, 3))
    present = generator.random(5000) < 1 / (1 + np.exp(-(x[:, 0] - 0.7 * x[:, 1] + 0.5 * x[:, 2])))
    weights, _ = fit_monotone(x, present, ridge=1e-3)
    assert weights == pytest.approx([1.0, 0.0, 0.5], abs=0.15)
    assert (fit_monotone(-np.abs(x), present)[0] >= 0).all()
    half = fit_monotone(x, present, ridge=1e-3, offset=0.5 * x[:, 0])[0]
    assert half[0] == pytest.approx(weights[0] - 0.5, abs=0.05), "what is given is not fitted"


def test_what_frames_weigh_is_not_fitted() -> None:
    generator = np.random.default_rng(3)
    facts = generator.normal(size=(2000, len(EVIDENCE)))
    present = facts[:, 0] + generator.normal(size=2000) > 0
    judge = Calibration.fitted(facts, present, EVIDENCE)
    assert (
        judge.weights[-1] == FRAMES_WEIGHT
        and judge.weights[0] > 1
        and judge.threshold == SHOWN_FROM
    )


def test_chance_measures_both_crowds() -> None:
    query = unit(1, 16, 0)[0]
    background, sample = unit(500, 16, 1), unit(300, 16, 2)
    chance = NullDistribution.of(query, background, sample, frames=300)
    assert chance.background_mean == pytest.approx(float((background @ query).mean()), abs=1e-6)
    assert chance.library_mean == pytest.approx(float(np.median(sample @ query)), abs=1e-6)
    facts = dict(zip(FEATURES, chance.features(0.9, 0.8, 0.1), strict=True))
    assert facts["similarity"] == 0.9
    assert facts["above_background"] == pytest.approx(
        (0.9 - chance.background_mean) / chance.background_std
    )
    assert facts["fullness"] == pytest.approx(0.7 / 0.8)
    assert facts["log_frames"] == pytest.approx(np.log(300))


def test_a_library_of_one_frame_has_finite_facts() -> None:
    query = unit(1, 16, 0)[0]
    chance = NullDistribution.of(query, unit(10, 16, 1), query[None], frames=1)
    assert np.isfinite(chance.features(1.0, 1.0, 1.0)).all()
    empty = NullDistribution.of(query, unit(10, 16, 1), np.zeros((0, 16), np.float32), frames=0)
    assert np.isfinite(empty.features(0.0, 0.0, 0.0)).all()


def test_a_span_is_judged_by_how_far_it_stands_out_of_either_crowd() -> None:
    chance = NullDistribution(0.1, 0.2, 0.3, 0.4, 100)
    wanted = {
        **dict.fromkeys(EVIDENCE, 0.0),
        "similarity": 0.9,
        "above_background": 4.0,
        "above_library": 1.5,
        "rise": 2.5,
        "fullness": 0.25,
        "log_frames": np.log(100),
    }
    judged = dict(zip(FEATURES, chance.features(0.9, 0.525, 0.4), strict=True))
    assert judged == pytest.approx(wanted)


def test_a_library_of_one_frame_and_a_span_that_does_not_rise_are_judged_too() -> None:
    judged = NullDistribution(0.0, 1.0, 0.0, 1.0, 1).features(0.5, 0.5, 0.5)
    assert dict(zip(FEATURES, judged, strict=True))["log_frames"] == 0.0
    assert np.isfinite(judged).all()
    assert np.isfinite(NullDistribution(0.0, 1.0, 0.0, 1.0, 0).features(0.5, 0.5, 0.5)).all()
