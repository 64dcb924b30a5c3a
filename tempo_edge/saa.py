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
from tempo_edge.attention.intra_only import evenly, is_intra_only, size_steps
from tempo_edge.attention.key_frames import chosen_keys, gap_filling, out_of_rhythm
from tempo_edge.attention.novelty import Event, bought, common_novelty, events, novelty
from tempo_edge.attention.reach import Reach
from tempo_edge.attention.sampling_plan import Reason, SamplingPlan, uniform_plan
from tempo_edge.attention.token_shares import shares
from tempo_edge.media import DecodeRange, PacketTable, VideoInfo

__all__ = ["Reason", "SamplingBudget", "SamplingPlan", "allocate", "plan", "uniform_plan"]

# Pictures a second that the pixel budget is meant for; of faster footage more may be decoded.
_USUAL_RATE = 30.0


def plan(table: PacketTable, info: VideoInfo, limits: SamplingBudget) -> SamplingPlan:
    """Tier 1: choose what to decode from packet sizes and key frames alone.

    Raises:
        ValueError: the table holds no key frame.
    """
    seconds = table.pts.astype(np.float64) * float(info.time_base)
    keys = np.flatnonzero(table.keys)
    if not len(keys):
        raise ValueError("the packet table holds no key frame")
    first = int(table.pts[keys[0]])
    ticks = table.shown_until(int(table.pts[-1])) - table.shown_until(first)
    shown = float(ticks * info.time_base)
    affordable = limits.dense_pixels_per_second / (info.width * info.height)  # pictures a second
    wanted, kept = _sure_looks(table, seconds, keys, (affordable, shown), limits)
    scenes = {index for index, reason in wanted.items() if reason is Reason.SCENE}
    news = novelty(table, kept)
    common = common_novelty(news, keys)
    reach = Reach(keys)
    for index in wanted:
        reach.extend(index)
    offered: list[Event] = []
    calm: set[int] = set()
    next_keys = set(keys[1:][np.isin(keys[:-1], kept)].tolist())
    for start, end in zip(kept.tolist(), [*kept[1:].tolist(), len(table)], strict=True):
        for index in gap_filling(news, seconds, start, end, limits):
            wanted.setdefault(index, Reason.GAP)
            reach.extend(index)
        found = events(news, seconds, common, table.keys, (start, end), limits)
        offered += found
        if end in next_keys and all(event.reason is not Reason.SPIKE for event in found):
            calm.add(end)
    # Where pictures come faster, each holds less that is new and is decoded with less work.
    faster = max(1.0, len(table) / max(_USUAL_RATE * shown, 1.0))
    # The gap rule comes first; what it decodes anyway can be looked at for nothing.
    pool = max(0, int(affordable * shown * faster) - reach.pictures)
    most = limits.refresh_pixels / (info.width * info.height) * faster
    for event in bought(offered, reach, pool, most):
        wanted.setdefault(event.place, event.reason)
    for key, _ in reach.runs:
        wanted.setdefault(key, Reason.KEY)
    chosen = sorted(wanted)
    return SamplingPlan(
        [DecodeRange(int(table.pts[key]), int(table.pts[last])) for key, last in reach.runs],
        table.pts[chosen],
        tuple(wanted[index] for index in chosen),
        scene_keys=frozenset(table.pts[sorted(scenes)].tolist()),
        calm_keys=frozenset(table.pts[sorted(calm - scenes)].tolist()),
    )


def _sure_looks(
    table: PacketTable,
    seconds: NDArray[np.float64],
    keys: NDArray[np.int64],
    paid: tuple[float, float],
    limits: SamplingBudget,
) -> tuple[dict[int, Reason], NDArray[np.int64]]:
    """Key frames that are looked at, each with its reason, and those that gaps lie between.

    Args:
        paid: pictures a second that the budget pays for, and for how many seconds.
    """
    if is_intra_only(table):
        kept = evenly(table, seconds, keys, paid[0], limits)
        scenes = size_steps(table, keys, int(paid[0] * paid[1]) - len(kept))
        wanted = dict.fromkeys(kept.tolist(), Reason.DISTANCE)
    else:
        odd = out_of_rhythm(keys)
        kept = chosen_keys(table, seconds, keys, odd, limits)
        scenes = np.intersect1d(keys[odd], kept)
        wanted = dict.fromkeys(kept.tolist(), Reason.KEY)
    return wanted | dict.fromkeys(scenes.tolist(), Reason.SCENE), kept


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
