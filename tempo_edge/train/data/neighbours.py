"""The pictures or sentences that are most alike, by their unit vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["NEIGHBOURS", "nearest_neighbours"]

#: How many neighbours of each are known, unless told otherwise.
NEIGHBOURS = 24


def nearest_neighbours(vectors: NDArray[np.float32], count: int = NEIGHBOURS) -> NDArray[np.int64]:
    """The row numbers of the `count` nearest others of each row, int64 ``[n, count]``, unordered.

    ``vectors`` are unit vectors float32 ``[n, d]``; where there are fewer others, all are given.
    """
    out = np.empty((len(vectors), min(count, len(vectors) - 1)), np.int64)
    for start in range(0, len(vectors), 512):
        scores = vectors[start : start + 512] @ vectors.T
        rows = np.arange(len(scores))
        scores[rows, start + rows] = -2.0
        nearest = np.argpartition(-scores, out.shape[1] - 1, axis=1)[:, : out.shape[1]]
        out[start : start + len(scores)] = nearest
    return out
