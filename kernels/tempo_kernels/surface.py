"""A decoder's picture in the memory of an NVIDIA card, where it is compared and shrunk.

Nothing but block sums comes to the host, unless a plane is asked for. Numba is loaded with the
first picture, and not before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_kernels import native
from tempo_kernels.difference import shares_of
from tempo_kernels.picture import Colours, Window

__all__ = ["Surface", "stacked"]

_BLOCK = 16


class Surface:
    """A picture of one plane of light and one of both colour differences in turn: NV12, P010.

    Args:
        luma: ``[1, height, width]``, uint8 or uint16, on the card.
        chroma: ``[rows, 2 * columns]`` of the same dtype, on the card.
        bit_depth: significant bits of a sample; they are the lowest.
    """

    def __init__(self, luma: Any, chroma: Any, bit_depth: int) -> None:
        self._luma, self._chroma, self.bit_depth = luma, chroma, bit_depth

    @staticmethod
    def copied(luma: Any, chroma: Any, bit_depth: int) -> Surface:
        """A copy of planes on the card whose rows may be padded, so that a decoder may go on.

        Args:
            luma: ``[height, width]``; ``chroma``: ``[rows, 2 * columns]``. Of uint16 the highest
                bits are the significant ones, as P010 has them.
        """
        from tempo_kernels import gpu

        unused = 8 * luma.dtype.itemsize - bit_depth
        height, width = luma.shape
        copy = gpu.copy_plane(luma, unused).reshape(1, height, width)
        return Surface(copy, gpu.copy_plane(chroma, unused), bit_depth)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in samples of light."""
        _, height, width = self._luma.shape
        return int(height), int(width)

    def differences(self, before: Surface) -> NDArray[np.float32]:
        """:func:`tempo_kernels.block_differences` of the light of two pictures of a kind.

        Raises:
            ValueError: they are of different shapes or depths.
        """
        one, two = before._luma, self._luma
        if one.shape != two.shape or before.bit_depth != self.bit_depth:
            raise ValueError(f"a surface {one.shape[1:]} can't be compared with {two.shape[1:]}")
        height, width = self.shape
        sums = np.empty((-(-height // _BLOCK), -(-width // _BLOCK)), np.int64)
        _compare(one, two, sums)
        return shares_of(sums, (height, width), _BLOCK, self.bit_depth)

    def thumbnail(self, window: Window, colours: Colours) -> Any:
        """The colours of a window, ``[size, size, 3]`` of uint8 on the card.

        Raises:
            ValueError: the colours were let go of.
        """
        from tempo_kernels import gpu

        if self._chroma is None:
            raise ValueError("the colours of this picture were let go of")
        return gpu.rgb_thumbnail(self._luma[0], self._chroma, self.bit_depth, window, colours)

    def luma(self) -> NDArray[np.unsignedinteger]:
        """The light, in memory of the host."""
        plane: NDArray[np.unsignedinteger] = self._luma.copy_to_host()[0]
        return plane

    def chroma(self) -> NDArray[np.unsignedinteger]:
        """Both colour differences in turn, in memory of the host."""
        if self._chroma is None:
            raise ValueError("the colours of this picture were let go of")
        plane: NDArray[np.unsignedinteger] = self._chroma.copy_to_host()
        return plane

    def release(self) -> None:
        """Let go of the colours."""
        self._chroma = None


def stacked(pictures: Sequence[Any]) -> Any:
    """Pictures of one shape on the card as one array ``[n, ...]`` on it."""
    from tempo_kernels import gpu

    return gpu.stacked(pictures)


def _compare(one: Any, two: Any, sums: NDArray[np.int64]) -> None:
    """Fill the block sums by the C++ kernel, where it is built, else by Numba's."""
    if native.cuda_usable():
        addresses = [int(each.__cuda_array_interface__["data"][0]) for each in (one, two)]
        _, height, width = two.shape
        size = two.dtype.itemsize
        none = np.empty((2, 0, 0), two.dtype)
        native.compare_surfaces(
            addresses, (height, width), width * size, size, _BLOCK, sums[None], none
        )
        return
    from tempo_kernels import gpu

    gpu.compare_surfaces(one, two, _BLOCK, sums)
