"""Figures of retrieval and of naming, from unit vectors: percent, with one decimal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from tempo_edge.evaluation.metrics.highlights import clip_average_precision

__all__ = ["Floats", "Ranking", "Retrieval", "percent", "ranking", "retrieval", "top1", "top_k"]

Floats = NDArray[np.float32]


class Retrieval(TypedDict):
    """Recall in percent and the median rank of the right picture, counted from 1."""

    r1: float
    r5: float
    r10: float
    median_rank: float


class Ranking(TypedDict):
    """Mean average precision, the share of queries whose first picture is right, and their number.

    Both are percent.
    """

    mean_ap: float
    first_right: float
    queries: int


def percent(share: float) -> float:
    """A share as it is printed."""
    return round(100.0 * float(share), 1)


def retrieval(texts: Floats, pictures: Floats, right: NDArray[np.int64]) -> Retrieval:
    """The ranks of the right picture for texts ``[t, d]`` among pictures ``[n, d]``.

    ``right`` int64 ``[t]`` are the rows of the right pictures.
    """
    scores = texts @ pictures.T
    own = scores[np.arange(len(texts)), right]
    # A picture that ties with the right one counts against it.
    ranks = (scores >= own[:, None]).sum(axis=1)
    shares = [percent((ranks <= k).mean()) for k in (1, 5, 10)]
    return Retrieval(r1=shares[0], r5=shares[1], r10=shares[2], median_rank=float(np.median(ranks)))


def top1(pictures: Floats, names: Floats, right: Sequence[int]) -> float:
    """The share, in percent, of pictures ``[n, d]`` whose nearest name ``[k, d]`` is their own."""
    hits = (pictures @ names.T).argmax(axis=1) == np.array(right)
    return percent(hits.mean())


def top_k(pictures: Floats, names: Floats, right: Sequence[int], k: int) -> float:
    """The share, in percent, of pictures with their own name among the ``k`` nearest.

    A name that ties with a picture's own counts against it.
    """
    scores = pictures @ names.T
    own = scores[np.arange(len(scores)), np.array(right)]
    return percent(((scores >= own[:, None]).sum(axis=1) <= k).mean())


def ranking(
    scores: Floats, right: NDArray[np.bool_], unsure: NDArray[np.bool_] | None = None
) -> Ranking:
    """How queries rank pictures that many of them may be right for, by scores ``[q, n]``.

    Args:
        right: the right pictures of each query, bool ``[q, n]``; queries without one are left out.
        unsure: pictures that are neither right nor wrong for a query, and not in its ranking.
    """
    counted = np.ones_like(right) if unsure is None else right | ~unsure
    precisions, first = [], []
    for query in np.flatnonzero(right.any(axis=1)):
        own = right[query, counted[query]]
        found = scores[query, counted[query]].astype(np.float64)
        precisions.append(clip_average_precision(found, own))
        first.append(bool(own[int(np.argmax(found))]))
    if not first:
        return Ranking(mean_ap=float("nan"), first_right=float("nan"), queries=0)
    return Ranking(
        mean_ap=percent(float(np.mean(precisions))),
        first_right=percent(float(np.mean(first))),
        queries=len(first),
    )
