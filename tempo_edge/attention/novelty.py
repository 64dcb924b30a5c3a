"""Novelty: where the bytes of a group of pictures (GOP) say that something new came into it."""

from __future__ import annotations

import heapq
from collections import defaultdict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tempo_edge.attention.budget import SamplingBudget
from tempo_edge.attention.reach import Reach
from tempo_edge.media import PacketTable

__all__ = ["Spike", "bought", "new_bytes", "novelty", "spikes"]

# A packet this small, in bytes and as a share of a key frame, holds headers and nothing else.
_EMPTY_BYTES, _EMPTY_SHARE = 64, 0.002

# A spike is this many times as large as is usual, or as any of so many packets right before it.
_STANDS_OUT, _LATELY = 4.0, 8


class Spike(NamedTuple):
    """A picture that was coded almost afresh: its place, and its share of a key frame's bytes."""

    index: int
    share: float


def new_bytes(table: PacketTable) -> NDArray[np.int64]:
    """The bytes of each packet that change the picture before it, ``[n]``.

    Key frames have none: their bytes say how much there is to see, not how much of it is new.
    """
    empty = min(_EMPTY_BYTES, _EMPTY_SHARE * float(np.median(table.sizes[table.keys])))
    return np.where(table.keys | (table.sizes <= empty), 0, table.sizes)


def novelty(table: PacketTable, kept: NDArray[np.int64]) -> NDArray[np.float64]:
    """The new bytes of each packet as a share of the key frame last looked at, ``[n]``."""
    # A black or plain key frame is tiny and would make every packet after it look like news.
    typical = float(np.median(table.sizes[kept]))
    ends = np.append(kept[1:], len(table))
    measure = np.maximum(table.sizes[kept], max(typical, 1.0))
    shares = np.zeros(len(table))
    shares[kept[0] :] = new_bytes(table)[kept[0] :] / np.repeat(measure, ends - kept)
    return shares


def spikes(news: NDArray[np.float64], start: int, end: int, limits: SamplingBudget) -> list[Spike]:
    """The pictures from one look to the next that were coded almost afresh, as happens at a cut.

    They stand out from what is usual up to the next look, or from all those right before them:
    after a cut to something hectic every picture is large.

    Args:
        news: the novelty of each packet, ``[n]``.
        start, end: the key frame that is looked at, and the next one that is.
    """
    inner = news[start + 1 : end]
    large = np.flatnonzero(inner >= limits.spike)
    if not len(large):
        return []
    usual = float(np.median(inner))
    found: list[Spike] = []
    for offset in large.tolist():
        lately = inner[max(0, offset - _LATELY) : offset]
        before = float(lately.max()) if len(lately) == _LATELY else usual
        if inner[offset] >= _STANDS_OUT * min(usual, before):
            found.append(Spike(start + 1 + offset, float(inner[offset])))
    return found


def bought(offered: list[Spike], reach: Reach, pool: int) -> list[int]:
    """Buy spikes, the highest for each decoded picture first; extends ``reach`` in place.

    Args:
        offered: spikes in the order of their places.
        pool: pictures that may be decoded for them.
    """
    groups: dict[int, list[Spike]] = defaultdict(list)
    for spike in offered:
        groups[reach.key_of(spike.index)].append(spike)
    taken: list[int] = []
    heap: list[tuple[float, int, int]] = []

    def offer(key: int, position: int) -> None:
        if position < len(groups[key]):
            index, share = groups[key][position]
            heapq.heappush(heap, (-(1.0 + share) / max(1, reach.cost(index)), key, position))

    for key in groups:
        offer(key, 0)
    while heap:
        _, key, position = heapq.heappop(heap)
        index = groups[key][position].index
        cost = reach.cost(index)
        if cost > pool:
            continue  # nothing later in this GOP is nearer
        pool -= cost
        reach.extend(index)
        taken.append(index)
        offer(key, position + 1)
    return taken
