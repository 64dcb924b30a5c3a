"""Sampling plans: what of a file to decode and to look at; the uniform one is the baseline."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from tempo_edge.media import DecodeRange, PacketTable, VideoInfo

__all__ = ["Reason", "SamplingPlan", "uniform_plan"]


class Reason(Enum):
    """Why a picture is looked at; where several reasons hold, the first of these is told."""

    SCENE = "scene key frames"  # the encoder put it there out of rhythm
    KEY = "key frames in rhythm"
    GAP = "gap fillers"
    SPIKE = "spikes"
    REFRESH = "refreshes"
    PASSED = "cuts on the way"  # decoded for the sake of another, and found to follow a cut
    DISTANCE = "equal distances"  # of the uniform plan


@dataclass(frozen=True)
class SamplingPlan:
    """A plan of what to decode and which of it to look at.

    Attributes:
        runs: stretches to decode, in time order, none overlapping another.
        wanted: presentation time stamps to look at, rising, ``[n]`` int64; each lies in a run.
        reasons: why each of ``wanted`` is looked at, ``[n]``.
        scene_keys: key frames that the encoder placed out of rhythm, as it does at scene changes.
        calm_keys: key frames in rhythm after a GOP without a spike: if the picture is new there, it
            became so at that very key frame.
        measured: True when differences and tokens are to be worked out (SAA), False for the plain
            uniform baseline.
        finds_cuts: whether a picture that is decoded on the way is looked at if it follows a cut.
    """

    runs: list[DecodeRange]
    wanted: NDArray[np.int64]
    reasons: tuple[Reason, ...]
    scene_keys: frozenset[int]
    calm_keys: frozenset[int]
    measured: bool = True
    finds_cuts: bool = True

    def __post_init__(self) -> None:
        if len(self.reasons) != len(self.wanted):
            raise ValueError(
                f"reasons must be one a look: {len(self.reasons)} for {len(self.wanted)}"
            )

    def without(self, reasons: Collection[Reason]) -> SamplingPlan:
        """The plan without what is looked at for some reasons, and without decoding for that.

        The first picture stays: a film has to begin somewhere.
        """
        kept = np.array([reason not in reasons for reason in self.reasons], dtype=np.bool_)
        kept[:1] = True
        wanted = self.wanted[kept]
        ends = np.searchsorted(wanted, [run.last for run in self.runs], side="right")
        runs = [
            DecodeRange(run.key, int(wanted[end - 1]))
            for run, end in zip(self.runs, ends, strict=True)
            if end and wanted[end - 1] >= run.key
        ]
        told = tuple(reason for reason, stays in zip(self.reasons, kept, strict=True) if stays)
        finds_cuts = self.finds_cuts and Reason.PASSED not in reasons
        return replace(self, runs=runs, wanted=wanted, reasons=told, finds_cuts=finds_cuts)


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
    return SamplingPlan(
        runs,
        table.pts[wanted],
        (Reason.DISTANCE,) * len(wanted),
        frozenset(),
        frozenset(),
        measured=False,
        finds_cuts=False,
    )
