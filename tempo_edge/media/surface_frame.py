"""A decoded picture that lies in the memory of an NVIDIA card, and is looked at there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import MediaError
from tempo_edge.media.orientation import Orientation

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from tempo_kernels.picture import Colours
    from tempo_kernels.surface import Surface

    from tempo_edge.models.running import DeviceArray

__all__ = ["Showing", "SurfaceFrame", "together"]

# FFmpeg's numbers of the matrices of colours, by the names that the kernels have for them; what is
# not told is taken for standard definition's, as FFmpeg's scaler does.
_MATRICES = {
    1: "bt709",
    **dict.fromkeys((2, 5, 6), "smpte170m"),
    4: "fcc",
    7: "smpte240m",
    **dict.fromkeys((9, 10), "bt2020"),
}

# FFmpeg's number of full range.
_FULL = 2

# What lies on a card is laid out as one of these is, but for the order of the colours.
_FORMATS = frozenset({"yuv420p", "yuvj420p", "yuv420p10le"})


@dataclass(frozen=True)
class Showing:
    """How the pictures of a film are shown, as the processor finds it of the first one.

    Attributes:
        size: height and width of a picture as it is coded.
        matrix, color_range: FFmpeg's numbers of them.
        format: FFmpeg's name of how the processor lays it out.
    """

    size: tuple[int, int]
    bit_depth: int
    matrix: int
    color_range: int
    format: str
    orientation: Orientation

    @staticmethod
    def of(frame: VideoFrame) -> Showing:
        """How a picture is shown that the processor has decoded."""
        return Showing(
            (frame.height, frame.width),
            frame.format.components[0].bits,
            int(frame.colorspace),
            int(frame.color_range),
            frame.format.name,
            Orientation.of(frame),
        )

    def trouble(self) -> str:
        """Why such pictures can't be looked at on a card, in one clause; empty where they can."""
        if self.format not in _FORMATS:
            return f"pictures of {self.format} are not looked at on a card"
        if self.matrix not in _MATRICES:
            return f"colours by matrix {self.matrix} are not known on a card"
        if self.size[0] % 2 or self.size[1] % 2:
            return "pictures of odd sides are not looked at on a card"
        return ""

    @property
    def colours(self) -> Colours:
        """What turns them into red, green and blue."""
        from tempo_kernels.picture import Colours

        full = self.color_range == _FULL or self.format.startswith("yuvj")
        return Colours.of(_MATRICES[self.matrix], full)


class SurfaceFrame:
    """A picture on a card. It has all of :class:`~tempo_edge.media.Frame`, and what needs no host.

    What the card has no memory for is done by the host, of a copy.

    Args:
        pts: its time stamp.
        surface: the picture, a copy of its own.
        showing: how it is shown.
    """

    def __init__(self, pts: int, surface: Surface, showing: Showing) -> None:
        self.pts = pts
        self._surface, self._showing = surface, showing
        self._colours = showing.colours

    @property
    def bit_depth(self) -> int:
        return self._surface.bit_depth

    def luma(self) -> NDArray[np.unsignedinteger]:
        return _read_back(self._surface.luma)

    def upright(self, grid: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._showing.orientation.apply(grid)

    def release(self) -> None:
        self._surface.release()

    def differences(self, before: SurfaceFrame) -> NDArray[np.float32] | None:
        """The change of each block since another picture; None if they differ in kind."""
        if self._surface.shape != before._surface.shape or self.bit_depth != before.bit_depth:
            return None
        try:
            return self._surface.differences(before._surface)
        except Exception:  # Numba has its own for each release
            from tempo_kernels import block_differences

            return block_differences(before.luma(), self.luma(), bit_depth=self.bit_depth)

    def thumbnail(
        self, size: int, interpolation: str = "AREA", *, crop: bool = False
    ) -> NDArray[np.uint8]:
        found = self.picture(size, interpolation, crop=crop)
        return found if isinstance(found, np.ndarray) else found.copy_to_host()

    def picture(
        self, size: int, interpolation: str = "AREA", *, crop: bool = False
    ) -> NDArray[np.uint8] | DeviceArray:
        """The thumbnail, on the card where that can shrink a picture like this.

        It can't make other than mean values, nor what is larger than the picture.
        """
        from tempo_kernels.picture import Window

        from tempo_edge.media._frame import grid_of

        height, width = self._surface.shape
        columns, rows, left, top = grid_of(width, height, size, crop=crop)
        if interpolation != "AREA" or rows > height or columns > width:
            return self._by_host(size, interpolation, crop=crop)
        turned = self._showing.orientation
        turns = turned.transposed, turned.mirrored, turned.flipped
        window = Window(rows, columns, top, left, size, *turns)
        try:
            found: DeviceArray = self._surface.thumbnail(window, self._colours)
        except Exception:  # as above
            return self._by_host(size, interpolation, crop=crop)
        return found

    def _by_host(self, size: int, interpolation: str, *, crop: bool) -> NDArray[np.uint8]:
        """The thumbnail by FFmpeg's scaler, of a copy in memory of the host."""
        from av.video.frame import VideoFrame
        from av.video.reformatter import VideoReformatter

        from tempo_edge.media._frame import shrink

        luma, chroma = self.luma(), _read_back(self._surface.chroma)
        # One plane after another, as PyAV takes them: the colours' rows have half the width.
        planes = [luma.ravel(), *(chroma[:, at::2].ravel() for at in (0, 1))]
        rows = np.concatenate(planes).reshape(len(luma) * 3 // 2, luma.shape[1])
        frame = VideoFrame.from_ndarray(rows, format=self._showing.format)
        frame.colorspace = self._showing.matrix
        frame.color_range = self._showing.color_range
        small = shrink(frame, size, VideoReformatter(), interpolation, crop=crop)
        return np.ascontiguousarray(self._showing.orientation.apply(small))


def together(
    pictures: Sequence[NDArray[np.uint8] | DeviceArray],
) -> NDArray[np.uint8] | DeviceArray:
    """Pictures as one array ``[n, s, s, 3]``: on the card if all of them lie there."""
    there = [each for each in pictures if not isinstance(each, np.ndarray)]
    if there and len(there) == len(pictures):
        from tempo_kernels.surface import stacked

        with suppress(Exception):  # where the card has no memory for both, they come one by one
            found: DeviceArray = stacked(there)
            return found
    here = (each if isinstance(each, np.ndarray) else each.copy_to_host() for each in pictures)
    return np.stack(list(here))


def _read_back(
    read: Callable[[], NDArray[np.unsignedinteger]],
) -> NDArray[np.unsignedinteger]:
    """A plane that was on the card.

    Raises:
        MediaError: the card doesn't give it back.
    """
    try:
        return read()
    except Exception as error:
        why = " ".join(str(error).split())[:200]
        raise MediaError(f"can't be read back from the card: {why}") from error
