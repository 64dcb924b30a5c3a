"""The ``curve`` grounder: spans cut out of a similarity curve by hysteresis.

It reads one number a frame, knows nothing of order or change, and is the baseline that a model
which reads the frames must beat.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tempo_edge.search.calibrate import FEATURES, Calibration, NullDistribution
from tempo_edge.search.candidates import Candidate, distinct
from tempo_edge.search.grounders.base import Grounder
from tempo_edge.search.grounders.prompt import Question
from tempo_edge.search.similarity import (
    CurveSettings,
    Segment,
    find_peaks,
    floor_of,
    segment_of,
    smoothed,
)
from tempo_edge.search.window import Window

__all__ = ["CurveGrounder", "by_curve", "continued", "cut_out"]

# Spans of one window at most, and pieces that they may be joined of.
_SPANS, _PIECES = 4, 16


class CurveGrounder(Grounder):
    """Cuts spans out of similarity curves: a matter of milliseconds."""

    name: ClassVar[str] = "curve"
    calibration: ClassVar[str | None] = None
    features: ClassVar[tuple[str, ...]] = FEATURES
    is_quick: ClassVar[bool] = True

    def ground(
        self,
        question: Question,
        windows: Sequence[Window],
        null: NullDistribution,
        calibration: Calibration,
        checkpoint: Callable[[], None] = lambda: None,
    ) -> list[Candidate]:
        """Spans that stand out of the curves; see :meth:`Grounder.ground`."""
        return by_curve(windows, null, self.materials.settings, calibration, checkpoint)


def by_curve(
    windows: Sequence[Window],
    null: NullDistribution,
    settings: CurveSettings,
    calibration: Calibration,
    checkpoint: Callable[[], None] = lambda: None,
) -> list[Candidate]:
    """Spans cut out of similarity curves, most likely first."""

    found: list[Candidate] = []
    for window in windows:
        checkpoint()

        def is_answer(similarity: float, segment: Segment, window: Window = window) -> bool:
            vector = window.pooled(segment.first, segment.last)
            features = null.features(similarity, similarity, segment.floor, vector)
            return calibration.confidence(features) >= calibration.threshold

        for segment in _spans(window, settings, null.background_mean, is_answer):
            vector = window.pooled(segment.first, segment.last)
            features = null.features(segment.peak, segment.mean, segment.floor, vector)
            found.append(Candidate(window, segment, features, calibration.confidence(features)))
    return distinct(found)


def _spans(
    window: Window,
    settings: CurveSettings,
    chance: float,
    is_answer: Callable[[float, Segment], bool],
) -> list[Segment]:
    """The best spans of a window, each with all the pieces that continue it."""
    pieces = cut_out(window, settings, chance, limit=_PIECES)
    best = pieces[:_SPANS]
    if not best or not is_answer(best[0].peak, best[0]):
        return best
    whole = continued(window, settings, pieces, is_answer)
    return [span for span in whole if any(span.first <= each.first <= span.last for each in best)]


def cut_out(
    window: Window, settings: CurveSettings, chance: float, limit: int = 4
) -> list[Segment]:
    """Spans of a window, highest peak first; they don't overlap.

    Args:
        chance: what the query scores on unrelated pictures. The floor is no higher than this, or
            a film that shows one thing all along would be cut into the bits that show it best.
        limit: most spans to give; the first is always given.
    """
    curve = smoothed(window.similarities, window.cuts, settings.smooth)
    floor = floor_of(curve, window.edges, chance)
    segments = [
        segment_of(window, curve, first, last - 1, floor)
        for first, last in find_peaks(curve, window.edges, settings, floor, limit)
    ]
    return sorted(segments, key=lambda segment: -segment.peak)


def continued(
    window: Window,
    settings: CurveSettings,
    segments: Sequence[Segment],
    is_answer: Callable[[float, Segment], bool],
) -> list[Segment]:
    """Segments of one window with those made one between which nothing ends, in time order.

    A curve that dips is no end where the dip, taken as a span of its own, would be an answer: a
    clip shows its thing better and worse, while the camera moves and from shot to shot. A cut is no
    end by itself: what is shown before and after it may be the same.

    Args:
        is_answer: whether a segment is one, by its mean similarity.
    """
    joined: list[Segment] = []
    curve = smoothed(window.similarities, window.cuts, settings.smooth)
    for segment in sorted(segments, key=lambda segment: segment.first):
        if joined and _goes_on(window, curve, joined[-1], segment, is_answer):
            segment = segment_of(window, curve, joined.pop().first, segment.last, segment.floor)
        joined.append(segment)
    return joined


def _goes_on(
    window: Window,
    curve: NDArray[np.float64],
    before: Segment,
    after: Segment,
    is_answer: Callable[[float, Segment], bool],
) -> bool:
    """Whether what lies between two segments would be an answer by itself."""
    first, last = before.last + 1, after.first - 1
    if first > last:
        return True
    dip = segment_of(window, curve, first, last, after.floor)
    return is_answer(dip.mean, dip)
