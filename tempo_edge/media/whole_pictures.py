"""Pictures at time stamps, one after the other, each in whatever size it is asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from tempo_edge._closing import Closing
from tempo_edge.errors import MediaError
from tempo_edge.media._frame import scaled
from tempo_edge.media.orientation import Orientation
from tempo_edge.media.pyav import PyAVVideo

__all__ = ["FilmPictures", "WholePicture"]


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


class FilmPictures(Closing):
    """The pictures of a file that is open. A context manager; it belongs to one thread.

    Args:
        path: a video file.

    Raises:
        MediaError: it can't be opened.

    Attributes:
        video: the file; ``lost``: how many pictures that were asked for could not be decoded.
    """

    def __init__(self, path: Path) -> None:
        self.video = PyAVVideo(path, fast=False, unseen=True)
        self.lost = 0
        self._scaler = VideoReformatter()

    def close(self) -> None:
        """Release the file."""
        self.video.close()

    def at(self, pts: Collection[int]) -> Iterator[tuple[int, WholePicture]]:
        """The pictures at these very ticks, in the order of their times.

        One that there is not, or that can't be decoded, is left out and counted.

        Raises:
            MediaError: the file holds no packets.
        """
        table = self.video.packets()
        keys = table.pts[table.keys]
        runs: dict[int, list[int]] = {}
        for tick in sorted(pts):
            before = keys[keys <= tick]
            runs.setdefault(int(before[-1]) if len(before) else tick, []).append(tick)
        for wanted in runs.values():
            left = set(wanted)
            # What the damage leaves of a stretch is shown; the others are told of by the count.
            with suppress(MediaError):
                for frame in self.video.pictures(wanted[0], wanted[-1]):
                    if frame.pts in left:
                        left.remove(frame.pts)
                        yield frame.pts, WholePicture(frame, self._scaler)
            self.lost += len(left)
