"""Grounding in one known video: is the first answer the right span?

Charades-STA and ActivityNet Captions have one true span a sentence and are reported as R@1 at tIoU
0.3, 0.5 and 0.7 with the mean IoU; QVHighlights has one or more and is reported over a ladder of
thresholds. With several true spans the first answer is compared with the one it overlaps best. A
threshold that is just reached counts as reached.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tempo_edge.evaluation.metrics.spans import Interval, best_tiou, check_predicted, check_truth

THRESHOLDS = (0.3, 0.5, 0.7)
LADDER = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


@dataclass(frozen=True)
class GroundingScores:
    """Percent over all queries.

    Attributes:
        queries: how many were counted.
        r1: the share of queries whose first span reaches a tIoU, by that tIoU.
        mean_iou: the mean tIoU of the first span.
    """

    queries: int
    r1: Mapping[float, float]
    mean_iou: float


def check_thresholds(thresholds: Sequence[float]) -> None:
    """Thresholds are tIoUs that something must overlap to reach.

    Raises:
        ValueError: there is none, or one lies outside (0, 1].
    """
    if not thresholds:
        raise ValueError("thresholds () must hold at least one tIoU")
    for threshold in thresholds:
        if not 0 < threshold <= 1:
            raise ValueError(f"threshold {threshold} must be within (0, 1]")


def score_grounding(
    predictions: Sequence[Sequence[Interval]],
    truth: Sequence[Sequence[Interval]],
    thresholds: Sequence[float] = THRESHOLDS,
) -> GroundingScores:
    """Compare the first predicted span of each query with its true spans, in the same order.

    Args:
        predictions: spans, best first; a query without any is a miss with tIoU 0.
        truth: one or more true spans a query.

    Raises:
        ValueError: lengths differ, a query has no true span, or a span or threshold is none.
    """
    check_thresholds(thresholds)
    check_truth(len(predictions), truth)
    ious = []
    for at, (spans, true) in enumerate(zip(predictions, truth, strict=True)):
        for span in spans[:1]:
            check_predicted(f"predictions[{at}]", span)
        ious.append(best_tiou(spans[0], true) if spans else 0.0)
    best = np.array(ious)
    if not len(best):
        return GroundingScores(0, dict.fromkeys(thresholds, np.nan), np.nan)
    return GroundingScores(
        queries=len(best),
        r1={threshold: 100 * float((best >= threshold).mean()) for threshold in thresholds},
        mean_iou=100 * float(best.mean()),
    )
