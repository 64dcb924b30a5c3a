"""Pictures at time stamps, wherever in the file they lie."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import MediaError
from tempo_edge.media import DecodeRange, Video, open_video

__all__ = ["stills", "stills_within"]

# Pictures of a span that are looked at, at most.
_MOST = 8


def stills(path: Path, pts: Collection[int], size: int) -> dict[int, NDArray[np.uint8]]:
    """The pictures at these very ticks, upright, each squeezed into ``[size, size, 3]`` RGB.

    A tick that has no picture, or none that can be reached from a key frame, is left out.

    Raises:
        MediaError: the file can't be opened or a stretch of it can't be decoded.
    """
    with open_video(path) as video:
        return _at(video, pts, size)


def stills_within(
    path: Path,
    start_seconds: float,
    end_seconds: float | None,
    size: int,
    interpolation: str = "AREA",
    *,
    crop: bool = False,
) -> NDArray[np.uint8]:
    """A few pictures of a span, ``[n, size, size, 3]``: from what stands at its start on.

    Args:
        end_seconds: None for the one picture that stands at the start.
        size, interpolation, crop: see ``Frame.thumbnail``.

    Raises:
        MediaError: the file can't be opened, ends before, or the stretch can't be decoded.
    """
    with open_video(path) as video:
        pts, info = video.packets().pts, video.info
        times = np.asarray([float(info.time_of(tick)) for tick in pts.tolist()])
        shown = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
        ends = max(float(info.duration), times[-1] + shown) if len(times) else 0.0
        late = start_seconds if start_seconds >= ends or end_seconds is None else end_seconds
        if start_seconds >= ends or late > ends + 0.1:
            raise MediaError(f"ends at {ends:.1f} s: name an earlier time")
        first = max(int(np.searchsorted(times, start_seconds, side="right")) - 1, 0)
        end = first + 1 if end_seconds is None else int(np.searchsorted(times, end_seconds))
        inside = pts[first : max(end, first + 1)]
        some = inside[np.linspace(0, len(inside) - 1, min(_MOST, len(inside))).astype(int)]
        found = _at(video, some.tolist(), size, interpolation, crop=crop)
        if not found:
            raise MediaError("can't be decoded there")
        return np.stack([found[tick] for tick in sorted(found)])


def _at(
    video: Video,
    pts: Collection[int],
    size: int,
    interpolation: str = "AREA",
    *,
    crop: bool = False,
) -> dict[int, NDArray[np.uint8]]:
    """The pictures of an open video at these ticks."""
    found: dict[int, NDArray[np.uint8]] = {}
    table = video.packets()
    keys = table.pts[table.keys]
    runs: dict[int, list[int]] = {}
    for tick in sorted(pts):
        before = keys[keys <= tick]
        if len(before):
            runs.setdefault(int(before[-1]), []).append(tick)
    for key, wanted in runs.items():
        left = set(wanted)
        for frame in video.frames(DecodeRange(key, max(wanted))):
            if frame.pts in left:
                found[frame.pts] = frame.thumbnail(size, interpolation, crop=crop)
    return found
