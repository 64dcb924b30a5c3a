"""Sampling plans: what of a file to decode and to look at; the uniform one is the baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tempo_edge.media import DecodeRange, PacketTable, VideoInfo

__all__ = ["SamplingPlan", "uniform_plan"]


@dataclass(frozen=True)
class SamplingPlan:
    """A plan of what to decode and which of it to look at.

    Attributes:
        runs: stretches to decode, in time order, none overlapping another.
        wanted: presentation time stamps to look at, rising, ``[n]`` int64; each lies in a run.
        scene_keys: key frames that the encoder placed out of rhythm, as it does at scene changes.
        calm_keys: key frames in rhythm after a GOP without a spike: if the picture is new there, it
            became so at that very key frame.
        measured: True when differences and tokens are to be worked out (SAA), False for the plain
            uniform baseline.
    """

    runs: list[DecodeRange]
    wanted: NDArray[np.int64]
    scene_keys: frozenset[int]
    calm_keys: frozenset[int]
    measured: bool = True


def uniform_plan(table: PacketTable, info: VideoInfo, frames_per_second: float) -> SamplingPlan:
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
    runs = [
        DecodeRange(int(table.pts[k]), int(table.pts[e])) for k, e in zip(keys, ends, strict=True)
    ]
    return SamplingPlan(runs, table.pts[wanted], frozenset(), frozenset(), measured=False)
