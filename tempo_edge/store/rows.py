"""The rows of a library: a file, the video in it, a frame that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

__all__ = ["FileRow", "FrameRow", "VideoRow"]


@dataclass(frozen=True)
class FileRow:
    """A file as it was last seen; ``state`` is ``"indexed"`` or ``"skipped"``.

    ``reason`` says why it was skipped; of an indexed file it is a remark, on damage say, or empty.
    """

    path: str
    volume: str
    size: int
    mtime_ns: int
    state: str
    reason: str = ""
    video_id: int | None = None


@dataclass(frozen=True)
class VideoRow:
    """A video's facts. Ticks times ``time_base`` minus ``start_time`` are exact seconds.

    ``duration_seconds`` are what is shown; ``holes`` are where nothing is, each from the end of a
    picture to the next one, in ticks. The video ends after both: see :attr:`end_seconds`.
    """

    codec: str
    width: int
    height: int
    duration_seconds: float
    rate: Fraction | None
    time_base: Fraction
    start_time: Fraction
    holes: tuple[tuple[int, int], ...] = ()

    @property
    def end_seconds(self) -> float:
        """When the last picture is over, in seconds from the start of the container."""
        hidden = sum(after - before for before, after in self.holes)
        return self.duration_seconds + float(hidden * self.time_base)

    def stretch(self, pts: int) -> tuple[int, int]:
        """The first and the last tick around a picture between which there is no hole."""
        low = max((after for _, after in self.holes if after <= pts), default=-(2**63))
        high = min((before for before, _ in self.holes if before > pts), default=2**63 - 1)
        return low, high

    def seconds(self, pts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Seconds from the start of the container, rounded once, from exact arithmetic."""
        base, start = self.time_base, self.start_time
        # pts * n/d - a/b over the common denominator stays in integers until the last division.
        numerator = pts.astype(object) * (base.numerator * start.denominator) - (
            start.numerator * base.denominator
        )
        return np.asarray(
            numerator / (base.denominator * start.denominator), dtype=np.float64
        ).reshape(pts.shape)


@dataclass(frozen=True)
class FrameRow:
    """A frame that was looked at; vectors are int8 directions (:mod:`tempo_edge.quantization`)."""

    pts: int
    variation: float
    cut: bool
    vector: NDArray[np.int8]
    cells: NDArray[np.uint8]
    tokens: NDArray[np.int8]
