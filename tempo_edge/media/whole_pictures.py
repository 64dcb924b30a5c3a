"""Pictures at time stamps, one after the other, each in whatever size it is asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from tempo_edge.errors import MediaError
from tempo_edge.media._frame import scaled
from tempo_edge.media.orientation import Orientation
from tempo_edge.media.pyav import PyAVVideo

__all__ = ["WholePicture", "whole_pictures"]


class WholePicture:
    """A decoded picture, upright. It is good until the next one is asked for."""

    def __init__(self, frame: VideoFrame, scaler: VideoReformatter) -> None:
        self._frame = frame
        self._scaler = scaler
        self._orientation = Orientation.of(frame)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, upright."""
        width, height = self._frame.width, self._frame.height
        return (height, width) if self._orientation.transposed else (width, height)

    def rgb(self, longest: int) -> NDArray[np.uint8]:
        """The picture ``[h, w, 3]``, no larger than it is.

        Args:
            longest: pixels that its longer side has at most.
        """
        share = min(1.0, longest / max(self.size))
        width, height = (
            max(1, round(side * share)) for side in (self._frame.width, self._frame.height)
        )
        lying = scaled(self._frame, width, height, self._scaler)
        return np.ascontiguousarray(self._orientation.apply(lying))


def whole_pictures(path: Path, pts: Collection[int]) -> Iterator[tuple[int, WholePicture]]:
    """The pictures at these very ticks, in the order of their times.

    A tick that has no picture, or none that can be reached from a key frame, is left out, and so is
    a stretch that can't be decoded, as long as there is another that can.

    Raises:
        MediaError: the file can't be opened, or nothing of what is asked for be decoded.
    """
    with PyAVVideo(path, fast=False, unseen=True) as video:
        table = video.packets()
        keys = table.pts[table.keys]
        scaler = VideoReformatter()
        runs: dict[int, list[int]] = {}
        for tick in sorted(pts):
            before = keys[keys <= tick]
            if len(before):
                runs.setdefault(int(before[-1]), []).append(tick)
        fault: MediaError | None = None
        found = 0
        for wanted in runs.values():
            left = set(wanted)
            try:
                for frame in video.pictures(wanted[0], wanted[-1]):
                    if frame.pts in left:
                        found += 1
                        yield frame.pts, WholePicture(frame, scaler)
            except MediaError as error:
                fault = error
        if fault is not None and not found:
            raise fault
