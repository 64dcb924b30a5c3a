"""What calibration is measured on: made-up libraries, and the evidence of their best frames."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks._asked import LARGE, Asked, Draw, Picture, draws
from benchmarks._training_pairs import pair_odds
from benchmarks.calibration import Vectors, facts_of, fitted, made_of, made_up, measured
from benchmarks.small_libraries import FOOTAGE, confidences
from tempo_edge.models import load_profile
from tempo_edge.quantization import unit
from tempo_edge.search.fitted import calibration_of

PICTURES = [Picture("set", f"{i}.jpg", (f"caption {i}",), None, 1 + i % 3) for i in range(60)]
QUERIES = [Asked(f"caption {i}", "set", (i,)) for i in range(40)] + [Asked("away", "elsewhere", ())]


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    """Texts near their pictures, pictures of several views."""
    generator = np.random.default_rng(0)
    base = generator.normal(size=(60, 32)).astype(np.float32)
    shown = np.concatenate(
        [base[i] + 0.3 * generator.normal(size=(p.views, 32)) for i, p in enumerate(PICTURES)]
    )
    texts = np.concatenate([base[:40], base[:1]]) + 0.5 * generator.normal(size=(41, 32))
    others = [unit(generator.normal(size=(n, 32)).astype(np.float32)) for n in (100, 500, 200)]
    captions = others[-1] + 0.1 * generator.normal(size=(200, 32))
    others.append(unit(captions.astype(np.float32)))
    return Vectors(unit(shown.astype(np.float32)), unit(texts.astype(np.float32)), *others)


def test_a_query_is_asked_with_and_without_what_it_is_true_of() -> None:
    drawn = draws(PICTURES, QUERIES, seed=1)
    assert {bool(draw.here) for draw in drawn} == {True, False}
    for draw in drawn:
        true = QUERIES[draw.query].true
        assert not set(true) & set(draw.library.tolist()) and set(draw.here) <= set(true)
    assert {draw.size for draw in drawn} >= {6, LARGE}
    assert [d.query for d in drawn] == [d.query for d in draws(PICTURES, QUERIES, seed=1)]


def test_evidence_tells_present_from_absent_in_every_profile(vectors: Vectors) -> None:
    drawn = draws(PICTURES, QUERIES, seed=1)
    for each in (vectors, *made_of(vectors, 1).values()):
        facts = facts_of(each, PICTURES, QUERIES, drawn, 1)
        assert len(facts.start) == len(facts.present) == len(drawn)
        assert facts.right.sum() >= facts.present.sum()
        small = facts.size != LARGE
        score = facts.evidence @ fitted([facts]).weights
        top = score[facts.best(score)]
        assert top[small & facts.present].mean() > top[small & ~facts.present].mean() + 0.5
        assert set(measured(facts, score)) == {"auroc", "right", "alarms"}


def test_small_libraries_are_held_against_three_kinds_of_footage(vectors: Vectors) -> None:
    small = [draw for draw in draws(PICTURES, QUERIES, seed=1) if draw.size <= 60]
    judge = calibration_of(load_profile("nano"), "curve")
    present = np.array([bool(draw.here) for draw in small])
    for name in FOOTAGE:
        found = confidences(vectors, PICTURES, small, name, judge)
        assert found.shape == present.shape
        assert found[present].mean() > found[~present].mean() + 0.1, name


def test_the_odds_of_a_pair_are_those_of_training(vectors: Vectors) -> None:
    scale, bias = pair_odds(vectors.trained, vectors.captions)
    odds = scale * (vectors.trained @ vectors.captions.T) + bias
    assert (odds.diagonal() > 0).mean() > 0.95
    assert (odds[~np.eye(200, dtype=bool)] > 0).mean() < 0.001
    drawn = draws(PICTURES, QUERIES[:9], seed=1)
    facts = facts_of(vectors, PICTURES, QUERIES, drawn, 1)
    with_pair = facts.with_pair(vectors).evidence
    np.testing.assert_allclose(with_pair[:, 0], scale * facts.similarity + bias)
    np.testing.assert_array_equal(with_pair[:, 1:], facts.evidence)


def test_the_best_of_millions_of_frames_is_what_drawing_them_all_would_give(
    vectors: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.calibration.LARGE", 200_000)
    firsts = np.cumsum([0, *[picture.views for picture in PICTURES]])
    draw, query = Draw(0, LARGE, np.arange(1, 60), ()), vectors.texts[0]
    generator = np.random.default_rng(3)
    similar = vectors.pictures @ query
    quick = [
        (made_up(vectors, firsts, draw, query, similar, generator)[0] @ query).max()
        for _ in range(40)
    ]
    base = vectors.pictures[firsts[1:60]]
    all_of_them = []
    for _ in range(10):
        noise = generator.normal(0, 0.6 / 32**0.5, (200_000, 32)).astype(np.float32)
        frames = unit(base[np.arange(200_000) % 59] + noise)
        all_of_them.append((frames @ query).max())
    assert np.mean(quick) == pytest.approx(np.mean(all_of_them), abs=0.05)
