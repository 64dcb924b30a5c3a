"""Candidates: spans that may answer a query, each with how likely it does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tempo_edge.moment import Span
from tempo_edge.search.calibrate import FEATURES, log_odds
from tempo_edge.search.similarity import Segment
from tempo_edge.search.window import Window

if TYPE_CHECKING:
    from tempo_edge.search.grounders.context_window import Grounding

__all__ = ["Candidate", "distinct", "rivals_of"]

# Two spans in one video that overlap by this much are one answer.
_SAME = 0.3

# A span whose log-odds are no more than this below those of the best is nearly as likely.
_NEARLY = 1.0


@dataclass(frozen=True)
class Candidate:
    """A span before it is judged worth showing.

    Attributes:
        window: the footage it lies in; ``segment``: its frames there, and how they look from
            outside.
        features: the facts it is judged by; those of :data:`FEATURES` are the last of them.
        confidence: probability in [0, 1] that the query occurs there.
        grounding: what a model answered about it, if one was asked.
    """

    window: Window
    segment: Segment
    features: NDArray[np.float64]
    confidence: float
    grounding: Grounding | None = None

    @property
    def score(self) -> float:
        """Standard deviations above what the query scores on unrelated pictures."""
        return float(self.features[FEATURES.index("above_background") - len(FEATURES)])


def distinct(found: Iterable[Candidate]) -> list[Candidate]:
    """The most likely first, without those that overlap a better one of the same video."""
    ordered = sorted(
        found, key=lambda c: (-c.confidence, -c.score, c.window.video_id, c.segment.span)
    )
    kept: list[Candidate] = []
    spans: dict[int, list[Span]] = {}
    for candidate in ordered:
        taken = spans.setdefault(candidate.window.video_id, [])
        span = candidate.segment.span
        if all(span.iou(other) < _SAME for other in taken):
            taken.append(span)
            kept.append(candidate)
    return kept


def rivals_of(ordered: Sequence[tuple[int, float]]) -> int:
    """How many other videos have a span that is nearly as likely as the first, which is the best.

    Args:
        ordered: the id of a video, and the confidence of a span of it, for each.

    The best of many is likely by chance; what is really there stands out of the others.
    """
    if not ordered:
        return 0
    level = log_odds(ordered[0][1]) - _NEARLY
    near = {video for video, confidence in ordered if log_odds(confidence) >= level}
    return len(near - {ordered[0][0]})
