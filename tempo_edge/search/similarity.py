"""The similarity curve of a window: smoothed, its floor, and the peaks that stand out of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import ProfileError
from tempo_edge.models import Profile
from tempo_edge.moment import Span
from tempo_edge.search.window import Window

__all__ = ["CurveSettings", "Segment", "find_peaks", "floor_of", "segment_of", "smoothed"]


@dataclass(frozen=True)
class CurveSettings:
    """The shape of a span, fitted on development videos and stored with the profile.

    Attributes:
        keep: a span reaches out from its peak while the curve stays above the floor plus this
            share of what the peak is above the floor.
        seed: a further span may start where the curve passes this share of the best peak.
        smooth: weight of the two neighbours within the same shot, 0 for none.
        join_seconds: spans with no more than this between them are one: a dip, not an end.
        likeness: the share of its rise that a moment may lose beside a span where the pictures are
            the very same; less where they are less alike (:mod:`tempo_edge.search.continuity`).
        noise: standard deviations of chance within which looks at one thing differ: a rise of less
            counts as that much where it is asked how much of it is lost.
    """

    keep: float = 0.55
    seed: float = 0.8
    smooth: float = 0.25
    join_seconds: float = 1.0
    likeness: float = 0.7
    noise: float = 4.0

    @staticmethod
    def of(profile: Profile) -> CurveSettings:
        """The settings that a profile was calibrated to.

        Raises:
            ProfileError: one of them is missing, or out of its bounds.
        """
        about = profile.calibration.part("curve")
        try:
            return CurveSettings(**{name: about.number(name) for name in about})
        except (TypeError, ValueError) as error:
            raise ProfileError(f"{about} can't be used: {error}") from error

    def __post_init__(self) -> None:
        if not 0 < self.keep < 1 or not 0 < self.seed <= 1:
            raise ValueError(f"keep {self.keep} and seed {self.seed} must be within (0, 1)")
        if not 0 <= self.smooth <= 0.5:
            raise ValueError(f"smooth {self.smooth} must be within [0, 0.5]")
        if self.join_seconds < 0:
            raise ValueError(f"join_seconds {self.join_seconds} must not be negative")
        if not 0 <= self.likeness <= 1:
            raise ValueError(f"likeness {self.likeness} must be within [0, 1]")
        if self.noise < 0:
            raise ValueError(f"noise {self.noise} must not be negative")


@dataclass(frozen=True)
class Segment:
    """A span of a curve with what it looks like from outside.

    Attributes:
        span: its time; ``first``, ``last``: its frames in the window, both inclusive.
        peak: largest smoothed similarity in it; ``mean``: average over its time.
        floor: the lower of the window's median similarity and chance.
    """

    span: Span
    first: int
    last: int
    peak: float
    mean: float
    floor: float


def segment_of(
    window: Window, curve: NDArray[np.floating], first: int, last: int, floor: float
) -> Segment:
    """Frames ``first`` to ``last``, both inclusive, of a window as its curve ``[n]`` shows them."""
    part = curve[first : last + 1].astype(np.float64)
    edges = window.edges[first : last + 2]
    shown = edges[1:] - edges[:-1]
    mean = float((part * shown).sum() / shown.sum())
    return Segment(
        Span(float(edges[0]), float(edges[-1])), first, last, float(part.max()), mean, floor
    )


def floor_of(curve: NDArray[np.float64], edges: NDArray[np.float64], chance: float) -> float:
    """The floor that peaks rise from: the median over time, or chance where that is lower."""
    return min(chance, _weighted_median(curve, np.diff(edges)))


def find_peaks(
    curve: NDArray[np.float64],
    edges: NDArray[np.float64],
    settings: CurveSettings,
    floor: float,
    limit: int = 4,
) -> list[tuple[int, int]]:
    """Half-open ranges of frames in which a curve ``[n]`` stands out, in time order.

    The highest one is always among them, unless `limit` is 0.

    Args:
        edges: the ``n + 1`` boundaries of what frames stand for, in seconds.
        floor: see :func:`floor_of`.
    """
    free = np.ones(len(curve), dtype=np.bool_)
    found: list[tuple[int, int]] = []
    best = -np.inf
    while len(found) < limit and free.any():
        top = int(np.argmax(np.where(free, curve, -np.inf)))
        peak = float(curve[top])
        best = max(best, peak)
        if peak - floor < settings.seed * (best - floor):
            break
        level = floor + settings.keep * (peak - floor)
        first = last = top
        while first > 0 and free[first - 1] and curve[first - 1] >= level:
            first -= 1
        while last + 1 < len(curve) and free[last + 1] and curve[last + 1] >= level:
            last += 1
        found.append((first, last))
        # The neighbours are spent as well: two spans that touch would be one.
        free[max(0, first - 1) : last + 2] = False
    joined = _joined(found, edges, settings.join_seconds)
    return [(first, last + 1) for first, last in joined]


def _joined(
    found: list[tuple[int, int]], edges: NDArray[np.float64], gap_seconds: float
) -> list[tuple[int, int]]:
    """Ranges of frames with no more than a gap between them made one, in time order."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(found):
        if joined and edges[first] - edges[joined[-1][1] + 1] <= gap_seconds:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined


def smoothed(
    values: NDArray[np.floating], cuts: NDArray[np.bool_], weight: float
) -> NDArray[np.float64]:
    """Average each value with its neighbours of the same shot."""
    curve = values.astype(np.float64)
    if weight == 0 or len(curve) < 2:
        return curve
    joined = ~cuts[1:]  # frame i + 1 continues the shot of frame i
    left = np.zeros(len(curve))
    right = np.zeros(len(curve))
    left[1:] = weight * joined
    right[:-1] = weight * joined
    shifted_left = np.concatenate([curve[:1], curve[:-1]])
    shifted_right = np.concatenate([curve[1:], curve[-1:]])
    return np.asarray(
        (1 - left - right) * curve + left * shifted_left + right * shifted_right, dtype=np.float64
    )


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    order = np.argsort(values)
    passed = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(passed, passed[-1] / 2)])
