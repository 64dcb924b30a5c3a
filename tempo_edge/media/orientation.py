"""How a picture must be turned and mirrored to stand upright: the container's display matrix."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from av.sidedata.sidedata import SideDataContainer, Type
from av.video.frame import VideoFrame
from numpy.typing import NDArray

__all__ = ["Orientation"]

_Container: Any = SideDataContainer  # its stub leaves out what it is made from

_Scalar = TypeVar("_Scalar", bound=np.generic)


@dataclass(frozen=True)
class Orientation:
    """One of the eight ways in which a rectangle can lie, as steps from the coded picture.

    Attributes:
        transposed: rows and columns change places, before anything else.
        mirrored: left and right change places.
        flipped: top and bottom change places.
    """

    transposed: bool = False
    mirrored: bool = False
    flipped: bool = False

    @staticmethod
    def of(frame: VideoFrame) -> Orientation:
        """The orientation that a decoded picture came with; upright where it has none."""
        try:
            # Not `frame.side_data`: that and the frame hold each other, and pictures would pile up
            # until Python looks for such circles.
            data = _Container(frame).get(Type.DISPLAYMATRIX)
        except ValueError:  # beside side data of a kind that PyAV doesn't know: Exif, say
            turns = round(frame.rotation / 90) % 4
            return Orientation(turns % 2 == 1, turns in (2, 3), turns in (1, 2))
        matrix = b"" if data is None else bytes(data)
        if len(matrix) != 36:
            return Orientation()
        # A sample at (p, q) is shown at (a p + c q, b p + d q). What is turned by some other angle
        # is shown at the nearest quarter.
        a, b, _, c, d, *_ = struct.unpack("=9i", matrix)
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return Orientation(False, a < 0, d < 0)
        return Orientation(True, c < 0, b < 0)

    @property
    def reverses(self) -> bool:
        """Whether writing could be read in a mirror only: no quarter turn leads there."""
        return self.transposed ^ self.mirrored ^ self.flipped

    def apply(self, picture: NDArray[_Scalar]) -> NDArray[_Scalar]:
        """A picture ``[height, width, ...]`` upright, as a view."""
        upright = picture.swapaxes(0, 1) if self.transposed else picture
        return upright[:: -1 if self.flipped else 1, :: -1 if self.mirrored else 1]
