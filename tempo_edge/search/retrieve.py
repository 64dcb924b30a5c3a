"""From a query vector to candidate windows: the stretches of footage worth a closer look."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tempo_edge.packing import unpack
from tempo_edge.store.interface import Catalogue, Vectors
from tempo_edge.store.rows import VideoRow

__all__ = ["GLANCE", "WINDOWS", "Window", "open_window", "retrieve"]

#: Stretches of footage that a query is looked for in; fewer while somebody types.
WINDOWS, GLANCE = 24, 10

# Frames asked for. Many of them fall into one scene, so this must be far above the windows.
_HITS = 256

# Footage on either side of a hit that its similarity curve is drawn over.
_CONTEXT_SECONDS = 60.0


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
    """

    video_id: int
    video: VideoRow
    pts: NDArray[np.int64]
    edges: NDArray[np.float64]
    cuts: NDArray[np.bool_]
    similarities: NDArray[np.float32]
    packed: NDArray[np.int8] | None = None


def retrieve(
    query: NDArray[np.float32],
    catalogue: Catalogue,
    vectors: Vectors,
    *,
    videos: Iterable[int] | None = None,
    limit: int = WINDOWS,
) -> list[Window]:
    """The windows around the frames nearest to a query, most promising first.

    Args:
        query: unit vector ``[d]``.
        videos: search these videos only.
        limit: most windows to give.
    """
    hits = vectors.search(query, _HITS, None if videos is None else sorted(set(videos)))
    score = dict(zip(hits.ids.tolist(), hits.similarities.tolist(), strict=True))
    by_video: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for frame_id, video_id, pts in catalogue.frame_keys(hits.ids.tolist()):
        by_video[video_id].append((pts, score[frame_id]))
    stretches: list[tuple[float, int, int, int]] = []
    facts: dict[int, VideoRow] = {}
    # The best stretch of every video is as good as its best hit: no other video has one to give.
    for video_id in sorted(by_video, key=lambda v: (-max(s for _, s in by_video[v]), v))[:limit]:
        facts[video_id] = video = catalogue.video(video_id)
        context = int(_CONTEXT_SECONDS / video.time_base)
        found = sorted(by_video[video_id])
        merged = _merge(found, context, video)
        stretches += [(best, video_id, low, high) for best, low, high in merged]
    stretches.sort(key=lambda stretch: (-stretch[0], stretch[1:]))
    windows = (
        open_window(query, catalogue, video_id, facts[video_id], low, high)
        for _, video_id, low, high in stretches[:limit]
    )
    return [window for window in windows if len(window.pts)]


def _merge(
    found: list[tuple[int, float]], context: int, video: VideoRow
) -> list[tuple[float, int, int]]:
    """Join hits whose contexts overlap: (best similarity, first tick, last tick).

    Nothing reaches over a hole of the video.
    """
    stretches: list[tuple[float, int, int]] = []
    for pts, similarity in found:
        first, last = video.stretch(pts)
        low, high = max(first, pts - context), min(last, pts + context)
        if stretches and low <= stretches[-1][2]:
            best, low, _ = stretches[-1]
            stretches[-1] = (max(best, similarity), low, high)
        else:
            stretches.append((similarity, low, high))
    return stretches


def open_window(
    query: NDArray[np.float32],
    catalogue: Catalogue,
    video_id: int,
    video: VideoRow,
    low: int,
    high: int,
) -> Window:
    """The window of the frames from tick ``low`` to tick ``high``, both inclusive."""
    pts, cuts, packed = catalogue.frames_between(video_id, low, high)
    times = video.seconds(pts)
    edges = np.empty(len(pts) + 1)
    # A frame right after a cut begins there; otherwise the change lies somewhere between two looks.
    edges[1:-1] = np.where(cuts[1:], times[1:], (times[:-1] + times[1:]) / 2)
    if len(pts):
        edges[0] = times[0]
        following = catalogue.next_pts(video_id, int(pts[-1]))
        _, hole = video.stretch(int(pts[-1]))
        over = float(video.seconds(np.asarray([hole]))[0])
        if following is None:
            # What lies behind a hole may have been damaged, so that nothing of it is known.
            edges[-1] = max(min(over, video.end_seconds), times[-1] + 1e-3)
        elif hole < following:
            edges[-1] = over
        else:
            edges[-1] = (times[-1] + float(video.seconds(np.asarray([following]))[0])) / 2
    return Window(video_id, video, pts, edges, cuts, unpack(packed) @ query, packed)
