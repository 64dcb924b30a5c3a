"""Scores of moment search over a library: pure functions of predictions and truth.

A span is `[start, end)` in seconds. A truth says which file shows what a query asks for, and when;
an absent query is shown nowhere and the right answer to it is a refusal, that is, no moments.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from tempo_edge.evaluation.metrics.rejection import Refusals, auroc
from tempo_edge.evaluation.metrics.spans import (
    Interval,
    best_tiou,
    merge_spans,
    span_sets_iou,
    tiou,
)

__all__ = [
    "Interval",
    "PredictedMoment",
    "Prediction",
    "Scores",
    "Truth",
    "auroc",
    "bootstrap_ci",
    "difference_cells",
    "file_rank",
    "format_table",
    "merge_spans",
    "same_file",
    "score",
    "span_sets_iou",
    "tiou",
    "top_iou",
]


class _TruthKeys(TypedDict):
    query: str
    present: bool
    kind: Literal["present", "absent"]
    file: str | None
    spans: list[list[float]]


class Truth(_TruthKeys, total=False):
    """One line of truth.jsonl. Absent queries have no file and no spans; times are in seconds.

    `source` and `item` name the picture that the query was written for.
    """

    source: str
    item: str


class _MomentKeys(TypedDict):
    file: str
    start_seconds: float
    end_seconds: float


class PredictedMoment(_MomentKeys, total=False):
    """One found moment; `score` and `confidence` are free to be missing."""

    score: float
    confidence: float


class _PredictionKeys(TypedDict):
    moments: Sequence[PredictedMoment]


class Prediction(_PredictionKeys, total=False):
    """The answer to one query, best moment first; no moments is a refusal.

    `best_confidence` is that of the best candidate, held back or not: a refusal has one too.
    """

    best_confidence: float


@dataclass(frozen=True)
class Scores:
    """Figures over all queries; shares lie in [0, 1], and are NaN where there was nothing to count.

    Over present queries (a refusal counts as a miss): `r1_at_*` is the share whose first moment has
    the right file and a tIoU of at least the threshold with any true span, `mean_iou` the mean of
    that first moment's best tIoU, `file_recall_at_*` the share whose right file is among the first
    k different files, `answered_present` the share with any answer. `false_alarm_rate` is the share
    of absent queries with an answer. `refuse_*` judge the class "refuse" over all queries. `auroc`
    compares `best_confidence` of present and absent queries; it is None without them.
    """

    present: int
    absent: int
    r1_at_03: float
    r1_at_05: float
    r1_at_05_ci95: tuple[float, float]
    r1_at_07: float
    mean_iou: float
    file_recall_at_1: float
    file_recall_at_5: float
    answered_present: float
    false_alarm_rate: float
    refuse_precision: float
    refuse_recall: float
    reject_f1: float
    auroc: float | None


def same_file(predicted: str, true: str) -> bool:
    """True if a predicted path ends in the true one: truth is relative to its folder."""
    wanted = PurePath(true).parts
    return PurePath(predicted).parts[-len(wanted) :] == wanted


def top_iou(prediction: Prediction, truth: Truth) -> float:
    """Best tIoU of the first moment with any true span; 0 for a refusal or another file."""
    if not prediction["moments"] or truth["file"] is None:
        return 0.0
    first = prediction["moments"][0]
    if not same_file(first["file"], truth["file"]):
        return 0.0
    span = first["start_seconds"], first["end_seconds"]
    return best_tiou(span, [(s, e) for s, e in truth["spans"]])


def file_rank(prediction: Prediction, truth: Truth) -> float:
    """The right file's place, from 1, among the different files of the answer; inf if missing."""
    files = list(dict.fromkeys(moment["file"] for moment in prediction["moments"]))
    for rank, file in enumerate(files, start=1):
        if truth["file"] is not None and same_file(file, truth["file"]):
            return rank
    return math.inf


