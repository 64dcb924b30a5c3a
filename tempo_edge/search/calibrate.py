"""Calibration: from what a span looks like to the probability that the query is really there.

A logistic model over a few standardised facts, fitted on development videos with queries that occur
and queries that don't. Its numbers are stored with the profile; none is set by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tempo_edge.models.description import Description
from tempo_edge.search.contrast import (
    EVIDENCE,
    FRAMES_WEIGHT,
    SHOWN_FROM,
    Cohort,
    Contrast,
    Contrasting,
)

__all__ = [
    "FEATURES",
    "READ_FEATURES",
    "Calibration",
    "NullDistribution",
    "fit_logistic",
    "fit_monotone",
    "log_odds",
    "probability",
]

#: The facts that a span may be judged by; a calibration weighs some of them.
FEATURES = (
    *EVIDENCE,
    "similarity",
    "above_background",
    "above_library",
    "rise",
    "fullness",
    "log_frames",
)

#: The facts of a span that a model answered: how sure the model was, and those of its curve.
READ_FEATURES = ("read", *FEATURES)


@dataclass(frozen=True)
class NullDistribution:
    """How one query scores by chance: mean and standard deviation over two crowds of pictures.

    The background is the profile's own cohort of unrelated pictures, the same for every library;
    the library's own sample tells how its footage, dark or plain or all alike, differs from that.
    The contrast is what the query is held against besides, where a calibration asks for that; the
    centre is the mean vector of the first crowd, ``[d]``, what all pictures have in common.
    """

    background_mean: float
    background_std: float
    library_mean: float
    library_std: float
    frames: int
    contrast: Contrasting | None = None
    centre: NDArray[np.float32] | None = field(default=None, compare=False)

    @staticmethod
    def of(
        query: NDArray[np.float32],
        background: NDArray[np.float32],
        sample: NDArray[np.float32],
        frames: int,
        cohort: Cohort | None = None,
    ) -> NullDistribution:
        """Work it out for a unit vector ``[d]`` over crowds ``[m, d]`` and ``[k, d]``.

        Where a profile brings no background, the library's own sample stands for it.
        With a cohort the contrast is worked out as well.
        """
        # einsum stays on this thread: waking a pool of them costs more than the sum itself.
        crowd = background if len(background) else sample
        outside = np.einsum("ij,j->i", crowd, query)
        inside = np.einsum("ij,j->i", sample, query) if len(sample) else np.zeros(0)
        # Quantiles, because a small library's sample holds the very frames that are looked for.
        low, middle, _ = np.quantile(inside, [0.16, 0.5, 0.84]) if len(inside) else (0.0, 0.0, 0.0)
        return NullDistribution(
            float(outside.mean()),
            float(outside.std()) + 1e-6,
            float(middle),
            max(float(middle - low), 0.25 * float(outside.std())) + 1e-6,
            frames,
            None if cohort is None else Contrast.of(query, cohort, background, sample, frames),
            crowd.mean(0) if cohort is None else cohort.footage,
        )

    def among(self, frames: int) -> NullDistribution:
        """The same where only so many frames are looked at: the best of few is less by chance.

        What an example is held against stays as it is: one is asked for in all of a library.
        """
        contrast = self.contrast
        if isinstance(contrast, Contrast):
            contrast = replace(contrast, frames=frames)
        return replace(self, frames=frames, contrast=contrast)

    def features(
        self,
        peak: float,
        mean: float,
        floor: float,
        vector: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float64]:
        """The facts a span is judged by, in the order of :data:`FEATURES`.

        Those of the contrast are of the span's vector ``[d]``, and 0 without one.
        """
        evidence = np.zeros(len(EVIDENCE))
        if self.contrast is not None and vector is not None:
            evidence = self.contrast.facts(vector)
        return np.asarray(
            [
                *evidence,
                # A sentence about nothing that pictures show is near to none of them: only the bare
                # similarity says so, a deviation from its own chance does not.
                peak,
                (peak - self.background_mean) / self.background_std,
                (peak - self.library_mean) / self.library_std,
                (peak - floor) / self.background_std,
                (mean - floor) / max(peak - floor, 1e-6),
                np.log(max(self.frames, 1)),
            ]
        )


@dataclass(frozen=True)
class Calibration:
    """Logistic weights over :data:`FEATURES`, and the probability from which a span is shown."""

    weights: NDArray[np.float64]
    bias: float
    threshold: float

    @staticmethod
    def of(about: Description, features: Sequence[str] = FEATURES) -> Calibration:
        """The calibration in a description: of some of these features, the others weigh nothing.

        Raises:
            ProfileError: it was fitted on others, or a number of it is none.
        """
        fitted = about.some_of("features", features)
        weights = np.zeros(len(features))
        weights[[features.index(name) for name in fitted]] = about.numbers("weights", len(fitted))
        return Calibration(
            weights,
            about.number("bias"),
            about.number("threshold", 0.0, 1.0),
        )

    @staticmethod
    def fitted(
        facts: NDArray[np.float64],
        present: NDArray[np.bool_],
        features: Sequence[str] = FEATURES,
    ) -> Calibration:
        """The calibration by the evidence among facts ``[n, f]`` of one span a query each.

        What the number of frames weighs is not fitted: a library grows, and what was found in it
        is to be found again (:data:`FRAMES_WEIGHT`).

        Raises:
            ValueError: only one of the two classes is there.
        """
        weighed = [features.index(name) for name in ("read", *EVIDENCE[:-1]) if name in features]
        frames = features.index(EVIDENCE[-1])
        offset = FRAMES_WEIGHT * facts[:, frames]
        weights = np.zeros(len(features))
        weights[weighed], bias = fit_monotone(facts[:, weighed], present, offset=offset)
        weights[frames] = FRAMES_WEIGHT
        return Calibration(weights, bias, SHOWN_FROM)

    @staticmethod
    def none_fitted() -> Calibration:
        """The calibration of a model that was never fitted: its own word, shown at even odds."""
        weights = np.zeros(len(READ_FEATURES))
        weights[READ_FEATURES.index("read")] = 1.0
        return Calibration(weights, 0.0, 0.5)

    @property
    def has_contrast(self) -> bool:
        """Whether a fact of a :class:`Contrast` weighs anything."""
        first = len(self.weights) - len(FEATURES)
        return bool(np.any(self.weights[first : first + len(EVIDENCE)]))

    def confidence(self, features: NDArray[np.float64]) -> float:
        """Probability in [0, 1]."""
        return probability(float(features @ self.weights + self.bias))


def probability(odds: float) -> float:
    """The probability in [0, 1] of log-odds, however large they are."""
    return float(1.0 / (1.0 + np.exp(-min(max(odds, -40.0), 40.0))))


def log_odds(probability: float) -> float:
    """``log(p / (1 - p))``, within [-12, 12]."""
    odds = np.log(max(probability, 1e-12)) - np.log(max(1.0 - probability, 1e-12))
    return float(min(max(odds, -12.0), 12.0))


def fit_monotone(
    features: NDArray[np.float64],
    present: NDArray[np.bool_],
    ridge: float = 1.0,
    offset: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], float]:
    """Weights ``[f]``, none of them negative, and bias: more of a fact never speaks against a span.

    Facts are left out one by one, the most contrary first, until no weight is negative.

    Raises:
        ValueError: only one of the two classes is there.
    """
    weights = np.zeros(features.shape[1])
    kept = np.arange(features.shape[1])
    while True:
        fitted, bias = fit_logistic(features[:, kept], present, ridge, offset)
        if not len(kept) or fitted.min() >= 0:
            weights[kept] = fitted
            return weights, bias
        kept = np.delete(kept, np.argmin(fitted * features[:, kept].std(0)))


def fit_logistic(
    features: NDArray[np.float64],
    present: NDArray[np.bool_],
    ridge: float = 1.0,
    offset: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], float]:
    """Weights ``[f]`` and bias of a logistic model, by Newton's method on standardised features.

    Classes are weighted alike, so 0.5 stands for even odds whatever the mixture was. An offset
    ``[n]`` is part of the log-odds that is not fitted.

    Raises:
        ValueError: only one of the two classes is there.
    """
    if present.all() or not present.any():
        raise ValueError("calibration needs queries that occur and queries that do not")
    centre, spread = features.mean(0), features.std(0) + 1e-9
    x = np.column_stack([(features - centre) / spread, np.ones(len(features))])
    share = np.where(present, 0.5 / present.mean(), 0.5 / (1 - present.mean()))
    penalty = np.diag([ridge] * features.shape[1] + [0.0])
    w = np.zeros(x.shape[1])
    given = 0.0 if offset is None else offset
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ w + given, -40, 40)))
        gradient = x.T @ (share * (p - present)) + penalty @ w
        hessian = (x * (share * p * (1 - p))[:, None]).T @ x + penalty + 1e-9 * np.eye(len(w))
        step = np.linalg.solve(hessian, gradient)
        w = w - step
        if np.abs(step).max() < 1e-10:
            break
    weights = w[:-1] / spread
    return weights, float(w[-1] - weights @ centre)
