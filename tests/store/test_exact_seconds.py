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
