"""A decoded picture of PyAV: its luma plane, and its thumbnail, upright."""

from __future__ import annotations

import re
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from tempo_edge.media.orientation import Orientation

__all__ = ["PyAVFrame", "grid_of", "scaled", "shrink"]

# One thread a decoder: from PyAV 17 on, a scaler takes every core unless told otherwise.
_SCALER_OPTIONS: dict[str, Any] = {"threads": 1} if int(av.__version__.split(".")[0]) >= 17 else {}

# How many times as long as high a picture may be whose middle is cut out.
_LONGEST = 16

# P010, P412 and kin keep their ten or twelve bits at the top of sixteen.
_TOP_ALIGNED = re.compile(r"p[024]1[026]|.*msb")


class PyAVFrame:
    """A decoded picture; its planes stay where FFmpeg put them."""

    def __init__(self, frame: VideoFrame, scaler: VideoReformatter) -> None:
        self._frame: VideoFrame | None = frame
        self._orientation = Orientation.of(frame)
        self._scaler = scaler
        assert frame.pts is not None
        self.pts: int = frame.pts
        self._direct = _has_luma_plane(frame)
        self.bit_depth: int = frame.format.components[0].bits if self._direct else 8
        if self._direct and _TOP_ALIGNED.match(frame.format.name):
            self.bit_depth = 16
        self._grey = frame if self._direct else None

    def luma(self) -> NDArray[np.unsignedinteger]:
        if self._grey is None:
            assert self._frame is not None
            # Not by the shared scaler: a neighbour's thread may ask for this plane.
            self._grey = self._frame.reformat(format="gray", **_SCALER_OPTIONS)
        frame = self._grey
        plane: Any = frame.planes[0]  # it has the buffer protocol, which its stub leaves out
        dtype: Any = np.uint8 if self.bit_depth == 8 else np.uint16
        samples: NDArray[np.unsignedinteger] = np.frombuffer(plane, dtype=dtype)
        stride = plane.line_size // samples.itemsize
        return samples[: frame.height * stride].reshape(frame.height, stride)[:, : frame.width]

    def upright(self, grid: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._orientation.apply(grid)

    def release(self) -> None:
        if not self._direct:
            self.luma()
            self._frame = None

    def thumbnail(
        self, size: int, interpolation: str = "AREA", *, crop: bool = False
    ) -> NDArray[np.uint8]:
        if self._frame is None:
            raise ValueError("the colours of this picture were let go of")
        small = shrink(self._frame, size, self._scaler, interpolation, crop=crop)
        return np.ascontiguousarray(self._orientation.apply(small))


def shrink(
    frame: VideoFrame,
    size: int,
    scaler: VideoReformatter,
    interpolation: str = "AREA",
    *,
    crop: bool = False,
) -> NDArray[np.uint8]:
    """The picture as ``[size, size, 3]`` RGB, as it lies in the file."""
    width, height, left, top = grid_of(frame.width, frame.height, size, crop=crop)
    picture = scaled(frame, width, height, scaler, interpolation)
    return picture[top : top + size, left : left + size]


def grid_of(width: int, height: int, size: int, *, crop: bool) -> tuple[int, int, int, int]:
    """(columns, rows) of the grid that a picture becomes, and (left, top) of what it shows."""
    columns = rows = size
    if crop:
        columns, rows = _around(width, height, size)
    return columns, rows, (columns - size) // 2, (rows - size) // 2


def scaled(
    frame: VideoFrame,
    width: int,
    height: int,
    scaler: VideoReformatter,
    interpolation: str = "AREA",
) -> NDArray[np.uint8]:
    """The picture as ``[height, width, 3]`` RGB, as it lies in the file."""
    small = scaler.reformat(
        frame,
        width,
        height,
        "rgb24",
        interpolation=interpolation,
        src_color_range=frame.color_range or None,  # which PyAV would leave out of account
        **_SCALER_OPTIONS,
    )
    return np.asarray(small.to_ndarray(), dtype=np.uint8)


def _around(width: int, height: int, size: int) -> tuple[int, int]:
    """Width and height of a picture whose shorter side becomes ``size``."""
    # Memory is bounded: a strip of a picture is squeezed to this, and then cut.
    longer = min(size * max(width, height) // min(width, height), size * _LONGEST)
    return (longer, size) if width > height else (size, longer)


def _has_luma_plane(frame: VideoFrame) -> bool:
    """Whether the first plane holds luma samples that NumPy can read where they lie."""
    form = frame.format
    return (
        (form.is_planar or len(form.components) == 1)
        and not (form.is_rgb or form.has_palette or form.is_bit_stream or form.is_big_endian)
        and form.components[0].bits in (8, 9, 10, 12, 14, 16)
        and frame.planes[0].line_size > 0  # pictures stored bottom up have a negative one
    )
