"""Intra-only footage (ProRes, DNxHD, MJPEG, all-intra AVC): sampled by time.

No picture leans on another there, so that every packet has a key frame's flag and a key frame's
size: neither says where something is new, and any picture costs one picture.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tempo_edge.attention.budget import SamplingBudget
from tempo_edge.media import PacketTable

__all__ = ["evenly", "is_intra_only", "size_steps"]

# Sizes step where one differs from the one before it by this much, as a logarithm, and by so many
# times as much as they usually do.
_STEP, _TIMES = 0.15, 6.0


def is_intra_only(table: PacketTable) -> bool:
    """Whether so many packets are key frames that they can't be the beginnings of groups."""
    return 2 * int(table.keys.sum()) >= len(table) > 2


def evenly(
    table: PacketTable,
    seconds: NDArray[np.float64],
    keys: NDArray[np.int64],
    pictures_per_second: float,
    limits: SamplingBudget,
) -> NDArray[np.int64]:
    """Key frames at equal distances, no matter what they hold, and the first after each break.

    Args:
        pictures_per_second: what the budget pays for.
    """
    gap = limits.max_gap_seconds
    step = max(limits.min_gap_seconds, 1.0 / max(pictures_per_second, 1e-9))
    times = seconds[keys]
    due = np.flatnonzero(np.isin(table.pts[keys], list(table.breaks)))
    taken, number = [0], 0
    while True:
        after = int(np.searchsorted(times, times[number] + min(step, gap) - 1e-9))
        if after < len(times) and times[after] - times[number] > gap + 1e-9:
            after = max(after - 1, number + 1)  # else the file itself has a hole
        breaks = due[np.searchsorted(due, number, side="right") :][:1]
        number = min(after, *breaks.tolist()) if len(breaks) else after
        if number >= len(keys):
            return keys[taken]
        taken.append(number)


def size_steps(table: PacketTable, keys: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """The ``most`` key frames at which sizes step farthest from the one right before: cuts.

    Codecs of a steady rate have none.
    """
    if most < 1 or len(keys) < 3:
        return keys[:0]
    steps = np.abs(np.diff(np.log(np.maximum(table.sizes[keys], 1))))
    odd = (steps >= _STEP) & (steps >= _TIMES * np.median(steps))
    far = np.flatnonzero(odd)
    far = far[np.argsort(-steps[far], kind="stable")[:most]]
    return np.sort(keys[far + 1])
