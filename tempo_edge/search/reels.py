"""Reels: footage as the store gave it, read once and kept for all terms of one query.

Where several terms meet, each of them looks at the same places, and at much the same ones again
for what comes next.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache

from tempo_edge.search.window import Looks
from tempo_edge.store.interface import Catalogue
from tempo_edge.store.rows import VideoRow

__all__ = ["Reels"]


@dataclass(frozen=True, order=True)
class _Reel:
    """The looks of a video from one tick to another, both inclusive."""

    low: int
    high: int
    looks: Looks = field(compare=False)


class Reels:
    """Footage of one library, kept for as long as its rows don't change: within a snapshot.

    Args:
        catalogue: the library's rows.
        along_seconds: footage on either side that is read along with what is asked for.

    Attributes:
        video: the facts of a video by its id, as :meth:`Catalogue.video` gives them.
        looks: the frames of a video by its id, from one tick to another, both inclusive.
    """

    def __init__(self, catalogue: Catalogue, along_seconds: float = 0.0) -> None:
        self._catalogue = catalogue
        self._along_seconds = along_seconds
        self._reels: dict[int, list[_Reel]] = defaultdict(list)
        self.video = cache(catalogue.video)
        self.looks = cache(self._looks)

    def _looks(self, video_id: int, low: int, high: int) -> Looks:
        return self._reel(video_id, self.video(video_id), low, high).looks.within(low, high)

    def _reel(self, video_id: int, video: VideoRow, low: int, high: int) -> _Reel:
        """A reel that holds these ticks."""
        reels = self._reels[video_id]
        for reel in reels:
            if reel.low <= low and high <= reel.high:
                return reel
        known = sorted(each for each in reels if each.low <= high and low <= each.high)
        if not known:
            along = int(self._along_seconds / video.time_base)
            low, high = low - along, high + along
            known = sorted(each for each in reels if each.low <= high and low <= each.high)
        pieces, at = [], low
        for reel in known:
            if at < reel.low:
                pieces.append(Looks.read(self._catalogue, video_id, video, at, reel.low - 1))
            pieces.append(reel.looks)
            reels.remove(reel)
            at = reel.high + 1
        if at <= high:
            pieces.append(Looks.read(self._catalogue, video_id, video, at, high))
        first, last = min([low, *(r.low for r in known)]), max([high, *(r.high for r in known)])
        reels.append(_Reel(first, last, Looks.joined(pieces)))
        return reels[-1]
