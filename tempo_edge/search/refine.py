"""Finer boundaries: decode densely between the last look outside a span and the first inside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import MediaError
from tempo_edge.media import DecodeRange, PacketTable, Video, open_video
from tempo_edge.models import Profile
from tempo_edge.moment import Span
from tempo_edge.search.similarity import Segment
from tempo_edge.search.window import Window

__all__ = ["refine"]

# Pictures compared around a boundary at most: they are spread evenly between the two looks.
_PICTURES = 24


def refine(
    path: Path, window: Window, segment: Segment, query: NDArray[np.float32], profile: Profile
) -> Span:
    """The span with both boundaries moved to where the similarity really crosses over.

    Boundaries that are already exact (a cut, the ends of the video) stay. A file that can't be
    decoded any more keeps the span it was indexed with.
    """
    start, end = segment.span.start_seconds, segment.span.end_seconds
    try:
        with open_video(path) as video:
            table = video.packets()
            if segment.first > 0 and not window.cuts[segment.first]:
                start = _crossing(video, table, window, segment.first, query, profile)
            after = segment.last + 1
            if after < len(window.pts) and not window.cuts[after]:
                end = _crossing(video, table, window, after, query, profile)
    except MediaError:
        return segment.span
    return Span(start, end) if end > start else segment.span


def _crossing(
    video: Video,
    table: PacketTable,
    window: Window,
    index: int,
    query: NDArray[np.float32],
    profile: Profile,
) -> float:
    """Seconds of the first picture that is nearer to look ``index`` than to the one before it."""
    low, high = int(window.pts[index - 1]), int(window.pts[index])
    keys = table.pts[table.keys]
    before = keys[keys <= low]
    if not len(before):
        return float(window.edges[index])
    between = table.pts[(table.pts > low) & (table.pts <= high)]
    wanted = set(between[:: max(1, len(between) // _PICTURES)].tolist())
    size, interpolation = profile.image_size, profile.interpolation
    pictures = [
        (frame.pts, frame.thumbnail(size, interpolation, crop=profile.crop))
        for frame in video.frames(DecodeRange(int(before[-1]), high))
        if frame.pts in wanted
    ]
    if not pictures:
        return float(window.edges[index])
    vectors, _ = profile.image_tower.encode(np.stack([picture for _, picture in pictures]))
    similarities = vectors @ query
    outside, inside = window.similarities[index - 1], window.similarities[index]
    nearer = np.abs(similarities - inside) < np.abs(similarities - outside)
    # The best single step from "like before" to "like after", robust against one odd picture.
    steps = [int((~nearer[:k]).sum() + nearer[k:].sum()) for k in range(len(nearer) + 1)]
    best = int(np.argmax(steps))
    if best == len(pictures):
        return float(video.info.time_of(high))
    return float(video.info.time_of(pictures[best][0]))
