"""From a query vector to candidate windows: the stretches of footage worth a closer look."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tempo_edge.search.reels import Reels
from tempo_edge.search.window import Stretch, Window
from tempo_edge.store.interface import Catalogue
from tempo_edge.store.rows import VideoRow
from tempo_edge.store.vectors import Vectors

__all__ = ["GLANCE", "WINDOWS", "retrieve"]

#: Stretches of footage that a query is looked for in; fewer while somebody types.
WINDOWS, GLANCE = 24, 10

# Frames asked for. Many of them fall into one scene, so this must be far above the windows.
_HITS = 256

# Footage on either side of a hit that its similarity curve is drawn over.
_CONTEXT_SECONDS = 60.0


def retrieve(
    query: NDArray[np.float32],
    catalogue: Catalogue,
    vectors: Vectors,
    *,
    videos: Iterable[int] | None = None,
    limit: int = WINDOWS,
    context_seconds: float = 0.0,
    reels: Reels | None = None,
) -> list[Window]:
    """The windows around the frames nearest to a query, most promising first.

    Args:
        query: unit vector ``[d]``.
        videos: search these videos only.
        limit: most windows to give.
        context_seconds: footage on either side of each window that is read along with it: see
            :attr:`Window.widest`. Windows whose contexts overlap are read together.
        reels: what footage is read by, and kept for others; by default for nobody.
    """
    reels = reels or Reels(catalogue)
    hits = vectors.search(query, _HITS, None if videos is None else sorted(set(videos)))
    score = dict(zip(hits.ids.tolist(), hits.similarities.tolist(), strict=True))
    by_video: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for frame_id, video_id, pts in catalogue.frame_keys(hits.ids.tolist()):
        by_video[video_id].append((pts, score[frame_id]))
    stretches: list[tuple[float, int, int, int]] = []
    # The best stretch of every video is as good as its best hit: no other video has one to give.
    for video_id in sorted(by_video, key=lambda v: (-max(s for _, s in by_video[v]), v))[:limit]:
        video = reels.video(video_id)
        context = int(_CONTEXT_SECONDS / video.time_base)
        found = sorted(by_video[video_id])
        merged = _merge(found, context, video)
        stretches += [(best, video_id, low, high) for best, low, high in merged]
    stretches.sort(key=lambda stretch: (-stretch[0], stretch[1:]))
    wanted = [(video_id, low, high) for _, video_id, low, high in stretches[:limit]]
    windows = _opened(query, reels, wanted, context_seconds)
    return [window for window in windows if len(window.pts)]


def _opened(
    query: NDArray[np.float32],
    reels: Reels,
    wanted: Sequence[tuple[int, int, int]],
    context_seconds: float,
) -> Iterator[Window]:
    """Windows by video, first and last tick, in the same order; all footage is read once."""
    reads: list[tuple[int, int, int]] = []
    for video_id, low, high in sorted(wanted):
        video = reels.video(video_id)
        context = int(context_seconds / video.time_base)
        first, last = video.stretch(low)
        begin, end = max(first, low - context), min(last, high + context)
        if reads and reads[-1][0] == video_id and begin <= reads[-1][2]:
            reads[-1] = (video_id, reads[-1][1], end)
        else:
            reads.append((video_id, begin, end))
    stretches = {read: Stretch(query, reels.looks(*read)) for read in reads}
    for video_id, low, high in wanted:
        within = next(r for r in reads if r[0] == video_id and r[1] <= low <= r[2])
        yield stretches[within].window(low, high)


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
