"""Refusals: is a query that nothing shows turned away, and does the confidence mean something?

A query is present or absent; it is refused, or answered. The confidence of an answer is the
probability, in [0, 1], that its query is present.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Binning = Literal["mass", "width"]


@dataclass(frozen=True)
class Refusals:
    """Counts of queries, and shares of them that are NaN where there was nothing to count.

    Attributes:
        present: queries that something shows.
        absent: queries that nothing shows.
        missed: present ones that were refused, wrongly.
        rejected: absent ones that were refused, rightly.
    """

    present: int
    absent: int
    missed: int
    rejected: int

    def __post_init__(self) -> None:
        for name, part, whole in (
            ("missed", self.missed, self.present),
            ("rejected", self.rejected, self.absent),
        ):
            if not 0 <= part <= whole:
                raise ValueError(f"{name} {part} must be within 0 to {whole}")

    @property
    def answered_present(self) -> float:
        """The share of present queries with an answer."""
        return _ratio(self.present - self.missed, self.present)

    @property
    def false_alarm_rate(self) -> float:
        """The share of absent queries with an answer."""
        return _ratio(self.absent - self.rejected, self.absent)

    @property
    def precision(self) -> float:
        """The share of refusals that are right."""
        return _ratio(self.rejected, self.missed + self.rejected)

    @property
    def recall(self) -> float:
        """The share of absent queries that were refused."""
        return _ratio(self.rejected, self.absent)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall, also called reject-F1."""
        # Without its two parts, so that it is 0 and not NaN when nothing was refused.
        return _ratio(2 * self.rejected, self.rejected + self.missed + self.absent)


@dataclass(frozen=True)
class RefusalScores:
    """Percent, all of them; the errors of calibration are also out of 100.

    Attributes:
        auroc: how often a present query has more confidence than an absent one.
        ece_mass: expected calibration error over bins of (nearly) equally many queries.
        ece_width: the same over bins of equally wide confidence.
    """

    false_alarm_rate: float
    reject_f1: float
    auroc: float
    ece_mass: float
    ece_width: float


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The chance that a positive outranks a negative, ties as half; NaN if a side is empty."""
    if not positive or not negative:
        return math.nan
    low = np.sort(np.asarray(negative, np.float64))
    high = np.asarray(positive, np.float64)
    below = np.searchsorted(low, high, "left")
    ties = np.searchsorted(low, high, "right") - below
    return float((below + ties / 2).mean() / len(low))


def calibration_error(
    confidences: Sequence[float],
    outcomes: Sequence[bool],
    *,
    bins: int = 10,
    binning: Binning = "mass",
) -> float:
    """Expected calibration error, a share: how far confidence is from the share that came true.

    The distance between mean confidence and mean outcome of each bin, weighted by the bin's share
    of the values. `width` cuts [0, 1] into `bins` equal parts, each with its lower edge and the
    last with 1 too. `mass` cuts the sorted values into `bins` parts of equal number; equal
    confidences always share a bin, that of their middle rank, so the order given does not matter.

    Raises:
        ValueError: lengths differ, there is no bin, or a confidence lies outside [0, 1].
    """
    if len(confidences) != len(outcomes):
        raise ValueError(f"{len(confidences)} confidences for {len(outcomes)} outcomes")
    if bins < 1:
        raise ValueError(f"bins {bins} must be at least 1")
    check_confidences(confidences)
    if not confidences:
        return math.nan
    stated = np.asarray(confidences, np.float64)
    gaps = stated - np.asarray(outcomes, np.float64)
    places = _width_bins(stated, bins) if binning == "width" else _mass_bins(stated, bins)
    sums = np.bincount(places, weights=gaps, minlength=bins)
    return float(np.abs(sums).sum() / len(stated))


def _width_bins(values: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    inner = np.arange(1, bins) / bins
    return np.asarray(np.searchsorted(inner, values, "right"), np.int64)


def _mass_bins(values: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    ranked = np.sort(values)
    # Where a value's ties begin and end among the ranks 0 to N: the sum is twice their middle.
    doubled = np.searchsorted(ranked, values, "left") + np.searchsorted(ranked, values, "right")
    return np.asarray(doubled * bins // (2 * len(values)), np.int64)


def check_confidences(confidences: Sequence[float]) -> None:
    """Confidences are probabilities.

    Raises:
        ValueError: one lies outside [0, 1].
    """
    for at, confidence in enumerate(confidences):
        if not 0 <= confidence <= 1:
            raise ValueError(f"confidences[{at}] {confidence} must be within [0, 1]")


def score_refusals(
    confidences: Sequence[float],
    present: Sequence[bool],
    *,
    threshold: float = 0.5,
    bins: int = 10,
) -> RefusalScores:
    """Judge confidences against whether each query is present; below `threshold` is a refusal.

    Raises:
        ValueError: lengths differ, or a confidence or the threshold lies outside [0, 1].
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold {threshold} must be within [0, 1]")
    by_mass = calibration_error(confidences, present, bins=bins, binning="mass")
    by_width = calibration_error(confidences, present, bins=bins, binning="width")
    seen = [c for c, there in zip(confidences, present, strict=True) if there]
    unseen = [c for c, there in zip(confidences, present, strict=True) if not there]
    counts = Refusals(
        present=len(seen),
        absent=len(unseen),
        missed=sum(confidence < threshold for confidence in seen),
        rejected=sum(confidence < threshold for confidence in unseen),
    )
    return RefusalScores(
        false_alarm_rate=100 * counts.false_alarm_rate,
        reject_f1=100 * counts.f1,
        auroc=100 * auroc(seen, unseen),
        ece_mass=100 * by_mass,
        ece_width=100 * by_width,
    )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
