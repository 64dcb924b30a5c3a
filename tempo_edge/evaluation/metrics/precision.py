"""Average precision of ranked spans: are all the true spans found, and few others?

Every query is a detection task of its own, judged as ActivityNet's detection evaluation judges a
class, and the mean is over queries. QVHighlights keeps the first ten predictions of a query, and
calls true spans of up to 10 s short, of up to 30 s middle and of up to 150 s long. Its figures for
one length drop the true spans of other lengths, and the queries left without any; the predictions
are not filtered, so one that finds a dropped span is a false one there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tempo_edge.evaluation.metrics.grounding import LADDER, check_thresholds
from tempo_edge.evaluation.metrics.spans import (
    Interval,
    ScoredInterval,
    check_predicted,
    check_truth,
    tiou,
)

Floats = NDArray[np.float64]
MAX_PREDICTIONS = 10
LENGTHS: Mapping[str, tuple[float, float]] = {  # seconds: longer than, and no longer than
    "short": (0.0, 10.0),
    "middle": (10.0, 30.0),
    "long": (30.0, 150.0),
}


@dataclass(frozen=True)
class PrecisionScores:
    """Percent over all queries.

    Attributes:
        queries: how many were counted.
        at: mean average precision by tIoU threshold.
        average: its mean over the thresholds.
    """

    queries: int
    at: Mapping[float, float]
    average: float


def of_length(spans: Sequence[Interval], longer_than: float, at_most: float) -> list[Interval]:
    """The spans whose seconds lie in `(longer_than, at_most]`."""
    return [span for span in spans if longer_than < span[1] - span[0] <= at_most]


def envelope(precisions: Floats) -> Floats:
    """Interpolated precision, float64 [N]: at each rank the best at this rank or a later one."""
    best: Floats = np.maximum.accumulate(precisions[::-1])[::-1]
    return best


def average_precision(
    predicted: Sequence[ScoredInterval],
    true: Sequence[Interval],
    thresholds: Sequence[float] = LADDER,
) -> Floats:
    """Interpolated average precision of one query at each threshold: shares, float64 [T].

    Predictions are taken from the highest score down, equal scores in the order given. Each claims
    the true span that it overlaps best among those that it overlaps enough and that no earlier one
    has claimed, of equal ones the last; it is false if there is none.
    """
    ranked = sorted(predicted, key=lambda span: -span[2])
    overlaps = [[tiou((start, end), span) for span in true] for start, end, _ in ranked]
    areas = np.zeros(len(thresholds))
    for at, threshold in enumerate(thresholds):
        hits = np.array(_claims(overlaps, threshold), bool)
        precisions = np.cumsum(hits) / np.arange(1, len(hits) + 1)
        # Each hit is one step of recall, all of them equally wide.
        areas[at] = envelope(precisions)[hits].sum() / len(true)
    return areas


def _claims(overlaps: Sequence[Sequence[float]], threshold: float) -> list[bool]:
    """Which of P ranked predictions claim one of G true spans, by their overlaps [P][G]."""
    claimed: set[int] = set()
    hits = []
    for row in overlaps:
        free = [(iou, at) for at, iou in enumerate(row) if iou >= threshold and at not in claimed]
        if free:
            claimed.add(max(free)[1])
        hits.append(bool(free))
    return hits


def score_precision(
    predictions: Sequence[Sequence[ScoredInterval]],
    truth: Sequence[Sequence[Interval]],
    thresholds: Sequence[float] = LADDER,
    *,
    max_predictions: int | None = MAX_PREDICTIONS,
) -> PrecisionScores:
    """Mean average precision over queries, in the same order; no predictions score 0.

    Args:
        max_predictions: only so many of a query's predictions count, in the order given.

    Raises:
        ValueError: lengths differ, a query has no true span, or a span or threshold is none.
    """
    check_thresholds(thresholds)
    check_truth(len(predictions), truth)
    if max_predictions is not None and max_predictions < 1:
        raise ValueError(f"max_predictions {max_predictions} must be at least 1")
    rows = []
    for at, (spans, true) in enumerate(zip(predictions, truth, strict=True)):
        for span in spans:
            check_predicted(f"predictions[{at}]", span)
        rows.append(average_precision(spans[:max_predictions], true, thresholds))
    if not rows:
        return PrecisionScores(0, dict.fromkeys(thresholds, np.nan), np.nan)
    means = 100 * np.stack(rows).mean(axis=0)
    return PrecisionScores(
        queries=len(rows),
        at=dict(zip(thresholds, means.tolist(), strict=True)),
        average=float(means.mean()),
    )
