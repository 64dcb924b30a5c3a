"""Seconds of a video's ticks are rounded once."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from tempo_edge.store.rows import VideoRow


def test_seconds_are_exact_far_from_the_start() -> None:
    video = VideoRow("h264", 1, 1, 1.0, None, Fraction(1001, 30000), Fraction(1, 3))
    pts = np.asarray([2**53 + 1], np.int64)
    exact = (2**53 + 1) * Fraction(1001, 30000) - Fraction(1, 3)
    assert video.seconds(pts)[0] == float(exact)


def test_seconds_are_the_same_however_they_are_worked_out() -> None:
    """Whether whole numbers fit into a float or not."""
    drawn = np.random.default_rng(0).integers(-(2**53), 2**53, 400) >> np.arange(400) % 50
    for base in (Fraction(1, 90_000), Fraction(1001, 30_000), Fraction(1, 2**40)):
        for start in (Fraction(0), Fraction(1, 3), Fraction(-7, 11)):
            video = VideoRow("h264", 1, 1, 1.0, None, base, start)
            exact = [float(int(tick) * base - start) for tick in drawn]
            assert video.seconds(drawn).tolist() == exact
            assert video.seconds(drawn[:1] >> 30).tolist() == [
                float(int(drawn[0] >> 30) * base - start)
            ]
    assert video.seconds(np.zeros(0, np.int64)).shape == (0,)
