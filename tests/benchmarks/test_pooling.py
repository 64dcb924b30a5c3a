"""Which mean over a shot's frames is measured, and by what."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.pooling import POOLS, Shots, figures


def test_pools_are_what_they_are_called() -> None:
    scores = np.array([[0.1, 0.4, 0.2], [0.3, 0.3, 0.3]], np.float32)
    wanted = {
        "best frame": 0.4,
        "mean of the best 2": 0.3,
        "mean of the best 4": 0.7 / 3,
        "mean": 0.7 / 3,
        "half best, half mean": (0.4 + 0.7 / 3) / 2,
        "generalised mean, power 8": ((0.1**8 + 0.4**8 + 0.2**8) / 3) ** 0.125,
    }
    for name, score in wanted.items():
        assert POOLS[name](scores) == pytest.approx([score, 0.3], rel=1e-5), name


def test_a_shot_is_found_by_the_pool_of_its_frames() -> None:
    shots = Shots(["a", "b"], [0, 2])
    scores = np.array(
        [[0.5, 0.5, 0.9, 0.0], [0.1, 0.1, 0.3, 0.3], [0.2, 0.2, 0.2, 0.2]], np.float32
    )
    asked = ["a", "b", "elsewhere"]
    assert figures(shots, scores, asked, POOLS["best frame"]) == (0.5, 1.0, 1.0)
    assert figures(shots, scores, asked, POOLS["mean"]) == (1.0, 1.0, 1.0)
