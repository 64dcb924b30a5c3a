"""The definition of what the kernels compute, in NumPy: slow, and what every one must equal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tempo_kernels.picture import Colours, Window

__all__ = ["parts", "rgb_thumbnail", "shrink", "sum_absolute_differences"]


def sum_absolute_differences(
    previous: NDArray[np.unsignedinteger], current: NDArray[np.unsignedinteger], block: int
) -> NDArray[np.int64]:
    """Sum of ``|current - previous|`` over each ``block`` x ``block`` square.

    Args:
        previous: luma plane, ``[height, width]``, uint8 or uint16.
        current: luma plane of the same shape and dtype.
        block: edge of a square in pixels; squares on the right and bottom edge may be cut short.

    Returns:
        ``[ceil(height / block), ceil(width / block)]`` int64.
    """
    difference = np.abs(current.astype(np.int64) - previous.astype(np.int64))
    height, width = difference.shape
    rows = np.arange(0, height, block)
    columns = np.arange(0, width, block)
    return np.add.reduceat(np.add.reduceat(difference, rows, axis=0), columns, axis=1)


def parts(whole: int, count: int) -> NDArray[np.int64]:
    """Where ``count`` parts of ``whole`` samples begin and the last one ends, ``[count + 1]``."""
    return np.arange(count + 1, dtype=np.int64) * whole // count


def shrink(
    plane: NDArray[np.unsignedinteger], size: tuple[int, int]
) -> NDArray[np.unsignedinteger]:
    """The mean of a plane in each cell of a grid, rounded half up.

    Args:
        plane: ``[height, width]``, uint8 or uint16.
        size: rows and columns of the grid, no more than the plane has.

    Returns:
        ``size``, of the plane's dtype.
    """
    rows, columns = parts(plane.shape[0], size[0]), parts(plane.shape[1], size[1])
    sums = np.add.reduceat(plane.astype(np.int64), rows[:-1], axis=0)
    sums = np.add.reduceat(sums, columns[:-1], axis=1)
    area = np.multiply.outer(np.diff(rows), np.diff(columns))
    return np.asarray((2 * sums + area) // (2 * area)).astype(plane.dtype)


def rgb_thumbnail(
    luma: NDArray[np.unsignedinteger],
    chroma: NDArray[np.unsignedinteger],
    bit_depth: int,
    window: Window,
    colours: Colours,
) -> NDArray[np.uint8]:
    """The mean colour of a decoded picture in each cell of a window.

    Args:
        luma: ``[height, width]``, uint8 or uint16.
        chroma: ``[rows, 2 * columns]`` of the same dtype: the two colour differences in turn, over
            the same picture.
        bit_depth: significant bits of a sample, from 8 on.

    Returns:
        ``[size, size, 3]``: red, green, blue.
    """
    y = _means(luma, bit_depth, window, 1) - 256 * colours.black
    sharing = window.sharing
    u, v = (_means(chroma[:, at::2], bit_depth, window, sharing) - 256 * 128 for at in (0, 1))
    light = colours.light * y
    sums = np.stack(
        [
            light + colours.red_of_v * v,
            light + colours.green_of_u * u + colours.green_of_v * v,
            light + colours.blue_of_u * u,
        ],
        axis=-1,
    )
    picture: NDArray[np.uint8] = np.clip((sums + (1 << 23)) >> 24, 0, 255).astype(np.uint8)
    if window.transposed:
        picture = picture.swapaxes(0, 1)
    return picture[:: -1 if window.flipped else 1, :: -1 if window.mirrored else 1]


def _means(
    plane: NDArray[np.unsignedinteger], bit_depth: int, window: Window, sharing: int
) -> NDArray[np.int64]:
    """The mean of a plane in each cell of a window, in 256ths of what is 8 bits.

    Args:
        sharing: cells side by side that are one here.
    """
    rows = _shares(plane.shape[0], window.rows)[window.top : window.top + window.size]
    cells = np.arange(window.left, window.left + window.size) // sharing
    columns = _shares(plane.shape[1], window.columns // sharing)[cells]
    sums = rows @ plane.astype(np.int64) @ columns.T
    area = plane.shape[0] * plane.shape[1]
    means: NDArray[np.int64] = ((sums << (16 - bit_depth)) + area // 2) // area
    return means


def _shares(samples: int, cells: int) -> NDArray[np.int64]:
    """How much each cell covers of each sample, ``[cells, samples]``, whose width is ``cells``."""
    sample, cell = np.arange(samples)[None, :], np.arange(cells)[:, None]
    end = np.minimum((sample + 1) * cells, (cell + 1) * samples)
    return np.asarray(np.maximum(end - np.maximum(sample * cells, cell * samples), 0))