def bootstrap_ci(
    values: Sequence[float], *, seed: int = 0, resamples: int = 2000
) -> tuple[float, float]:
    """A 95 % percentile interval of the mean, the same for the same seed; NaN for no values."""
    if not values:
        return math.nan, math.nan
    rng = np.random.default_rng(seed)
    data = np.asarray(values, np.float64)
    means = data[rng.integers(0, len(data), (resamples, len(data)))].mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def difference_cells(figures: Sequence[float], differences: NDArray[np.float64]) -> list[str]:
    """The cells of a table: each figure, and the bounds of 95 % of its differences ``[r, k]``.

    `differences` are those of the `k` figures to a base, in each of `r` resamples of both.
    """
    low, high = np.quantile(differences, (0.025, 0.975), axis=0)
    return [
        f"{figure:.1f} ({a:+.1f} to {b:+.1f})"
        for figure, a, b in zip(figures, low, high, strict=True)
    ]


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else math.nan


def score(predictions: Sequence[Prediction], truth: Sequence[Truth], *, seed: int = 0) -> Scores:
    """Compare predictions with truth, in the same order; `seed` is the bootstrap's."""
    if len(predictions) != len(truth):
        raise ValueError(f"{len(predictions)} predictions for {len(truth)} queries")
    present = [(p, t) for p, t in zip(predictions, truth, strict=True) if t["present"]]
    absent = [p for p, t in zip(predictions, truth, strict=True) if not t["present"]]
    ious = [top_iou(p, t) for p, t in present]
    ranks = [file_rank(p, t) for p, t in present]
    hits = {at: [float(iou >= at) for iou in ious] for at in (0.3, 0.5, 0.7)}
    refusals = Refusals(
        present=len(present),
        absent=len(absent),
        missed=sum(not p["moments"] for p, _ in present),
        rejected=sum(not p["moments"] for p in absent),
    )
    return Scores(
        present=len(present),
        absent=len(absent),
        r1_at_03=_mean(hits[0.3]),
        r1_at_05=_mean(hits[0.5]),
        r1_at_05_ci95=bootstrap_ci(hits[0.5], seed=seed),
        r1_at_07=_mean(hits[0.7]),
        mean_iou=_mean(ious),
        file_recall_at_1=_mean([float(rank <= 1) for rank in ranks]),
        file_recall_at_5=_mean([float(rank <= 5) for rank in ranks]),
        answered_present=refusals.answered_present,
        false_alarm_rate=refusals.false_alarm_rate,
        refuse_precision=refusals.precision,
        refuse_recall=refusals.recall,
        reject_f1=refusals.f1,
        auroc=_confidence_auroc([p for p, _ in present], absent),
    )


def _confidence_auroc(present: Sequence[Prediction], absent: Sequence[Prediction]) -> float | None:
    if not present or not absent or any("best_confidence" not in p for p in [*present, *absent]):
        return None
    return auroc([p["best_confidence"] for p in present], [p["best_confidence"] for p in absent])


_COLUMNS: tuple[tuple[str, str], ...] = (
    ("R1@0.3", "r1_at_03"),
    ("R1@0.5", "r1_at_05"),
    ("R1@0.7", "r1_at_07"),
    ("mIoU", "mean_iou"),
    ("file R@1", "file_recall_at_1"),
    ("file R@5", "file_recall_at_5"),
    ("answered", "answered_present"),
    ("false alarms", "false_alarm_rate"),
    ("reject-F1", "reject_f1"),
    ("AUROC", "auroc"),
)


def format_table(systems: Mapping[str, Scores]) -> str:
    """A GitHub table, one system a row, in percent; R1@0.5 with its 95 % interval."""
    lines = ["| system | " + " | ".join(title for title, _ in _COLUMNS) + " |"]
    lines.append("|---|" + "---:|" * len(_COLUMNS))
    for name, scores in systems.items():
        cells = [_percent(getattr(scores, field)) for _, field in _COLUMNS]
        low, high = scores.r1_at_05_ci95
        cells[1] += f" ({_percent(low)} to {_percent(high)})"
        lines.append("| " + " | ".join([name.replace("|", "\\|"), *cells]) + " |")
    return "\n".join(lines) + "\n"


def _percent(value: float | None) -> str:
    return "n/a" if value is None or math.isnan(value) else f"{100 * value:.1f}"
