"""The frame difference compiled for the CPU by Numba.

Planes come as C-contiguous ``[height, stride]`` arrays with their visible width beside them. Each
row of blocks first adds its picture rows into one line of column sums, an elementwise loop that
LLVM turns into SIMD, and only then adds the columns of each block. The compiled code is kept in
Numba's cache beside this file (or in the user's cache folder), so it is compiled once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

__all__ = ["sad_parallel", "sad_serial"]


@njit(nogil=True, cache=True)
def _sad_block_row(
    previous: Any, current: Any, block: Any, row: Any, columns: Any, out: Any
) -> None:
    width = columns.shape[0]
    columns[:] = 0  # int32: holds the 32,768 rows of 16-bit samples of the largest block
    for y in range(row * block, min(current.shape[0], (row + 1) * block)):
        before = previous[y, :width]
        after = current[y, :width]
        for x in range(width):
            columns[x] += abs(np.int32(after[x]) - np.int32(before[x]))
    for index in range(out.shape[0]):
        total = np.int64(0)
        for x in range(index * block, min(width, (index + 1) * block)):
            total += columns[x]
        out[index] = total


@njit(nogil=True, cache=True)
def sad_serial(previous: Any, current: Any, width: Any, block: Any, sums: Any) -> None:
    """Fill ``sums`` (int64) on the calling thread, with the interpreter lock released."""
    columns = np.empty(width, np.int32)
    for row in range(sums.shape[0]):
        _sad_block_row(previous, current, block, row, columns, sums[row])


@njit(nogil=True, cache=True, parallel=True)
def sad_parallel(previous: Any, current: Any, width: Any, block: Any, sums: Any) -> None:
    """The same over all cores. Numba's thread pool takes one caller at a time."""
    for row in prange(sums.shape[0]):
        columns = np.empty(width, np.int32)
        _sad_block_row(previous, current, block, row, columns, sums[row])
