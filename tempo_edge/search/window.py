"""Windows of footage: the frames that a library holds of it, and how near each is to a query.

A stretch is read from the store once, as wide as its grounder will ever need it; whoever needs less
gets a window of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tempo_edge.quantization import dequantize
from tempo_edge.store.interface import Catalogue
from tempo_edge.store.rows import VideoRow

__all__ = ["Looks", "Stretch", "Window", "open_window"]


@dataclass(frozen=True)
class Window:
    """A stretch of one video with the frames the library holds of it.

    Attributes:
        video_id: the video; ``video``: its facts.
        pts: presentation time stamps of its frames in ticks, ``[n]``.
        edges: boundaries in seconds, ``[n + 1]``: frame ``i`` stands for
            ``[edges[i], edges[i + 1])``.
        cuts: True where a frame is the first after a cut, ``[n]``.
        similarities: cosine similarity of each frame to the query, ``[n]``.
        packed: the frames' vectors as they are stored, ``[n, d]``; None if they were not kept.
        units: the same as unit vectors, float32 ``[n, d]``; made of them where they are not given.
        stretch: what was read around it; None where that is no more than the window.
    """

    video_id: int
    video: VideoRow
    pts: NDArray[np.int64]
    edges: NDArray[np.float64]
    cuts: NDArray[np.bool_]
    similarities: NDArray[np.float32]
    packed: NDArray[np.int8] | None = None
    units: NDArray[np.float32] | None = field(default=None, compare=False, repr=False)
    stretch: Stretch | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.units is None and self.packed is not None:
            object.__setattr__(self, "units", dequantize(self.packed))

    def pooled(self, first: int, last: int) -> NDArray[np.float32] | None:
        """The vector ``[d]`` that frames ``first`` to ``last``, both inclusive, are judged by.

        It lies halfway between the best frame's and the mean over time. None if vectors were not
        kept.
        """
        if self.units is None:
            return None
        frames = self.units[first : last + 1]
        shown = np.diff(self.edges[first : last + 2]).astype(np.float32)
        best = frames[int(np.argmax(self.similarities[first : last + 1]))]
        return np.asarray(0.5 * best + 0.5 * (shown @ frames) / shown.sum(), dtype=np.float32)

    @property
    def widest(self) -> Window:
        """The window of all that was read around this one."""
        return self if self.stretch is None else self.stretch.widest


@dataclass(frozen=True)
class Looks:
    """The frames of a stretch of one video as the store gave them, whatever is asked of them.

    Attributes:
        video_id: the video; ``video``: its facts.
        pts: presentation time stamps in ticks, rising, ``[n]``; ``times``: the same in seconds.
        cuts: True where a frame is the first after a cut, ``[n]``.
        packed: vectors as they are stored, ``[n, d]``; ``units``: as unit vectors, float32.
        next_pts: tick of the frame that follows the last one; None at the end of the video.
    """

    video_id: int
    video: VideoRow
    pts: NDArray[np.int64]
    times: NDArray[np.float64]
    cuts: NDArray[np.bool_]
    packed: NDArray[np.int8]
    units: NDArray[np.float32]
    next_pts: int | None

    @staticmethod
    def read(catalogue: Catalogue, video_id: int, video: VideoRow, low: int, high: int) -> Looks:
        """The frames from tick ``low`` to tick ``high``, both inclusive, read from the store."""
        pts, cuts, packed = catalogue.frames_between(video_id, low, high)
        following = catalogue.next_pts(video_id, int(pts[-1])) if len(pts) else None
        times = video.seconds(pts)
        return Looks(video_id, video, pts, times, cuts, packed, dequantize(packed), following)

    @staticmethod
    def joined(pieces: Sequence[Looks]) -> Looks:
        """Stretches of one video that follow each other, as one."""
        # Behind an empty one comes what comes behind the one before it.
        kept = [each for each in pieces if len(each.pts)] or pieces[:1]
        if len(kept) == 1:
            return kept[0]
        return replace(
            kept[-1],
            pts=np.concatenate([each.pts for each in kept]),
            times=np.concatenate([each.times for each in kept]),
            cuts=np.concatenate([each.cuts for each in kept]),
            packed=np.concatenate([each.packed for each in kept]),
            units=np.concatenate([each.units for each in kept]),
        )

    def within(self, low: int, high: int) -> Looks:
        """The frames from tick ``low`` to tick ``high``, both inclusive."""
        first = int(np.searchsorted(self.pts, low))
        last = int(np.searchsorted(self.pts, high, side="right"))
        following = int(self.pts[last]) if last < len(self.pts) else self.next_pts
        inside = slice(first, last)
        vectors = self.packed[inside], self.units[inside]
        columns = self.pts[inside], self.times[inside], self.cuts[inside], *vectors
        return Looks(self.video_id, self.video, *columns, following)

    @cached_property
    def edges(self) -> NDArray[np.float64]:
        """The boundaries in seconds, ``[n + 1]``, of what the frames stand for."""
        times, following = self.times, self.next_pts
        edges = np.empty(len(times) + 1)
        # A frame right after a cut begins there; else the change lies somewhere between two looks.
        edges[1:-1] = np.where(self.cuts[1:], times[1:], (times[:-1] + times[1:]) / 2)
        if len(times):
            edges[0] = times[0]
            _, hole = self.video.stretch(int(self.pts[-1]))
            if following is None:
                # What lies behind a hole may have been damaged, so that nothing of it is known.
                over = min(self._seconds(hole), self.video.end_seconds)
                edges[-1] = max(over, times[-1] + 1e-3)
            elif hole < following:
                edges[-1] = self._seconds(hole)
            else:
                edges[-1] = (times[-1] + self._seconds(following)) / 2
        return edges

    def _seconds(self, tick: int) -> float:
        return float(self.video.seconds(np.asarray([tick]))[0])


@dataclass(frozen=True)
class Stretch:
    """Looks for one query.

    Attributes:
        query: unit vector ``[d]``.
        looks: the frames.
    """

    query: NDArray[np.float32]
    looks: Looks

    def window(self, low: int, high: int) -> Window:
        """The window of the frames from tick ``low`` to tick ``high``, both inclusive."""
        return self._window(self.looks.within(low, high))

    @cached_property
    def widest(self) -> Window:
        """The window of all frames."""
        return self._window(self.looks)

    def _window(self, looks: Looks) -> Window:
        units = looks.units
        facts = looks.video_id, looks.video, looks.pts, looks.edges, looks.cuts
        return Window(*facts, units @ self.query, looks.packed, units, self)


def open_window(
    query: NDArray[np.float32],
    catalogue: Catalogue,
    video_id: int,
    video: VideoRow,
    low: int,
    high: int,
) -> Window:
    """The window of the frames from tick ``low`` to tick ``high``, both inclusive."""
    return Stretch(query, Looks.read(catalogue, video_id, video, low, high)).widest
