"""The definition of the frame difference, in NumPy: slow, and what every kernel must equal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["sum_absolute_differences"]


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
