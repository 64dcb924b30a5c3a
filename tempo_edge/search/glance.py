"""A glance: how likely pictures show one term at a stretch of footage that its search did not give.

A search keeps the best of a whole library, and is judged as such: the best of many is high by
chance. At a stretch that is named already there is little to choose from, so a glance is judged as
the best of the few looks that it is taken of, or of more if several terms chose the place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from tempo_edge.moment import Span
from tempo_edge.search.calibrate import (
    Calibration,
    NullDistribution,
    log_odds,
    probability,
)
from tempo_edge.search.grounders.curve import by_curve
from tempo_edge.search.reels import Reels
from tempo_edge.search.similarity import CurveSettings, floor_of, segment_of, smoothed
from tempo_edge.search.window import Stretch, Window

__all__ = ["Glance"]

# What the log-odds of a span become at a place of what somebody asks for: slope and bias, fitted on
# shots of development composites as if every second one showed it (``python -m benchmarks.combined
# --fit``). At any place, where every fifth does, the calibration of a search is right as it is.
_SLOPE, _BIAS = 0.88, 1.63

# Footage on either side of a stretch that its similarity curve is drawn over, as in a search.
_CONTEXT_SECONDS = 60.0


@dataclass(frozen=True)
class Glance:
    """What pictures say of one term, wherever one looks.

    Attributes:
        vector: the unit vector of the term ``[d]``; ``null``: how it scores by chance.
        calibration, settings: how a span of the similarity curve is judged, and its shape.
        reels: the library's footage.
    """

    vector: NDArray[np.float32]
    null: NullDistribution
    calibration: Calibration
    settings: CurveSettings
    reels: Reels

    @cached_property
    def _among(self) -> Callable[[int], NullDistribution]:
        """The null distribution where only so many frames are looked at."""
        return cache(self.null.among)

    def likelihood(self, video: int, span: Span, chosen: float = 0.0) -> float:
        """Probability in [0, 1] that the term is shown at a span; 0 where no frame is known.

        Args:
            chosen: how much of the choice of this place among all of the library was the term's,
                in (0, 1]; 0 if it is only asked whether it is there as well.
        """
        window = self._window(video, span, _CONTEXT_SECONDS)
        if not len(window.pts):
            return 0.0
        first, last = _looks(window.edges, span)
        looks = last - first + 1
        null = self._among(round(looks * (max(self.null.frames, looks) / looks) ** chosen))
        curve = smoothed(window.similarities, window.cuts, self.settings.smooth)
        floor = floor_of(curve, window.edges, null.background_mean)
        segment = segment_of(window, curve, first, last, floor)
        vector = window.pooled(first, last)
        facts = null.features(segment.peak, segment.mean, segment.floor, vector)
        confidence = self.calibration.confidence(facts)
        return probability(_SLOPE * log_odds(confidence) + _BIAS) if chosen else confidence

    def spans(self, video: int, stretch: Span) -> Iterator[Span]:
        """The spans within a stretch that show the term best."""
        around = self._window(video, stretch, _CONTEXT_SECONDS)
        if around.stretch is None or not len(around.pts):
            return
        first, last = _looks(around.edges, stretch)
        window = around.stretch.window(int(around.pts[first]), int(around.pts[last]))
        for each in by_curve([window], self.null, self.settings, self.calibration):
            begin, end = first + each.segment.first, first + each.segment.last
            yield Span(float(around.edges[begin]), float(around.edges[end + 1]))

    def _window(self, video: int, stretch: Span, context_seconds: float) -> Window:
        """The frames of a stretch, and of the footage around it; nothing reaches over a hole."""
        facts = self.reels.video(video)

        start, base = float(facts.start_time), float(facts.time_base)

        def tick(seconds: float) -> int:
            return int((seconds + start) / base)

        first, last = facts.stretch(tick((stretch.start_seconds + stretch.end_seconds) / 2))
        low = max(first, tick(stretch.start_seconds - context_seconds))
        high = min(last, tick(stretch.end_seconds + context_seconds))
        return Stretch(self.vector, self.reels.looks(video, low, high)).widest


def _looks(edges: NDArray[np.float64], span: Span) -> tuple[int, int]:
    """The first and the last look, both inclusive, whose middles a span holds; at least one."""
    middles = (edges[:-1] + edges[1:]) / 2
    first, last = np.searchsorted(middles, [span.start_seconds, span.end_seconds]).tolist()
    if first < last:
        return first, last - 1
    middle = (span.start_seconds + span.end_seconds) / 2
    nearest = int(np.searchsorted(edges, middle, side="right")) - 1
    nearest = min(max(nearest, 0), len(middles) - 1)
    return nearest, nearest
