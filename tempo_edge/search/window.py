"""Windows of footage: the frames that a library holds of it, and how near each is to a query.

A stretch is read from the store once, as wide as its grounder will ever need it; whoever needs less
gets a window of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tempo_edge.quantization import dequantize
from tempo_edge.store.interface import Catalogue
from tempo_edge.store.rows import VideoRow

__all__ = ["Stretch", "Window", "open_window"]


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
        stretch: what was read around it; None where that is no more than the window.
    """

    video_id: int
    video: VideoRow
    pts: NDArray[np.int64]
    edges: NDArray[np.float64]
    cuts: NDArray[np.bool_]
    similarities: NDArray[np.float32]
    packed: NDArray[np.int8] | None = None
    stretch: Stretch | None = field(default=None, compare=False, repr=False)

    def pooled(self, first: int, last: int) -> NDArray[np.float32] | None:
        """The vector ``[d]`` that frames ``first`` to ``last``, both inclusive, are judged by.

        It lies halfway between the best frame's and the mean over time. None if vectors were not
        kept.
        """
        if self.packed is None:
            return None
        frames = dequantize(self.packed[first : last + 1])
        shown = np.diff(self.edges[first : last + 2]).astype(np.float32)
        best = frames[int(np.argmax(self.similarities[first : last + 1]))]
        return np.asarray(0.5 * best + 0.5 * (shown @ frames) / shown.sum(), dtype=np.float32)

    @property
    def widest(self) -> Window:
        """The window of all that was read around this one."""
        return self if self.stretch is None else self.stretch.widest


@dataclass(frozen=True)
class Stretch:
    """The frames of a stretch of one video as the store gave them, for one query.

    Attributes:
        query: unit vector ``[d]``.
        video_id: the video; ``video``: its facts.
        pts: presentation time stamps in ticks, rising, ``[n]``.
        cuts: True where a frame is the first after a cut, ``[n]``.
        packed: vectors as they are stored, ``[n, d]``.
        next_pts: tick of the frame that follows the last one; None at the end of the video.
    """

    query: NDArray[np.float32]
    video_id: int
    video: VideoRow
    pts: NDArray[np.int64]
    cuts: NDArray[np.bool_]
    packed: NDArray[np.int8]
    next_pts: int | None

    @staticmethod
    def read(
        query: NDArray[np.float32],
        catalogue: Catalogue,
        video_id: int,
        video: VideoRow,
        low: int,
        high: int,
    ) -> Stretch:
        """The frames from tick ``low`` to tick ``high``, both inclusive, read from the store."""
        pts, cuts, packed = catalogue.frames_between(video_id, low, high)
        following = catalogue.next_pts(video_id, int(pts[-1])) if len(pts) else None
        return Stretch(query, video_id, video, pts, cuts, packed, following)

    def window(self, low: int, high: int) -> Window:
        """The window of the frames from tick ``low`` to tick ``high``, both inclusive."""
        first = int(np.searchsorted(self.pts, low))
        last = int(np.searchsorted(self.pts, high, side="right"))
        following = int(self.pts[last]) if last < len(self.pts) else self.next_pts
        inside = slice(first, last)
        pts, cuts, packed = self.pts[inside], self.cuts[inside], self.packed[inside]
        return Window(
            self.video_id,
            self.video,
            pts,
            _edges(self.video, pts, cuts, following),
            cuts,
            dequantize(packed) @ self.query,
            packed,
            self,
        )

    @cached_property
    def widest(self) -> Window:
        """The window of all frames."""
        return self.window(-(2**63), 2**63 - 1)


def open_window(
    query: NDArray[np.float32],
    catalogue: Catalogue,
    video_id: int,
    video: VideoRow,
    low: int,
    high: int,
) -> Window:
    """The window of the frames from tick ``low`` to tick ``high``, both inclusive."""
    return Stretch.read(query, catalogue, video_id, video, low, high).widest


def _edges(
    video: VideoRow, pts: NDArray[np.int64], cuts: NDArray[np.bool_], following: int | None
) -> NDArray[np.float64]:
    """The boundaries in seconds, ``[n + 1]``, of frames that another one may follow."""
    times = video.seconds(pts)
    edges = np.empty(len(pts) + 1)
    # A frame right after a cut begins there; otherwise the change lies somewhere between two looks.
    edges[1:-1] = np.where(cuts[1:], times[1:], (times[:-1] + times[1:]) / 2)
    if len(pts):
        edges[0] = times[0]
        _, hole = video.stretch(int(pts[-1]))
        over = float(video.seconds(np.asarray([hole]))[0])
        if following is None:
            # What lies behind a hole may have been damaged, so that nothing of it is known.
            edges[-1] = max(min(over, video.end_seconds), times[-1] + 1e-3)
        elif hole < following:
            edges[-1] = over
        else:
            edges[-1] = (times[-1] + float(video.seconds(np.asarray([following]))[0])) / 2
    return edges
