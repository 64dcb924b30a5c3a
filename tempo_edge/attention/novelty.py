"""Novelty: where the bytes of a group of pictures (GOP) say that something new came into it."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from tempo_edge.attention.budget import SamplingBudget
from tempo_edge.media import PacketTable

__all__ = ["bought", "events"]


def events(
    table: PacketTable,
    seconds: NDArray[np.float64],
    start: int,
    end: int,
    typical: float,
    limits: SamplingBudget,
) -> list[tuple[int, float]]:
    """Where a GOP's bytes say that something new came into the picture: (index, how much)."""
    inner = table.sizes[start + 1 : end]
    if not len(inner):
        return []
    novelty = inner / max(float(table.sizes[start]), typical)
    spikes = (novelty >= limits.spike) & (inner >= 4 * np.median(inner))
    found: list[tuple[int, float]] = []
    gathered, since = 0.0, seconds[start]
    for offset in range(len(inner)):
        index = start + 1 + offset
        gathered += novelty[offset]
        if spikes[offset]:
            found.append((index, 1.0 + float(novelty[offset])))
        elif gathered >= limits.refresh and seconds[index] - since >= limits.fine_gap_seconds:
            found.append((index, min(gathered, 1.0)))
        else:
            continue
        gathered, since = 0.0, seconds[index]
    return found


def bought(events: list[list[tuple[int, float]]], reach: list[int], pool: int) -> list[int]:
    """Buy events, most gain for each decoded picture first; extends ``reach`` in place."""
    indices: list[int] = []
    heap: list[tuple[float, int, int]] = []

    def offer(gop: int, position: int) -> None:
        if position < len(events[gop]):
            index, gain = events[gop][position]
            heapq.heappush(heap, (-gain / max(1, index - reach[gop]), gop, position))

    for gop in range(len(events)):
        offer(gop, 0)
    while heap:
        _, gop, position = heapq.heappop(heap)
        index, _ = events[gop][position]
        cost = max(0, index - reach[gop])
        if cost > pool:
            continue  # nothing later in this GOP is nearer
        pool -= cost
        reach[gop] = max(reach[gop], index)
        indices.append(index)
        offer(gop, position + 1)
    return indices
