"""Highlight detection: are the clips of a video ranked as its annotators value them?

After QVHighlights: a video is a row of 2-second clips, each of three annotators values each clip
with 0 to 4 (0 outside the moment), and a clip is a highlight to an annotator who gives it at least
a minimum. Average precision is taken for each annotator and averaged; Hit@1 asks whether the
highest clip is a highlight to any of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tempo_edge.evaluation.metrics.precision import Floats, envelope

SALIENCY: Mapping[str, int] = {"Fair": 2, "Good": 3, "VeryGood": 4}
HIGHEST = 4


@dataclass(frozen=True)
class HighlightScores:
    """Percent over all queries: mean average precision, and Hit@1."""

    queries: int
    mean_ap: float
    hit1: float


def clip_average_precision(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """Interpolated average precision of clip scores [C] for positive clips [C]: a share.

    Clips of equal score are taken together: there is one precision and one recall a score. The
    mean is over the scores at which recall rises. Without a positive clip it is 0.
    """
    if not positive.any():
        return 0.0
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)  # of its score
    found = np.cumsum(positive[order])[last]
    precisions = envelope(found / (np.flatnonzero(last) + 1))
    return float(precisions[np.diff(found, prepend=0) > 0].mean())


def fit_length(scores: Sequence[float], clips: int) -> Floats:
    """Scores for exactly `clips` clips, float64 [clips]: cut at the end, or filled up with 0."""
    kept = np.asarray(scores[:clips], np.float64)
    return np.pad(kept, (0, clips - len(kept)))


def score_highlights(
    predictions: Sequence[Sequence[float]],
    saliency: Sequence[NDArray[np.int64]],
    minimum: int,
) -> HighlightScores:
    """Judge clip scores against values [clips, annotators] of at least `minimum`, query by query.

    The first of equally high clips is the highest, and one past the video's end hits nothing.

    Raises:
        ValueError: lengths differ, `minimum` is outside 1 to 4, scores are missing or not finite,
            or values are not of clips and annotators.
    """
    if not 1 <= minimum <= HIGHEST:
        raise ValueError(f"minimum {minimum} must be within 1 to {HIGHEST}")
    if len(predictions) != len(saliency):
        raise ValueError(f"{len(predictions)} predictions for {len(saliency)} queries")
    precisions, hits = [], []
    for at, (scores, values) in enumerate(zip(predictions, saliency, strict=True)):
        _check(at, scores, values)
        positive = values >= minimum
        fitted = fit_length(scores, len(values))
        precisions.append(np.mean([clip_average_precision(fitted, own) for own in positive.T]))
        highest = int(np.argmax(scores))
        hits.append(highest < len(values) and bool(positive[highest].any()))
    if not hits:
        return HighlightScores(0, np.nan, np.nan)
    return HighlightScores(len(hits), 100 * float(np.mean(precisions)), 100 * float(np.mean(hits)))


def _check(at: int, scores: Sequence[float], values: NDArray[np.int64]) -> None:
    if not len(scores):
        raise ValueError(f"predictions[{at}] [] must hold at least one score")
    if not np.isfinite(scores).all():
        bad = next(score for score in scores if not np.isfinite(score))
        raise ValueError(f"predictions[{at}] score {bad} must be finite")
    if values.ndim != 2 or 0 in values.shape:
        raise ValueError(f"saliency[{at}] of shape {values.shape} must be [clips, annotators]")
