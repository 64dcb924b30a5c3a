"""The definition of what the kernels compute, in NumPy: slow, and what every one must equal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["parts", "shrink", "sum_absolute_differences"]


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
