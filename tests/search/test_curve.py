"""The `curve` grounder on curves drawn by hand and at random."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge.search.grounders.curve import cut_out
from tempo_edge.search.similarity import CurveSettings
from tempo_edge.search.window import Window
from tempo_edge.store.rows import VideoRow

VIDEO = VideoRow("h264", 64, 48, 100.0, None, Fraction(1, 1000), Fraction(0))
SETTINGS = CurveSettings(keep=0.5, seed=0.8, smooth=0.0, join_seconds=0.0)


def window(similarities: list[float], cuts: list[int] = [], step: float = 1.0) -> Window:  # noqa: B006
    count = len(similarities)
    return Window(
        1,
        VIDEO,
        np.arange(count, dtype=np.int64) * 1000,
        np.arange(count + 1) * step,
        np.isin(np.arange(count), cuts),
        np.asarray(similarities, dtype=np.float32),
    )


def test_a_span_reaches_as_far_as_the_curve_stays_up() -> None:
    (bump,) = cut_out(window([0, 0, 0, 0.6, 1, 0.7, 0.1, 0, 0]), SETTINGS, chance=0.0)
    assert (bump.span.start_seconds, bump.span.end_seconds) == (3.0, 6.0)
    assert (bump.first, bump.last) == (3, 5)
    assert bump.peak == 1.0
    assert bump.mean == pytest.approx((0.6 + 1 + 0.7) / 3)
    assert bump.floor == 0.0


def test_an_event_that_comes_twice_gives_two_spans() -> None:
    curve = window([0, 0.9, 0, 0, 0, 0, 1, 1, 0, 0])
    spans = [(b.span.start_seconds, b.span.end_seconds) for b in cut_out(curve, SETTINGS, 0.0)]
    assert spans == [(6.0, 8.0), (1.0, 2.0)]


def test_a_short_dip_is_no_end() -> None:
    curve = window([0, 0.9, 0.1, 1, 1, 0, 0, 0, 0.9], step=0.5)
    settings = CurveSettings(keep=0.5, smooth=0.0, join_seconds=0.5)
    one, other = cut_out(curve, settings, 0.0)
    assert (one.span.start_seconds, one.span.end_seconds) == (0.5, 2.5)
    assert (one.first, one.last, one.peak) == (1, 4, 1.0)
    assert one.mean == pytest.approx(0.75)
    assert other.span.start_seconds == 4.0


def test_what_touches_a_span_is_no_span_of_its_own() -> None:
    """Or the shoulder of a peak, too low to belong to it, would come in by the back door."""
    eager = CurveSettings(keep=0.8, seed=0.5, smooth=0.0, join_seconds=0.0)
    curve = window([0, 0, 0.6, 1, 0.7, 0, 0, 0.6, 0])
    spans = [(b.span.start_seconds, b.span.end_seconds) for b in cut_out(curve, eager, 0.0)]
    assert spans == [(3.0, 4.0), (7.0, 8.0)]


def test_a_far_lower_bump_is_no_span_of_its_own() -> None:
    assert len(cut_out(window([0, 0.7, 0, 0, 0, 1, 0, 0]), SETTINGS, 0.0)) == 1


def test_footage_of_one_thing_all_along_is_one_span() -> None:
    steady = window([0.80, 0.84, 0.79, 0.82, 0.81])
    (whole,) = cut_out(steady, SETTINGS, chance=0.1)
    assert (whole.span.start_seconds, whole.span.end_seconds) == (0.0, 5.0)
    bits = cut_out(steady, SETTINGS, chance=np.inf)
    assert bits[0].span.duration_seconds < 3  # what the floor of chance is for


def test_smoothing_stays_within_a_shot() -> None:
    settings = CurveSettings(keep=0.5, smooth=0.25)
    joined = cut_out(window([0, 0, 0, 1, 0, 0]), settings, 0.0)[0].peak
    apart = cut_out(window([0, 0, 0, 1, 0, 0], cuts=[3, 4]), settings, 0.0)[0].peak
    assert joined == pytest.approx(0.5)
    assert apart == 1.0


def test_long_frames_weigh_more_in_the_floor() -> None:
    curve = window([0.5, 0.1, 0.1, 0.9])
    long_first = Window(
        1, VIDEO, curve.pts, np.asarray([0.0, 90, 91, 92, 93]), curve.cuts, curve.similarities
    )
    assert cut_out(long_first, SETTINGS, chance=1.0)[0].floor == pytest.approx(0.5)


@given(
    st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=40),
    st.lists(st.integers(0, 39), max_size=8),
    st.floats(-1, 1),
    st.sampled_from([0.0, 0.2, 0.5]),
)
def test_spans_are_disjoint_ordered_and_inside(
    values: list[float], cuts: list[int], chance: float, smooth: float
) -> None:
    curve = window(values, cuts)
    bumps = cut_out(curve, CurveSettings(keep=0.6, smooth=smooth, join_seconds=0), chance, limit=5)
    assert 1 <= len(bumps) <= 5
    assert [b.peak for b in bumps] == sorted((b.peak for b in bumps), reverse=True)
    spans = sorted(bump.span for bump in bumps)
    assert spans[0].start_seconds >= 0
    assert spans[-1].end_seconds <= len(values)
    for one, other in itertools.pairwise(spans):
        assert one.end_seconds < other.start_seconds  # touching spans would be one
    for bump in bumps:
        assert bump.floor <= max(chance, max(values)) + 1e-6
        assert bump.first <= bump.last


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"keep": 0.0}, "keep 0.0"),
        ({"keep": 1.0}, "keep 1.0"),
        ({"seed": 1.5}, "seed 1.5"),
        ({"smooth": 0.6}, "smooth 0.6"),
        ({"join_seconds": -1.0}, "join_seconds -1.0"),
        ({"likeness": -0.1}, "likeness -0.1"),
        ({"likeness": 1.1}, "likeness 1.1"),
        ({"noise": -0.1}, "noise -0.1"),
    ],
)
def test_settings_refuse_nonsense(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CurveSettings(**wrong)
