"""Moments of one subject over jump cuts, of two subjects side by side, and in parts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tempo_edge.quantization import quantize, unit
from tempo_edge.search.calibrate import FEATURES, Calibration, NullDistribution
from tempo_edge.search.candidates import Candidate
from tempo_edge.search.grounders.curve import by_curve
from tempo_edge.search.similarity import CurveSettings
from tempo_edge.search.window import Window
from tempo_edge.store.rows import VideoRow

DIM = 8
CENTRE: NDArray[np.float32] = np.zeros(DIM, np.float32)
CHANCE = NullDistribution(0.0, 0.1, 0.0, 0.1, 1000, centre=CENTRE)
SHAPE = CurveSettings(keep=0.7, smooth=0.0, likeness=0.7, noise=4.0)

# Even odds at two standard deviations above chance.
ABOVE = np.array([1.0 if name == "above_background" else 0.0 for name in FEATURES])
CALIBRATION = Calibration(ABOVE, -2.0, 0.5)

# A shot: what it shows, and the similarity to the query of each of its looks.
Shot = tuple[int, Sequence[float]]


def film(*shots: Shot, step: float = 2.0) -> Window:
    """Shots of subjects, numbered, each look `step` seconds long; a hard cut before each."""
    vectors, cuts = [], []
    for subject, similarities in shots:
        for at, similarity in enumerate(similarities):
            vector = np.zeros(DIM, np.float32)
            vector[0], vector[1 + subject] = similarity, np.sqrt(1 - similarity**2)
            vectors.append(vector)
            cuts.append(at == 0)
    count = len(vectors)
    packed = quantize(np.stack(vectors))
    row = VideoRow("h264", 64, 48, count * step, None, Fraction(1, 1000), Fraction(0))
    return Window(
        1,
        row,
        np.arange(count, dtype=np.int64) * round(1000 * step),
        np.arange(count + 1) * step,
        np.asarray(cuts),
        unit(packed.astype(np.float32))[:, 0],
        packed,
    )


def found(window: Window, *, parts: bool = False) -> list[Candidate]:
    return by_curve([window], CHANCE, SHAPE, CALIBRATION, parts=parts)


def spans(window: Window, *, parts: bool = False) -> list[tuple[float, float]]:
    ends = [candidate.segment.span for candidate in found(window, parts=parts)]
    return sorted((span.start_seconds, span.end_seconds) for span in ends)


# Drums in five takes, which the towers see well in some of them and hardly in others.
DRUMS = film((0, [0.5, 0.5]), (0, [0.2, 0.2, 0.25]), (0, [0.48]), (0, [0.2]), (0, [0.45, 0.2]))


def test_one_subject_over_jump_cuts_is_one_moment() -> None:
    assert spans(DRUMS) == [(0.0, 18.0)]


def test_its_parts_are_told_where_they_are_asked_for() -> None:
    assert spans(DRUMS, parts=True) == [(0.0, 4.0), (10.0, 12.0), (14.0, 16.0)]


def test_a_moment_is_as_likely_as_its_likeliest_part() -> None:
    (whole,), parts = found(DRUMS), found(DRUMS, parts=True)
    assert whole.confidence == max(part.confidence for part in parts)
    assert whole.segment.peak == pytest.approx(max(part.segment.peak for part in parts))
    assert whole.segment.mean < min(part.segment.mean for part in parts)


def test_another_subject_beside_it_is_no_part_of_it() -> None:
    """However long it is, and though what was asked for is seen in it a little."""
    window = film((1, [0.2, 0.25, 0.2, 0.2]), (0, [0.5, 0.3, 0.5]), (2, [0.2, 0.2, 0.25]))
    assert spans(window) == [(8.0, 14.0)]


def test_two_occurrences_with_another_subject_between_them_stay_two() -> None:
    window = film((0, [0.5, 0.4]), (1, [0.1, 0.15, 0.1]), (0, [0.5, 0.3]))
    assert spans(window) == [(0.0, 4.0), (10.0, 14.0)]


def test_where_the_same_pictures_clearly_no_longer_show_it_a_moment_ends() -> None:
    """The camera stays where it is, but what was asked for has stopped."""
    assert spans(film((0, [0.5, 0.5, 0.5, -0.3, -0.3, -0.3]))) == [(0.0, 6.0)]


def test_a_blurred_look_ends_nothing() -> None:
    assert spans(film((0, [0.5, 0.45]), (3, [0.2]), (0, [0.5, 0.5]), step=1.0)) == [(0.0, 5.0)]


def test_without_pictures_the_curve_alone_decides() -> None:
    blind = NullDistribution(0.0, 0.1, 0.0, 0.1, 1000)
    candidates = by_curve([DRUMS], blind, SHAPE, CALIBRATION)
    assert len(candidates) > 1


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.lists(st.floats(-0.5, 0.9), min_size=1, max_size=4)),
        min_size=1,
        max_size=8,
    )
)
def test_moments_hold_all_parts_and_stay_apart(shots: list[Shot]) -> None:
    window = film(*shots)
    whole, parts = found(window), found(window, parts=True)
    ends = sorted((c.segment.first, c.segment.last) for c in whole)
    assert all(one[1] + 1 < other[0] for one, other in itertools.pairwise(ends))
    for part in parts:
        (around,) = [e for e in ends if e[0] <= part.segment.first <= part.segment.last <= e[1]]
        of = next(c for c in whole if (c.segment.first, c.segment.last) == around)
        assert of.confidence >= part.confidence
    assert len(whole) <= len(parts)
