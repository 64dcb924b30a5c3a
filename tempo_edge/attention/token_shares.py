"""Shares of a total in whole numbers, each between a floor and a ceiling."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["shares"]


def shares(weight: NDArray[np.float64], total: int, floor: int, ceiling: int) -> NDArray[np.int64]:
    """Whole numbers within [floor, ceiling], near a common multiple of ``weight``, of one total."""
    total = min(total, ceiling * len(weight))
    low, high = 0.0, (ceiling + 1) / float(weight.min())
    for _ in range(64):  # the clipped sum rises with the multiple, so bisection finds it
        middle = (low + high) / 2
        if np.clip(middle * weight, floor, ceiling).sum() < total:
            low = middle
        else:
            high = middle
    exact = np.clip(high * weight, floor, ceiling)
    whole = np.floor(exact + 1e-9).astype(np.int64)
    missing = total - int(whole.sum())
    open_ = np.flatnonzero(whole < ceiling)
    order = open_[np.argsort(-(exact - whole)[open_], kind="stable")]
    whole[order[: max(0, missing)]] += 1
    return whole
