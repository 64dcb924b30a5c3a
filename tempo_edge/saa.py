"""Self-adaptive Attention Allocation: look where the picture changes, and nowhere else.

Three tiers, each of which decides how little the next, dearer one has to do:

1. :func:`plan` reads the packet table alone. A key frame and the bytes of the pictures after it
   tell how much changes, before anything is decoded. It picks key frames, and spends a budget of
   decoded pixels on the groups of pictures (GOPs) whose packets say that something happens inside.
2. The indexer decodes just those runs and measures the difference of luma blocks
   (:mod:`tempo_kernels`).
3. :func:`allocate` spends a budget of visual tokens over the frames: ``n_t`` in proportion to
   ``epsilon + v_t``, between a floor and a ceiling; a frame that shows no variation costs nothing.

The idea is Tempo-R0's (arXiv 2507.04702); the formulas here are our own.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tempo_edge.media import PacketTable, Run, VideoInfo

__all__ = ["Plan", "Policy", "allocate", "plan", "uniform_plan"]


@dataclass(frozen=True)
class Policy:
    """How much attention may be spent. All budgets are a second of footage, so cost is linear.

    Attributes:
        max_gap_seconds: no two frames looked at lie further apart, where the container allows it.
        min_gap_seconds: key frames closer than this are skipped unless their size jumps.
        fine_gap_seconds: steady motion is sampled no finer than this.
        dense_pixels_per_second: luma pixels that may be decoded beyond key frames and the gap rule.
        spike: a packet of this share of its key frame's bytes was coded almost afresh: a cut.
        refresh: frames are looked at again after this many key frames' worth of new bytes.
        tokens_per_second: visual tokens kept.
        token_floor, token_ceiling: fewest and most tokens for a frame that is kept.
        epsilon: share of attention that every changed frame gets, however small its variation.
        still: variation at or below this is no variation at all.
    """

    max_gap_seconds: float = 8.0
    min_gap_seconds: float = 1.0
    fine_gap_seconds: float = 1.0
    dense_pixels_per_second: float = 5e6
    spike: float = 0.35
    refresh: float = 1.0
    tokens_per_second: float = 1.5
    token_floor: int = 1
    token_ceiling: int = 9
    epsilon: float = 0.05
    still: float = 0.004

    def __post_init__(self) -> None:
        for name in ("max_gap_seconds", "fine_gap_seconds", "refresh", "tokens_per_second"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} {getattr(self, name)} must be positive")
        if not 0 <= self.token_floor <= self.token_ceiling:
            raise ValueError(
                f"token_floor {self.token_floor} must be within [0, {self.token_ceiling}]"
            )


@dataclass(frozen=True)
class Plan:
    """What to decode and which of it to look at.

    Attributes:
        runs: stretches to decode, in time order, none overlapping another.
        wanted: presentation time stamps to look at, rising, ``[n]`` int64; each lies in a run.
        scene_keys: key frames that the encoder placed out of rhythm, as it does at scene changes.
        calm_keys: key frames in rhythm after a GOP without a spike: if the picture is new there, it
            became so at that very key frame.
        measured: True when differences and tokens are to be worked out (SAA), False for the plain
            uniform baseline.
    """

    runs: list[Run]
    wanted: NDArray[np.int64]
    scene_keys: frozenset[int]
    calm_keys: frozenset[int]
    measured: bool = True


def plan(table: PacketTable, info: VideoInfo, policy: Policy) -> Plan:
    """Tier 1: choose what to decode from packet sizes and key frames alone.

    Raises:
        ValueError: the table holds no key frame.
    """
    seconds = table.pts.astype(np.float64) * float(info.time_base)
    keys = np.flatnonzero(table.keys)
    if not len(keys):
        raise ValueError("the packet table holds no key frame")
    rhythm = _irregular(keys, len(table))
    kept = _keep_keys(table, seconds, keys, rhythm, policy)
    ends = np.append(kept[1:], len(table))
    last = seconds[-1]
    wanted: list[int] = []
    reach: list[int] = []  # per kept key, the index up to which its GOP is decoded
    for start, end in zip(kept, ends, strict=True):
        limit = seconds[end] if end < len(table) else last
        inside = _gap_fill(seconds, int(start), int(end), float(limit), policy.max_gap_seconds)
        wanted += [int(start), *inside]
        reach.append(inside[-1] if inside else int(start))
    spent = sum(r - int(k) for r, k in zip(reach, kept, strict=True))
    first = int(table.pts[kept[0]])
    shown = (table.shown_until(int(table.pts[-1])) - table.shown_until(first)) * info.time_base
    pictures = policy.dense_pixels_per_second * float(shown)
    # The gap rule comes first; what it decodes anyway can be looked at for nothing.
    pool = max(0, int(pictures / (info.width * info.height)) - spent)
    # A black or plain key frame is tiny and would make every packet after it look like news.
    typical = float(np.median(table.sizes[kept]))
    events = [
        _events(table, seconds, int(start), int(end), typical, policy)
        for start, end in zip(kept, ends, strict=True)
    ]
    wanted += _spend(events, reach, pool)
    chosen = np.unique(np.asarray(wanted, dtype=np.int64))
    scene = frozenset(int(table.pts[k]) for k, odd in zip(keys, rhythm, strict=True) if odd)
    runs = [Run(int(table.pts[k]), int(table.pts[r])) for k, r in zip(kept, reach, strict=True)]
    calm = frozenset(
        int(table.pts[key])
        for key, before in zip(kept[1:], events, strict=False)
        if all(gain <= 1.0 for _, gain in before)
    )
    return Plan(runs, table.pts[chosen], scene, calm - scene)


def uniform_plan(table: PacketTable, info: VideoInfo, frames_per_second: float) -> Plan:
    """The baseline of frame-by-frame tools: decode everything, look at equal distances.

    Raises:
        ValueError: the table holds no key frame, or the rate is not positive.
    """
    if not frames_per_second > 0:
        raise ValueError(f"frames_per_second {frames_per_second} must be positive")
    keys = np.flatnonzero(table.keys)
    if not len(keys):
        raise ValueError("the packet table holds no key frame")
    seconds = table.pts.astype(np.float64) * float(info.time_base)
    first = int(keys[0])
    # How many distances lie before each picture: a gap of years is one large number, not an array.
    passed = np.floor((seconds[first:] - seconds[first] + 1e-6) * frames_per_second)
    wanted = first + np.flatnonzero(np.diff(passed, prepend=-1) > 0)
    ends = np.append(keys[1:], len(table)) - 1
    runs = [Run(int(table.pts[k]), int(table.pts[e])) for k, e in zip(keys, ends, strict=True)]
    return Plan(runs, table.pts[wanted], frozenset(), frozenset(), measured=False)


def allocate(
    variation: NDArray[np.floating], budget: int, policy: Policy | None = None
) -> NDArray[np.int64]:
    """Tier 3: share ``budget`` tokens over frames, ``n_t`` in proportion to ``epsilon + v_t``.

    Frames at or below ``policy.still`` get none. Where the budget can't give every changed frame
    the floor, the most changed come first. Otherwise the total is exactly ``budget``, or what the
    ceiling allows if that is less; fractions go to the largest remainders, ties to earlier frames.

    Args:
        variation: ``[n]``, each in [0, 1].
        budget: tokens to spend, not negative.

    Returns:
        ``[n]`` int64.

    Raises:
        ValueError: the budget is negative, or a variation lies outside [0, 1].
    """
    policy = policy or Policy()
    v = np.asarray(variation, dtype=np.float64)
    if budget < 0:
        raise ValueError(f"budget {budget} must not be negative")
    if v.size and not (v.min() >= 0 and v.max() <= 1):
        raise ValueError(f"variation must be within [0, 1], got [{v.min()}, {v.max()}]")
    tokens = np.zeros(len(v), dtype=np.int64)
    changed = np.flatnonzero(v > policy.still)
    if policy.token_floor and len(changed) * policy.token_floor > budget:
        order = changed[np.argsort(-v[changed], kind="stable")]
        tokens[order[: budget // policy.token_floor]] = policy.token_floor
        return tokens
    if len(changed):
        weight = policy.epsilon + v[changed]
        tokens[changed] = _shares(weight, budget, policy.token_floor, policy.token_ceiling)
    return tokens


def _shares(weight: NDArray[np.float64], total: int, floor: int, ceiling: int) -> NDArray[np.int64]:
    """Whole numbers within [floor, ceiling], near a common multiple of ``weight``, of one total."""
    total = min(total, ceiling * len(weight))
    low, high = 0.0, (ceiling + 1) / float(weight.min())
    for _ in range(64):  # the clipped sum rises with the multiple, so bisection finds it
        middle = (low + high) / 2
        if np.clip(middle * weight, floor, ceiling).sum() < total:
            low = middle
        else:
            high = middle
    exact = np.clip(high * weight, floor, ceiling)
    whole = np.floor(exact + 1e-9).astype(np.int64)
    missing = total - int(whole.sum())
    open_ = np.flatnonzero(whole < ceiling)
    order = open_[np.argsort(-(exact - whole)[open_], kind="stable")]
    whole[order[: max(0, missing)]] += 1
    return whole


def _irregular(keys: NDArray[np.int64], pictures: int) -> NDArray[np.bool_]:
    """Key frames that break the encoder's rhythm: those it put there because the scene changed."""
    if len(keys) < 2:
        return np.zeros(len(keys), dtype=np.bool_)
    lengths = np.diff(keys)
    values, counts = np.unique(lengths, return_counts=True)
    steady = values[(counts >= 2) & (counts >= 0.3 * len(lengths))]
    longest = values[-1:] if counts[-1] >= 2 else values[:0]
    odd = ~np.isin(lengths, np.concatenate([steady, longest]))
    return np.concatenate([[False], odd])


