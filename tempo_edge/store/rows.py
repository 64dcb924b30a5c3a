"""The rows of a library: a file, the video in it, a frame that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

__all__ = ["Contents", "FileRow", "FrameRow", "VideoRow"]


@dataclass(frozen=True)
class Contents:
    """What is known of the bytes of the files that hold a video; None where it is not known.

    Attributes:
        size: in bytes.
        sample: the digest of the size and of a sample of the bytes.
        packets: the digest of the packet table that the container's index holds.
        whole: SHA-256 of all bytes.
    """

    size: int | None = None
    sample: bytes | None = None
    packets: bytes | None = None
    whole: bytes | None = None

    def may_be(self, other: Contents) -> bool:
        """Whether both agree in all that is known of both."""
        return all(
            mine is None or theirs is None or mine == theirs
            for mine, theirs in (
                (self.size, other.size),
                (self.sample, other.sample),
                (self.packets, other.packets),
                (self.whole, other.whole),
            )
        )


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


# Whole numbers below this are float64 as they are, so that their quotient is rounded once.
_EXACT = 2**53


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
        if not self.holes:
            return -(2**63), 2**63 - 1
        low = max((after for _, after in self.holes if after <= pts), default=-(2**63))
        high = min((before for before, _ in self.holes if before > pts), default=2**63 - 1)
        return low, high

    def seconds(self, pts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Seconds from the start of the container, rounded once, from exact arithmetic."""
        base, start = self.time_base, self.start_time
        # pts * n/d - a/b over the common denominator stays in integers until the last division.
        factor, shift = base.numerator * start.denominator, start.numerator * base.denominator
        denominator = base.denominator * start.denominator
        largest = max(int(pts.max(initial=0)), -int(pts.min(initial=0)))
        if max(largest * factor + abs(shift), denominator) < _EXACT:
            return np.asarray((pts * factor - shift) / denominator, dtype=np.float64)
        numerator = pts.astype(object) * factor - shift
        return np.asarray(numerator / denominator, dtype=np.float64).reshape(pts.shape)


@dataclass(frozen=True)
class FrameRow:
    """A frame that was looked at; vectors are int8 directions (:mod:`tempo_edge.quantization`)."""

    pts: int
    variation: float
    cut: bool
    vector: NDArray[np.int8]
    cells: NDArray[np.uint8]
    tokens: NDArray[np.int8]
