"""The ``curve`` grounder: spans cut out of a similarity curve by hysteresis.

It reads one number a frame, knows nothing of order or change, and is the baseline that a model
which reads the frames must beat.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from tempo_edge.search.calibrate import FEATURES, Calibration, NullDistribution
from tempo_edge.search.candidates import Candidate, distinct
from tempo_edge.search.continuity import joined
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

__all__ = ["CurveGrounder", "by_curve", "cut_out"]


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
        *,
        parts: bool = False,
    ) -> list[Candidate]:
        """Spans that stand out of the curves; see :meth:`Grounder.ground`."""
        settings = self.materials.settings
        return by_curve(windows, null, settings, calibration, checkpoint, parts=parts)


def by_curve(
    windows: Sequence[Window],
    null: NullDistribution,
    settings: CurveSettings,
    calibration: Calibration,
    checkpoint: Callable[[], None] = lambda: None,
    *,
    parts: bool = False,
) -> list[Candidate]:
    """Spans cut out of similarity curves, most likely first; with `parts` none is joined."""
    found: list[Candidate] = []
    for window in windows:
        checkpoint()
        pieces = []
        for segment in cut_out(window, settings, null.background_mean):
            vector = window.pooled(segment.first, segment.last)
            features = null.features(segment.peak, segment.mean, segment.floor, vector)
            pieces.append(Candidate(window, segment, features, calibration.confidence(features)))
        curve = smoothed(window.similarities, window.cuts, settings.smooth)
        found += pieces if parts else joined(pieces, curve, settings, null)
    return distinct(found)


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
