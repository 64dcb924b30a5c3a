"""Patches of a picture: pixels that hang together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["labelled"]

# Stretches of a picture beyond which it is no longer told what hangs together.
_MOST_RUNS = 50_000


def labelled(
    mask: NDArray[np.bool_], most: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The rows and columns of the pixels of each patch of a mask ``[h, w]``, the largest first.

    Pixels hang together where they touch, be it by a corner.

    Args:
        most: patches that are given.
    """
    starts, ends, rows = _runs(mask)
    if not len(starts) or len(starts) > _MOST_RUNS:
        return
    roots = _joined(starts, ends, rows)
    sizes = np.bincount(roots, ends - starts, minlength=len(roots))
    for root in np.argsort(-sizes, kind="stable")[:most]:
        if not sizes[root]:
            return
        members = np.flatnonzero(roots == root)
        lengths = ends[members] - starts[members]
        begins = np.repeat(starts[members], lengths)
        within = np.arange(len(begins)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        yield np.repeat(rows[members], lengths), begins + within


def _runs(
    mask: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Where each stretch of set pixels of a row starts and ends, and its row; row after row."""
    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    _, ends = np.nonzero(edges == -1)
    return starts, ends, rows


def _joined(
    starts: NDArray[np.int64], ends: NDArray[np.int64], rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    """For each stretch, the first one of its patch."""
    parents = list(range(len(starts)))

    def root(of: int) -> int:
        while parents[of] != of:
            parents[of] = parents[parents[of]]
            of = parents[of]
        return of

    first = np.searchsorted(rows, np.arange(rows[-1] + 2) if len(rows) else [0]).tolist()
    begins, stops, lines = starts.tolist(), ends.tolist(), rows.tolist()
    for current, line in enumerate(lines):
        if not line:
            continue
        for above in range(first[line - 1], first[line]):
            if begins[above] > stops[current]:
                break
            if stops[above] >= begins[current]:
                one, other = root(above), root(current)
                parents[max(one, other)] = min(one, other)
    return np.asarray([root(each) for each in range(len(parents))], np.int64)
