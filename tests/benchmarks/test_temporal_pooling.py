"""Heads over the frames of a shot: they learn what frames have in time, and are told apart."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - the imports below need the train extra
from benchmarks._shot_heads import HEADS, fit, pooled, weights
from benchmarks._shots import Shots
from benchmarks.pooling import POOLS
from benchmarks.temporal_pooling import Measured, Outcome, of_scores, table
from tempo_edge.quantization import unit

DIM = 16
SAID = ("it opens", "it closes")
TEXTS = dict(zip(SAID, np.eye(DIM, dtype=np.float32)[:2], strict=True))


def _shots(count: int, seed: int) -> Shots:
    """Two pictures in either order: what a mean of frames can't tell apart."""
    rng = np.random.default_rng(seed)
    ends = np.eye(DIM, dtype=np.float32)[2:4]
    order = rng.integers(2, size=count)
    frames = np.stack([ends[[way, 1 - way]] for way in order])
    noise = 0.05 * rng.normal(size=frames.shape)
    said = [(SAID[way],) for way in order]
    return Shots(unit(np.float32(frames + noise)), said, [SAID[way] for way in order])


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("GRU", 0.95, 1.0), ("perceptron on the mean (no time)", 0.3, 0.7)],
)
def test_a_head_that_sees_time_learns_an_order(name: str, least: float, most: float) -> None:
    torch.set_num_threads(1)
    head = fit(HEADS[name], [_shots(120, 0)], TEXTS.__getitem__, epochs=60, seed=0)
    measured = _shots(80, 1)
    nearest = (pooled(head, measured) @ np.stack(list(TEXTS.values())).T).argmax(axis=1)
    right = np.mean([SAID[at] == label for at, label in zip(nearest, measured.labels, strict=True)])
    assert least <= right <= most


@pytest.mark.parametrize("name", HEADS)
def test_a_head_begins_as_the_mean_of_frames(name: str) -> None:
    shots = _shots(5, 0)
    head = HEADS[name](DIM).eval()
    assert np.allclose(pooled(head, shots), unit(shots.frames.mean(axis=1)), atol=1e-5)
    assert weights(HEADS[name](256)) < 50_000


def test_shots_are_named_and_found_by_the_scores_of_their_frames() -> None:
    eye = np.eye(4, dtype=np.float32)
    clips = Shots(eye[[[0, 1], [2, 2]]], [("zero",), ("two", "a pair")], ["zero", ""])
    still = Shots(eye[[[0, 3], [1, 1]]], [("three", "one"), ("one",)], ["", ""])
    vectors = {"zero": eye[0], "two": eye[2], "a pair": eye[1], "three": eye[3], "one": eye[1]}
    measured = Measured.of(clips, still, lambda text: vectors.get(text.split()[-1], eye[0]))
    outcome = measured.outcome(of_scores(POOLS["best frame"]))
    assert measured.labels == ["zero"]
    assert outcome.named[0] == 1.0 and np.isnan(outcome.named[1])
    assert outcome.found.tolist() == [0.5, 1.0]
    everyone = np.arange(2)
    assert outcome.figures(everyone, everyone)[::2] == [100.0, 75.0]


def test_a_difference_is_told_with_its_bounds_and_the_mean_of_seeds() -> None:
    right, count = np.eye(40, dtype=bool)[:8], 40

    def outcome(found: float) -> Outcome:
        scores = np.float32(right)
        return Outcome(np.ones(count), scores, right, np.full(count, found))

    lines = table({"mean": (0, [outcome(0.5)]), "GRU": (7, [outcome(0.6), outcome(1.0)])}, seed=0)
    assert lines[2] == "| mean | 0 | 100.0 | 100.0 | 50.0 |"
    assert lines[3].endswith("| 80.0 (+30.0 to +30.0) |")
    assert lines[3].startswith("| GRU | 7 | 100.0 (+0.0 to +0.0) |")
