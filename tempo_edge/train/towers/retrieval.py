"""Figures of retrieval and of naming, from unit vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "Retrieval", "retrieval", "top1"]

Floats = NDArray[np.float32]


class Retrieval(TypedDict):
    """Recall in percent and the median rank of the right picture, counted from 1."""

    r1: float
    r5: float
    r10: float
    median_rank: float


def retrieval(texts: Floats, pictures: Floats, right: NDArray[np.int64]) -> Retrieval:
    """The ranks of the right picture for texts ``[t, d]`` among pictures ``[n, d]``.

    ``right`` int64 ``[t]`` are the rows of the right pictures.
    """
    scores = texts @ pictures.T
    own = scores[np.arange(len(texts)), right]
    # A picture that ties with the right one counts against it.
    ranks = (scores >= own[:, None]).sum(axis=1)
    shares = [round(100.0 * float((ranks <= k).mean()), 1) for k in (1, 5, 10)]
    return Retrieval(r1=shares[0], r5=shares[1], r10=shares[2], median_rank=float(np.median(ranks)))


def top1(pictures: Floats, names: Floats, right: Sequence[int]) -> float:
    """The share, in percent, of pictures ``[n, d]`` whose nearest name ``[k, d]`` is their own."""
    hits = (pictures @ names.T).argmax(axis=1) == np.array(right)
    return round(100.0 * float(hits.mean()), 1)