def _keep_keys(
    table: PacketTable,
    seconds: NDArray[np.float64],
    keys: NDArray[np.int64],
    irregular: NDArray[np.bool_],
    policy: Policy,
) -> NDArray[np.int64]:
    """Thin key frames that come thick and fast, keeping those whose bytes say "new picture"."""
    kept, breaks = [int(keys[0])], table.breaks
    for key, odd in zip(keys[1:], irregular[1:], strict=True):
        apart = seconds[key] - seconds[kept[-1]] >= policy.min_gap_seconds
        jump = abs(np.log(table.sizes[key] / table.sizes[kept[-1]])) > 0.15
        sparse = len(keys) < len(table) / 2  # in intra-only footage every picture is a key frame
        if apart or (sparse and (odd or jump)) or int(table.pts[key]) in breaks:
            kept.append(int(key))
    return np.asarray(kept, dtype=np.int64)


def _gap_fill(
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


def _events(
    table: PacketTable,
    seconds: NDArray[np.float64],
    start: int,
    end: int,
    typical: float,
    policy: Policy,
) -> list[tuple[int, float]]:
    """Where a GOP's bytes say that something new came into the picture: (index, how much)."""
    inner = table.sizes[start + 1 : end]
    if not len(inner):
        return []
    novelty = inner / max(float(table.sizes[start]), typical)
    spikes = (novelty >= policy.spike) & (inner >= 4 * np.median(inner))
    events: list[tuple[int, float]] = []
    gathered, since = 0.0, seconds[start]
    for offset in range(len(inner)):
        index = start + 1 + offset
        gathered += novelty[offset]
        if spikes[offset]:
            events.append((index, 1.0 + float(novelty[offset])))
        elif gathered >= policy.refresh and seconds[index] - since >= policy.fine_gap_seconds:
            events.append((index, min(gathered, 1.0)))
        else:
            continue
        gathered, since = 0.0, seconds[index]
    return events


def _spend(events: list[list[tuple[int, float]]], reach: list[int], pool: int) -> list[int]:
    """Buy events, most gain for each decoded picture first; extends ``reach`` in place."""
    bought: list[int] = []
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
        bought.append(index)
        offer(gop, position + 1)
    return bought
