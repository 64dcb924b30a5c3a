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

import numpy as np
from numpy.typing import NDArray

from tempo_edge.attention.budget import SamplingBudget
from tempo_edge.attention.key_frames import chosen_keys, gap_filling, out_of_rhythm
from tempo_edge.attention.novelty import bought, events
from tempo_edge.attention.sampling_plan import Reason, SamplingPlan, uniform_plan
from tempo_edge.attention.token_shares import shares
from tempo_edge.media import DecodeRange, PacketTable, VideoInfo

__all__ = ["Reason", "SamplingBudget", "SamplingPlan", "allocate", "plan", "uniform_plan"]


def plan(table: PacketTable, info: VideoInfo, limits: SamplingBudget) -> SamplingPlan:
    """Tier 1: choose what to decode from packet sizes and key frames alone.

    Raises:
        ValueError: the table holds no key frame.
    """
    seconds = table.pts.astype(np.float64) * float(info.time_base)
    keys = np.flatnonzero(table.keys)
    if not len(keys):
        raise ValueError("the packet table holds no key frame")
    rhythm = out_of_rhythm(keys, len(table))
    kept = chosen_keys(table, seconds, keys, rhythm, limits)
    ends = np.append(kept[1:], len(table))
    last = seconds[-1]
    odd = set(keys[rhythm].tolist())
    wanted: dict[int, Reason] = {}
    reach: list[int] = []  # per kept key, the index up to which its GOP is decoded
    for start, end in zip(kept, ends, strict=True):
        limit = seconds[end] if end < len(table) else last
        inside = gap_filling(seconds, int(start), int(end), float(limit), limits.max_gap_seconds)
        wanted |= dict.fromkeys(inside, Reason.GAP)
        wanted[int(start)] = Reason.SCENE if int(start) in odd else Reason.KEY
        reach.append(inside[-1] if inside else int(start))
    spent = sum(r - int(k) for r, k in zip(reach, kept, strict=True))
    first = int(table.pts[kept[0]])
    shown = (table.shown_until(int(table.pts[-1])) - table.shown_until(first)) * info.time_base
    pictures = limits.dense_pixels_per_second * float(shown)
    # The gap rule comes first; what it decodes anyway can be looked at for nothing.
    pool = max(0, int(pictures / (info.width * info.height)) - spent)
    # A black or plain key frame is tiny and would make every packet after it look like news.
    typical = float(np.median(table.sizes[kept]))
    found = [
        events(table, seconds, int(start), int(end), typical, limits)
        for start, end in zip(kept, ends, strict=True)
    ]
    for event in bought(found, reach, pool):
        wanted.setdefault(event.index, event.reason)
    chosen = sorted(wanted)
    scene = frozenset(table.pts[keys[rhythm]].tolist())
    runs = [
        DecodeRange(int(table.pts[k]), int(table.pts[r])) for k, r in zip(kept, reach, strict=True)
    ]
    calm = frozenset(
        int(table.pts[key])
        for key, before in zip(kept[1:], found, strict=False)
        if all(event.reason is not Reason.SPIKE for event in before)
    )
    reasons = tuple(wanted[index] for index in chosen)
    return SamplingPlan(runs, table.pts[chosen], reasons, scene, calm - scene)


def allocate(
    variation: NDArray[np.floating], budget: int, limits: SamplingBudget | None = None
) -> NDArray[np.int64]:
    """Tier 3: share ``budget`` tokens over frames, ``n_t`` in proportion to ``epsilon + v_t``.

    Frames at or below ``limits.still`` get none. Where the budget can't give every changed frame
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
    limits = limits or SamplingBudget()
    v = np.asarray(variation, dtype=np.float64)
    if budget < 0:
        raise ValueError(f"budget {budget} must not be negative")
    if v.size and not (v.min() >= 0 and v.max() <= 1):
        raise ValueError(f"variation must be within [0, 1], got [{v.min()}, {v.max()}]")
    tokens = np.zeros(len(v), dtype=np.int64)
    changed = np.flatnonzero(v > limits.still)
    if limits.token_floor and len(changed) * limits.token_floor > budget:
        order = changed[np.argsort(-v[changed], kind="stable")]
        tokens[order[: budget // limits.token_floor]] = limits.token_floor
        return tokens
    if len(changed):
        weight = limits.epsilon + v[changed]
        tokens[changed] = shares(weight, budget, limits.token_floor, limits.token_ceiling)
    return tokens
