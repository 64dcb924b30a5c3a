"""A glance: how likely pictures show one term at a stretch of footage that its search did not give.

A search keeps the best of a whole library, and is judged as such: the best of many is high by
chance. At a stretch that is named already there is little to choose from, so a glance is judged as
the best of the few looks that it is taken of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tempo_edge.moment import Span
from tempo_edge.search.calibrate import Calibration, NullDistribution
from tempo_edge.search.grounders.curve import by_curve
from tempo_edge.search.similarity import CurveSettings, floor_of, segment_of, smoothed
from tempo_edge.search.window import Window, open_window
from tempo_edge.store.interface import Catalogue

__all__ = ["Glance"]

# Footage on either side of a stretch that its similarity curve is drawn over, as in a search.
_CONTEXT_SECONDS = 60.0


@dataclass(frozen=True)
class Glance:
    """What pictures say of one term, wherever one looks.

    Attributes:
        vector: the unit vector of the term ``[d]``; ``null``: how it scores by chance.
        calibration, settings: how a span of the similarity curve is judged, and its shape.
        catalogue: the library's rows, within a snapshot.
    """

    vector: NDArray[np.float32]
    null: NullDistribution
    calibration: Calibration
    settings: CurveSettings
    catalogue: Catalogue

    def likelihood(self, video: int, span: Span) -> float:
        """Probability in [0, 1] that the term is shown at a span; 0 where no frame is known."""
        window = self._window(video, span, _CONTEXT_SECONDS)
        if not len(window.pts):
            return 0.0
        first, last = _looks(window.edges, span)
        null = self.null.among(last - first + 1)
        curve = smoothed(window.similarities, window.cuts, self.settings.smooth)
        floor = floor_of(curve, window.edges, null.background_mean)
        segment = segment_of(window, curve, first, last, floor)
        vector = window.pooled(first, last)
        facts = null.features(segment.peak, segment.mean, segment.floor, vector)
        return self.calibration.confidence(facts)

    def spans(self, video: int, stretch: Span) -> Iterator[tuple[Span, float]]:
        """The spans of a stretch that show the term best, each with its probability."""
        window = self._window(video, stretch, 0.0)
        if not len(window.pts):
            return
        null = self.null.among(len(window.pts))
        for each in by_curve([window], null, self.settings, self.calibration):
            yield each.segment.span, each.confidence

    def _window(self, video: int, stretch: Span, context_seconds: float) -> Window:
        """The frames of a stretch, and of the footage around it; nothing reaches over a hole."""
        facts = self.catalogue.video(video)

        def tick(seconds: float) -> int:
            return int((seconds + float(facts.start_time)) / facts.time_base)

        first, last = facts.stretch(tick((stretch.start_seconds + stretch.end_seconds) / 2))
        low = max(first, tick(stretch.start_seconds - context_seconds))
        high = min(last, tick(stretch.end_seconds + context_seconds))
        return open_window(self.vector, self.catalogue, video, facts, low, high)


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
