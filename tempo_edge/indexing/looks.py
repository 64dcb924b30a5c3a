"""The looks of a decode run: which of its pictures count, and how much each differs from the last.

A run is measured on its own, by whichever worker thread decodes it. Its first look is tied to the
runs before it afterwards, in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import MediaError
from tempo_edge.indexing.frame_change import cell_means, frame_change
from tempo_edge.media import DAMAGED, DecodeRange, Frame, Video
from tempo_edge.media.surface_frame import SurfaceFrame
from tempo_edge.models import Profile
from tempo_edge.models.running import DeviceArray
from tempo_edge.saa import SamplingBudget, SamplingPlan

__all__ = ["Damage", "IndexContradictedError", "Look", "LookTaker", "RunLooks"]

# A picture that differs this much from the one right before it, and three times as much as pictures
# did lately, is the first one after a cut.
_CUT = 0.15

# A key frame in the encoder's rhythm must differ by this much from the look before it, seconds ago,
# to count as the first picture of a new scene.
_FRESH = 0.5


class IndexContradictedError(Exception):
    """Packets are not what the container's index says: the file has to be read as a whole."""


@dataclass
class Look:
    """A frame looked at.

    ``thumbnail`` lies where the frame does; ``changes`` is its 3x3 (say) map of how much each part
    changed.
    """

    pts: int
    thumbnail: NDArray[np.uint8] | DeviceArray
    variation: float
    cut: bool
    changes: NDArray[np.float32]


@dataclass
class RunLooks:
    """The looks of a run, the two pictures that tie it to its neighbours, and what was damaged."""

    looks: list[Look]
    first: Frame | None = None
    last: Frame | None = None
    decoded: int = 0
    damaged: int = 0


@dataclass
class Damage:
    """How many pictures of a film were decoded, and how many of them were not whole."""

    decoded: int = 0
    damaged: int = 0

    def add(self, found: RunLooks) -> None:
        self.decoded += found.decoded
        self.damaged += found.damaged

    def remarks(self) -> tuple[str, ...]:
        if not self.damaged:
            return ()
        one = "is" if self.damaged == 1 else "are"
        return (f"{DAMAGED}{self.damaged} of {self.decoded} decoded pictures {one} not whole",)


class LookTaker:
    """Looks at decoded pictures as a profile wants them.

    Args:
        profile: says how a picture becomes a thumbnail.
        policy: SAA's budgets.
    """

    def __init__(self, profile: Profile, policy: SamplingBudget) -> None:
        self._profile = profile
        self._policy = policy
        self._grid = round(profile.tokens_per_frame**0.5)

    def look(self, video: Video, run: DecodeRange, chosen: SamplingPlan) -> RunLooks:
        """Decode one run and look at what is wanted or turns out to be a cut.

        Raises:
            MemoryError: there is none left.
            IndexContradictedError: what was planned by the file's index is worth nothing.
        """
        low, high = np.searchsorted(chosen.wanted, [run.key, run.last + 1])
        wanted = deque(chosen.wanted[low:high].tolist())
        before, found = video.damaged, RunLooks([])
        try:
            self._measure(video.frames(run), wanted, chosen, found)
        except MediaError as error:
            if isinstance(error.__cause__, MemoryError):
                raise error.__cause__ from None  # no fault of the footage
            found.damaged = 1  # a stretch at least; the rest of the file is still footage
        if video.contradicted:
            raise IndexContradictedError
        found.damaged = max(found.damaged, video.damaged - before)
        found.decoded = max(found.decoded, found.damaged)
        return found

    def tie(self, found: RunLooks, reference: Frame | None, chosen: SamplingPlan) -> None:
        """Measure a run's first look against the last one of the runs before it."""
        head, first = found.looks[0], found.first
        if reference is None or first is None:
            return
        head.variation, change = frame_change(reference, first)
        head.changes = cell_means(first.upright(change), self._grid)
        head.cut = (head.pts in chosen.scene_keys and head.variation >= _CUT / 2) or (
            head.pts in chosen.calm_keys and head.variation >= _FRESH
        )

    def _measure(
        self, frames: Iterator[Frame], wanted: deque[int], chosen: SamplingPlan, found: RunLooks
    ) -> None:
        before: Frame | None = None
        lately = 0.0
        for frame in frames:
            if before is not None and frame.pts <= before.pts:
                continue  # two pictures of one instant: the first is the one that stays
            found.decoded += 1
            jump = False
            if chosen.measured and before is not None:
                step = frame_change(before, frame)[0]
                jump = step >= _CUT and step >= 3 * lately
                lately = 0.7 * lately + 0.3 * step if lately else step
            # Where a wanted picture was lost to damage, the next one stands in for it.
            due = bool(wanted) and frame.pts >= wanted[0]
            if due or (jump and chosen.finds_cuts):
                while wanted and wanted[0] <= frame.pts:
                    wanted.popleft()
                found.looks.append(self._take(frame, found.last, jump, chosen.measured))
                if found.first is None:
                    found.first = frame
                if found.last is None or found.looks[-1].variation > self._policy.still:
                    found.last = frame
            frame.release()
            before = frame

    def _take(self, frame: Frame, reference: Frame | None, jump: bool, measured: bool) -> Look:
        profile = self._profile
        change = np.ones((1, 1), np.float32)
        amount = 1.0
        if measured and reference is not None:
            amount, change = frame_change(reference, frame)
        shown = frame.picture if isinstance(frame, SurfaceFrame) else frame.thumbnail
        return Look(
            frame.pts,
            shown(profile.image_size, profile.interpolation, crop=profile.crop),
            amount,
            jump,
            cell_means(frame.upright(change), self._grid),
        )
