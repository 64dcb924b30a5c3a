"""Novelty: where the bytes of a group of pictures (GOP) say that something new came into it."""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tempo_edge.attention.budget import SamplingBudget
from tempo_edge.attention.sampling_plan import Reason
from tempo_edge.media import PacketTable

__all__ = ["Event", "bought", "events"]


class Event(NamedTuple):
    """A picture at which bytes say that something new came: its place, how much, and what it is."""

    index: int
    gain: float
    reason: Reason


def events(
    table: PacketTable,
    seconds: NDArray[np.float64],
    start: int,
    end: int,
    typical: float,
    limits: SamplingBudget,
) -> list[Event]:
    """Where a GOP's bytes say that something new came into the picture."""
    inner = table.sizes[start + 1 : end]
    if not len(inner):
        return []
    novelty = inner / max(float(table.sizes[start]), typical)
    spikes = (novelty >= limits.spike) & (inner >= 4 * np.median(inner))
    found: list[Event] = []
    gathered, since = 0.0, seconds[start]
    for offset in range(len(inner)):
        index = start + 1 + offset
        gathered += novelty[offset]
        if spikes[offset]:
            found.append(Event(index, 1.0 + float(novelty[offset]), Reason.SPIKE))
        elif gathered >= limits.refresh and seconds[index] - since >= limits.fine_gap_seconds:
            found.append(Event(index, min(gathered, 1.0), Reason.REFRESH))
        else:
            continue
        gathered, since = 0.0, seconds[index]
    return found


def bought(events: list[list[Event]], reach: list[int], pool: int) -> list[Event]:
    """Buy events, most gain for each decoded picture first; extends ``reach`` in place."""
    taken: list[Event] = []
    heap: list[tuple[float, int, int]] = []

    def offer(gop: int, position: int) -> None:
        if position < len(events[gop]):
            index, gain, _ = events[gop][position]
            heapq.heappush(heap, (-gain / max(1, index - reach[gop]), gop, position))

    for gop in range(len(events)):
        offer(gop, 0)
    while heap:
        _, gop, position = heapq.heappop(heap)
        event = events[gop][position]
        cost = max(0, event.index - reach[gop])
        if cost > pool:
            continue  # nothing later in this GOP is nearer
        pool -= cost
        reach[gop] = max(reach[gop], event.index)
        taken.append(event)
        offer(gop, position + 1)
    return taken
