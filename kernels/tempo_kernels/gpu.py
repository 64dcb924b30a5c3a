"""The kernels for NVIDIA GPUs, written in Python and compiled by Numba.

A thread takes one block of one pair of pictures, or one cell of one thumbnail. The C++ ones
(``kernels/cuda``) read each picture once and sixteen bytes at a time; these are what runs where
there is a driver but nothing has been built. With ``NUMBA_ENABLE_CUDASIM=1`` they run, slowly, on
the CPU.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["compare_on_device", "compare_pictures", "resources", "usable"]

# Not an import statement: what Numba makes of its own names has no types.
cuda: Any = importlib.import_module("numba.cuda")

_THREADS = 128


def usable() -> bool:
    """Whether there is a device and a driver, or the simulator."""
    return bool(cuda.is_available())


@cuda.jit  # type: ignore[untyped-decorator]
def _sum_blocks(pictures: Any, block: Any, sums: Any) -> None:
    index, pair = cuda.grid(2)
    across = sums.shape[2]
    if pair >= sums.shape[0] or index >= sums.shape[1] * across:
        return
    row, column = index // across, index % across
    total = 0
    for y in range(row * block, min(pictures.shape[1], (row + 1) * block)):
        for x in range(column * block, min(pictures.shape[2], (column + 1) * block)):
            was, now = int(pictures[pair, y, x]), int(pictures[pair + 1, y, x])
            total += max(was, now) - min(was, now)
    sums[pair, row, column] = total


@cuda.jit  # type: ignore[untyped-decorator]
def _shrink(pictures: Any, thumbnails: Any) -> None:
    index, number = cuda.grid(2)
    rows, cells = thumbnails.shape[1], thumbnails.shape[2]
    if number >= thumbnails.shape[0] or index >= rows * cells:
        return
    row, cell = index // cells, index % cells
    height, width = pictures.shape[1], pictures.shape[2]
    top, bottom = row * height // rows, (row + 1) * height // rows
    left, right = cell * width // cells, (cell + 1) * width // cells
    total = 0
    for y in range(top, bottom):
        for x in range(left, right):
            total += int(pictures[number, y, x])
    area = (bottom - top) * (right - left)
    thumbnails[number, row, cell] = (2 * total + area) // (2 * area)


def compare_pictures(
    pictures: NDArray[np.unsignedinteger],
    block: int,
    sums: NDArray[np.int64],
    thumbnails: NDArray[np.unsignedinteger],
) -> None:
    """Compare pictures ``[n, height, width]`` with the ones before, in two launches.

    Fills ``sums`` ``[n - 1, down, across]`` and ``thumbnails`` ``[n, rows, columns]``, if it has
    any rows.
    """
    there = cuda.to_device(pictures)
    found = cuda.device_array(sums.shape, np.int64) if sums.size else None
    small = cuda.device_array(thumbnails.shape, thumbnails.dtype) if thumbnails.size else None
    compare_on_device(there, block, found, small)
    if found is not None:
        found.copy_to_host(sums)
    if small is not None:
        small.copy_to_host(thumbnails)


def compare_on_device(pictures: Any, block: int, sums: Any, thumbnails: Any) -> None:
    """Compare pictures that lie on the device, into what lies there; None for what isn't wanted.

    Nothing is waited for.
    """
    if sums is not None:
        work = sums.shape[1] * sums.shape[2]
        _sum_blocks[_shape(work, sums.shape[0]), (_THREADS, 1)](pictures, block, sums)
    if thumbnails is not None:
        work = thumbnails.shape[1] * thumbnails.shape[2]
        _shrink[_shape(work, thumbnails.shape[0]), (_THREADS, 1)](pictures, thumbnails)


def resources() -> dict[str, tuple[int, int]]:
    """Registers and bytes of local memory a thread of each kernel takes, as it was compiled here.

    Local memory is where registers spill to. Of several compilations that which takes most counts;
    a kernel that was not run yet is not compiled, and is left out.
    """
    found = {}
    for name, kernel in (("sum_blocks", _sum_blocks), ("shrink", _shrink)):
        registers = kernel.get_regs_per_thread()
        local = kernel.get_local_mem_per_thread()
        if registers:
            found[name] = max(registers.values()), max(local.values())
    return found


def _shape(work: int, pictures: int) -> tuple[int, int]:
    return -(-work // _THREADS), pictures
