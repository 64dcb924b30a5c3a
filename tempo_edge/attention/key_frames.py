"""Key frames: which of them to decode, and which pictures between them leave no gap."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tempo_edge.attention.budget import SamplingBudget
from tempo_edge.attention.novelty import new_bytes
from tempo_edge.media import PacketTable

__all__ = ["chosen_keys", "gap_filling", "out_of_rhythm"]

# A key frame whose size differs by less than this, as a logarithm, may well show the same picture;
# one that differs by more than the second shows another one.
_ALIKE, _JUMP = 0.05, 0.15


def out_of_rhythm(keys: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Key frames that break the encoder's rhythm: those it put there because the scene changed."""
    if len(keys) < 2:
        return np.zeros(len(keys), dtype=np.bool_)
    lengths = np.diff(keys)
    values, counts = np.unique(lengths, return_counts=True)
    steady = values[(counts >= 2) & (counts >= 0.3 * len(lengths))]
    longest = values[-1:] if counts[-1] >= 2 else values[:0]
    odd = ~np.isin(lengths, np.concatenate([steady, longest]))
    return np.concatenate([[False], odd])


def chosen_keys(
    table: PacketTable,
    seconds: NDArray[np.float64],
    keys: NDArray[np.int64],
    irregular: NDArray[np.bool_],
    limits: SamplingBudget,
) -> NDArray[np.int64]:
    """Thin key frames that come thick and fast, or while nothing changes.

    Those whose bytes or whose place say "new picture" are kept, and those without which two looks
    would lie too far apart.
    """
    sizes = np.log(np.maximum(table.sizes[keys], 1))
    coded = np.cumsum(new_bytes(table))[keys]
    following = np.append(seconds[keys[1:]], seconds[-1])
    firsts = np.isin(table.pts[keys], list(table.breaks))
    kept = [0]
    for number in range(1, len(keys)):
        last = kept[-1]
        step = abs(sizes[number] - sizes[last])
        if not (irregular[number] or firsts[number] or step > _JUMP):
            if seconds[keys[number]] - seconds[keys[last]] < limits.min_gap_seconds:
                continue
            news = (coded[number] - coded[last]) / table.sizes[keys[last]]
            gap = following[number] - seconds[keys[last]]
            if news < limits.calm and step < _ALIKE and gap <= limits.max_gap_seconds:
                continue
        kept.append(number)
    return keys[kept]


def gap_filling(
    news: NDArray[np.float64],
    seconds: NDArray[np.float64],
    start: int,
    end: int,
    limits: SamplingBudget,
) -> list[int]:
    """The earliest pictures (the cheapest to decode) that leave no long gap in which bytes came.

    Args:
        news: the novelty of each packet, ``[n]``; where it adds up to less than ``limits.calm``,
            the look before shows what a look inside the gap would.
        start, end: the key frame that is looked at, and the next one that is.
    """
    found: list[int] = []
    after, limit = end, float(seconds[min(end, len(seconds) - 1)])
    while limit - seconds[start] > limits.max_gap_seconds + 1e-9:
        furthest = limit - limits.max_gap_seconds - 1e-9
        near = int(np.searchsorted(seconds[start:end], furthest)) + start
        after = min(near, after - 1)  # where the file itself has a hole: the last before it
        if after <= start:
            break
        found.append(after)
        limit = float(seconds[after])
    found = found[::-1]
    kept, last = [], start
    for index, following in pairwise([*found, end]):
        if news[last + 1 : following].sum() >= limits.calm:
            kept.append(index)
            last = index
    return kept
