"""Key frames: which of them to decode, and which pictures between them leave no gap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tempo_edge.attention.budget import SamplingBudget
from tempo_edge.media import PacketTable

__all__ = ["chosen_keys", "gap_filling", "out_of_rhythm"]


def out_of_rhythm(keys: NDArray[np.int64], pictures: int) -> NDArray[np.bool_]:
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
    """Thin key frames that come thick and fast, keeping those whose bytes say "new picture"."""
    kept, breaks = [int(keys[0])], table.breaks
    for key, odd in zip(keys[1:], irregular[1:], strict=True):
        apart = seconds[key] - seconds[kept[-1]] >= limits.min_gap_seconds
        jump = abs(np.log(table.sizes[key] / table.sizes[kept[-1]])) > 0.15
        sparse = len(keys) < len(table) / 2  # in intra-only footage every picture is a key frame
        if apart or (sparse and (odd or jump)) or int(table.pts[key]) in breaks:
            kept.append(int(key))
    return np.asarray(kept, dtype=np.int64)


def gap_filling(
    seconds: NDArray[np.float64], start: int, end: int, limit: float, gap: float
) -> list[int]:
    """The earliest pictures (the cheapest to decode) that leave no gap longer than ``gap``."""
    found: list[int] = []
    after = end
    while limit - seconds[start] > gap + 1e-9:
        near = int(np.searchsorted(seconds[start:end], limit - gap - 1e-9)) + start
        after = min(near, after - 1)  # where the file itself has a hole: the last before it
        if after <= start:
            break
        found.append(after)
        limit = float(seconds[after])
    return found[::-1]
