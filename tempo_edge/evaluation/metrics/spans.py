"""Spans `[start, end)` in seconds as plain pairs, and how much of them is shared."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tempo_edge import moment

#: Start and end in seconds.
Interval = tuple[float, float]
#: Start, end, and a score: any finite number, higher is better.
ScoredInterval = tuple[float, float, float]


def tiou(a: Interval, b: Interval) -> float:
    """Temporal intersection over union of two half-open spans; 0 where both are empty.

    >>> tiou((0.0, 4.0), (2.0, 6.0))
    0.3333333333333333
    """
    inter = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    union = length(a) + length(b) - inter
    return min(1.0, inter / union) if union > 0 else 0.0


def best_tiou(span: Interval, others: Sequence[Interval]) -> float:
    """The tIoU with the span that overlaps best; 0 where there is none."""
    return max((tiou(span, other) for other in others), default=0.0)


def length(span: Interval) -> float:
    """Seconds from start to end; 0 where the end does not lie after the start."""
    return max(0.0, span[1] - span[0])


def merge_spans(spans: Sequence[Interval]) -> list[Interval]:
    """Disjoint spans, in order, of all the time in `spans`: what touches or overlaps is joined."""
    merged = moment.merge_spans(moment.Span(*span) for span in spans if span[1] > span[0])
    return [(span.start_seconds, span.end_seconds) for span in merged]


def span_sets_iou(a: Sequence[Interval], b: Sequence[Interval]) -> float:
    """Intersection over union of all the time in two sets of spans; 0 where both are empty."""
    left, right = merge_spans(a), merge_spans(b)
    inter = sum(max(0.0, min(p[1], q[1]) - max(p[0], q[0])) for p in left for q in right)
    union = sum(map(length, merge_spans([*left, *right])))
    return min(1.0, inter / union) if union > 0 else 0.0


def check_predicted(field: str, span: Sequence[float]) -> None:
    """Refuse a prediction (a span, or a span and its score) that is none; it may be empty.

    Raises:
        ValueError: a number is not finite, or the end lies before the start.
    """
    if not all(map(math.isfinite, span)) or span[1] < span[0]:
        raise ValueError(f"{field} {list(span)} must be finite and not end before it starts")


def check_true(field: str, span: Sequence[float]) -> None:
    """Refuse a true span without a length.

    Raises:
        ValueError: a bound is not finite, or the end does not lie after the start.
    """
    if not all(map(math.isfinite, span)) or span[1] <= span[0]:
        raise ValueError(f"{field} {list(span)} must be finite and end after it starts")


def check_truth(predictions: int, truth: Sequence[Sequence[Interval]]) -> None:
    """Refuse truth that is not one list of true spans for each prediction, none of them empty.

    Raises:
        ValueError: the numbers differ, a query has no true span, or a span is no span.
    """
    if predictions != len(truth):
        raise ValueError(f"{predictions} predictions for {len(truth)} queries")
    for at, spans in enumerate(truth):
        if not spans:
            raise ValueError(f"truth[{at}] [] must hold at least one span")
        for span in spans:
            check_true(f"truth[{at}]", span)
