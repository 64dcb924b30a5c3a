"""The rows of a library: a file, the video in it, a frame that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge.store.columns import Columns

__all__ = ["FileRow", "FrameRow", "VideoRow", "file_row", "frame_row", "video_row"]

_STATES = ("indexed", "skipped")


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
    """A frame that was looked at: vectors are int8 directions (see :mod:`tempo_edge.packing`)."""

    pts: int
    variation: float
    cut: bool
    vector: NDArray[np.int8]
    cells: NDArray[np.uint8]
    tokens: NDArray[np.int8]


def file_row(read: Columns, path: Any, volume: Any, *others: Any) -> FileRow:
    """A row of ``files``, in the order of its columns.

    Raises:
        LibraryError: a value is none that belongs there.
    """
    size, mtime_ns, state, reason, video_id = others
    if state not in _STATES:
        raise read.fault("state", state, " or ".join(_STATES))
    return FileRow(
        read.text("path", path),
        read.text("volume", volume),
        read.whole("size", size, high=2**63 - 1),
        read.whole("mtime_ns", mtime_ns, -(2**63), 2**63 - 1),
        state,
        read.text("reason", reason),
        None if video_id is None else read.whole("video_id", video_id),
    )


def video_row(read: Columns, holes: tuple[tuple[int, int], ...], *values: Any) -> VideoRow:
    """A row of ``videos``: codec, width, height, duration, rate, time base and start time.

    Raises:
        LibraryError: a value is none that belongs there.
    """
    codec, width, height, duration, rate, base, start = values
    return VideoRow(
        read.text("codec", codec),
        read.whole("width", width),
        read.whole("height", height),
        read.duration(duration),
        None if rate is None else read.fraction("rate", rate, positive=True),
        read.fraction("time_base", base, positive=True),
        read.fraction("start_time", start),
        holes,
    )


def frame_row(read: Columns, dim: int | None, most_cells: int, *values: Any) -> FrameRow:
    """A row of ``frames``: pts, variation, cut, vector, cells and tokens.

    Args:
        dim: length of its vectors, if it is known.
        most_cells: cells of the grid that its tokens are of.

    Raises:
        LibraryError: a value is none that belongs there.
    """
    pts, variation, cut, packed, shown, seen = values
    vector = read.vectors("vector", [packed], dim)[0]
    cells = np.frombuffer(read.bytes("cells", shown), np.uint8)
    tokens = np.frombuffer(read.bytes("tokens", seen), np.int8)
    if len(tokens) != len(cells) * len(vector):
        wanted = f"{len(cells) * len(vector)} bytes, {len(vector)} for each of its cells"
        raise read.fault("tokens", f"{len(tokens)} bytes", wanted)
    if len(cells) and int(cells.max()) >= most_cells:
        raise read.fault("cells", int(cells.max()), f"below {most_cells}")
    return FrameRow(
        read.whole("pts", pts, -(2**63), 2**63 - 1),
        float(read.reals("variation", [variation])[0]),
        bool(read.whole("cut", cut, 0, 1)),
        vector,
        cells,
        tokens.reshape(-1, len(vector)),
    )
