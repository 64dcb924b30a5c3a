"""Novelty: where the bytes of a group of pictures (GOP) say that something new came into it."""

from __future__ import annotations

import heapq
from collections import defaultdict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tempo_edge.attention.budget import SamplingBudget
from tempo_edge.attention.reach import Reach
from tempo_edge.attention.sampling_plan import Reason
from tempo_edge.media import PacketTable

__all__ = ["Event", "bought", "common_novelty", "events", "new_bytes", "novelty"]

# A packet this small, in bytes and as a share of a key frame, holds headers and nothing else.
_EMPTY_BYTES, _EMPTY_SHARE = 64, 0.002

# A spike is this many times as large as is usual, or as any of so many packets right before it.
_STANDS_OUT, _LATELY = 4.0, 8

# In so many pictures after a key frame, what most groups hold at the same place is how they are
# coded: the first picture that leans on the key frame alone, say. A spike is so many times as
# large, and so many groups tell what is common.
_OPENING, _CONTRAST, _TELLING = 8, 2.0, 4


class Event(NamedTuple):
    """A picture at which bytes say that something new came: its place, how much, and what it is."""

    place: int
    gain: float
    reason: Reason


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


def common_novelty(news: NDArray[np.float64], keys: NDArray[np.int64]) -> NDArray[np.float64]:
    """What is usual at the place of each packet within its group of pictures, ``[n]``.

    The median over all groups, for the first pictures of each; 0 for others, and where few groups
    are so long.

    Args:
        news: the novelty of each packet, ``[n]``; ``keys``: places of the key frames.
    """
    common = np.zeros(len(news))
    lengths = np.diff(np.append(keys, len(news)))
    for after in range(1, _OPENING + 1):
        places = keys[lengths > after] + after
        if len(places) >= _TELLING:
            common[places] = np.median(news[places])
    return common


def events(
    news: NDArray[np.float64],
    seconds: NDArray[np.float64],
    common: NDArray[np.float64],
    keys: NDArray[np.bool_],
    between: tuple[int, int],
    limits: SamplingBudget,
) -> list[Event]:
    """Where bytes say that something new came into the picture, from one look to the next.

    Args:
        news: the novelty of each packet, ``[n]``; ``common``: what is usual at its place;
            ``keys``: whether it is a key frame.
        between: the key frame that is looked at, and the next one that is.
    """
    start, end = between
    inner = news[start + 1 : end]
    spikes = set(_spikes(inner, np.maximum(limits.spike, _CONTRAST * common[start + 1 : end])))
    if not spikes and inner.sum() < limits.refresh:
        return []
    found: list[Event] = []
    gathered, since = 0.0, seconds[start]
    key, after_key = start, 0.0  # the last key frame since, and what came after it
    for offset, share in enumerate(inner.tolist()):
        index = start + 1 + offset
        gathered += share
        after_key += share
        if keys[index]:
            key, after_key = index, 0.0
        place, left = index, 0.0
        if offset in spikes:
            found.append(Event(place, 1.0 + share, Reason.SPIKE))
        elif gathered >= limits.refresh and seconds[index] - since >= limits.min_gap_seconds:
            # A key frame that shows most of it is decoded anyway, and before it.
            if key > start and 2 * after_key < gathered:
                place, left = key, after_key
            found.append(Event(place, min(gathered, 1.0), Reason.REFRESH))
        else:
            continue
        gathered, since, key = left, seconds[place], start
    return found


def _spikes(inner: NDArray[np.float64], least: NDArray[np.float64]) -> list[int]:
    """The pictures that were coded almost afresh, as happens at a cut.

    They stand out from what is usual up to the next look, or from all those right before them:
    after a cut to something hectic every picture is large.

    Args:
        inner: the novelty of each packet between two looks, ``[n]``.
        least: what a spike has at least at the place of each, ``[n]``.
    """
    is_large = inner >= least
    if not is_large.any():
        return []
    lead = int(np.argmin(np.append(is_large, False)))
    usual = float(np.median(inner))
    # Several large ones right after the key frame are no cut, but what an encoder adds to it while
    # its rate settles, or motion that was there before.
    opening = float(np.median(inner[:lead])) if lead > 1 else usual
    found: list[int] = []
    for offset in np.flatnonzero(is_large).tolist():
        lately = inner[max(0, offset - _LATELY) : offset]
        common = opening if offset < lead else usual
        before = float(lately.max()) if len(lately) == _LATELY else common
        if inner[offset] >= _STANDS_OUT * min(common, before):
            found.append(offset)
    return found


def bought(offered: list[Event], reach: Reach, pool: int, most_for_refresh: float) -> list[Event]:
    """Buy events, most gain for each decoded picture first; extends ``reach`` in place.

    Args:
        offered: events in the order of their places.
        pool: pictures that may be decoded for them.
        most_for_refresh: pictures that may be decoded for a single refresh.
    """
    groups: dict[int, list[Event]] = defaultdict(list)
    for event in offered:
        groups[reach.key_of(event.place)].append(event)
    taken: list[Event] = []
    heap: list[tuple[float, int, int]] = []

    def offer(key: int, position: int) -> None:
        if position < len(groups[key]):
            event = groups[key][position]
            worth = event.gain / max(1, reach.cost(event.place))
            heapq.heappush(heap, (-worth, key, position))

    for key in groups:
        offer(key, 0)
    while heap:
        _, key, position = heapq.heappop(heap)
        event = groups[key][position]
        cost = reach.cost(event.place)
        if cost > pool:
            continue  # nothing later in this GOP is nearer
        if event.reason is Reason.SPIKE or cost <= most_for_refresh:
            pool -= cost
            reach.extend(event.place)
            taken.append(event)
        offer(key, position + 1)
    return taken
