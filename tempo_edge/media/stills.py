"""Pictures at time stamps, wherever in the file they lie."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge.media import DecodeRange, open_video

__all__ = ["stills"]


def stills(path: Path, pts: Collection[int], size: int) -> dict[int, NDArray[np.uint8]]:
    """The pictures at these very ticks, upright, each squeezed into ``[size, size, 3]`` RGB.

    A tick that has no picture, or none that can be reached from a key frame, is left out.

    Raises:
        MediaError: the file can't be opened or a stretch of it can't be decoded.
    """
    found: dict[int, NDArray[np.uint8]] = {}
    with open_video(path) as video:
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
                    found[frame.pts] = frame.thumbnail(size)
    return found
