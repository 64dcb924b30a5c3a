"""The kernels for NVIDIA GPUs, written in Python and compiled by Numba.

A thread takes one block of one pair of pictures, or one cell of one thumbnail. The C++ ones
(``kernels/cuda``) read each picture once and sixteen bytes at a time; these are what runs where
there is a driver but nothing has been built, and what makes thumbnails of a decoder's surfaces.
With ``NUMBA_ENABLE_CUDASIM=1`` they run, slowly, on the CPU.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_kernels.picture import Colours, Window

__all__ = [
    "compare_on_device",
    "compare_pictures",
    "compare_surfaces",
    "copy_plane",
    "enter",
    "lying_at",
    "resources",
    "rgb_thumbnail",
    "stacked",
    "usable",
]

# Not an import statement: what Numba makes of its own names has no types.
cuda: Any = importlib.import_module("numba.cuda")

_THREADS = 128

# A launch for one picture is small, and Numba would say so each time.
for _place in ("numba.core.config", "numba.cuda.core.config"):
    with suppress(ImportError):
        setattr(importlib.import_module(_place), "CUDA_LOW_OCCUPANCY_WARNINGS", 0)  # noqa: B010


def usable() -> bool:
    """Whether there is a device and a driver, or the simulator."""
    return bool(cuda.is_available())


@cuda.jit  # type: ignore[untyped-decorator]
def _sum_blocks(before: Any, after: Any, block: Any, sums: Any) -> None:
    index, pair = cuda.grid(2)
    across = sums.shape[2]
    if pair >= sums.shape[0] or index >= sums.shape[1] * across:
        return
    row, column = index // across, index % across
    total = 0
    for y in range(row * block, min(after.shape[1], (row + 1) * block)):
        for x in range(column * block, min(after.shape[2], (column + 1) * block)):
            was, now = int(before[pair, y, x]), int(after[pair, y, x])
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


@cuda.jit  # type: ignore[untyped-decorator]
def _copy(source: Any, unused_bits: Any, target: Any) -> None:
    x, y = cuda.grid(2)
    if y < target.shape[0] and x < target.shape[1]:
        target[y, x] = int(source[y, x]) >> unused_bits


@cuda.jit(device=True)  # type: ignore[untyped-decorator]
def _mean(
    plane: Any, bits: Any, step: Any, first: Any, row: Any, rows: Any, cell: Any, cells: Any
) -> Any:
    """The mean of every ``step``-th column of a plane in one cell, in 256ths of what is 8 bits."""
    height, width = plane.shape[0], plane.shape[1] // step
    top, bottom = row * height, (row + 1) * height
    left, right = cell * width, (cell + 1) * width
    total = 0
    for y in range(top // rows, (bottom + rows - 1) // rows):
        line = 0
        for x in range(left // cells, (right + cells - 1) // cells):
            share = min((x + 1) * cells, right) - max(x * cells, left)
            line += share * int(plane[y, step * x + first])
        total += line * (min((y + 1) * rows, bottom) - max(y * rows, top))
    area = height * width
    return ((total << bits) + area // 2) // area


@cuda.jit  # type: ignore[untyped-decorator]
def _colour(
    luma: Any,
    chroma: Any,
    bits: Any,
    rows: Any,
    cells: Any,
    sharing: Any,
    top: Any,
    left: Any,
    transposed: Any,
    mirrored: Any,
    flipped: Any,
    black: Any,
    light: Any,
    red_of_v: Any,
    green_of_u: Any,
    green_of_v: Any,
    blue_of_u: Any,
    picture: Any,
) -> None:
    column, row = cuda.grid(2)
    size = picture.shape[0]
    if row >= size or column >= size:
        return
    down = size - 1 - row if flipped else row
    across = size - 1 - column if mirrored else column
    if transposed:
        down, across = across, down
    down, across = top + down, left + across
    y = light * (_mean(luma, bits, 1, 0, down, rows, across, cells) - 256 * black)
    across, cells = across // sharing, cells // sharing
    u = _mean(chroma, bits, 2, 0, down, rows, across, cells) - 256 * 128
    v = _mean(chroma, bits, 2, 1, down, rows, across, cells) - 256 * 128
    half = 1 << 23
    picture[row, column, 0] = max(0, min(255, (y + red_of_v * v + half) >> 24))
    picture[row, column, 1] = max(0, min(255, (y + green_of_u * u + green_of_v * v + half) >> 24))
    picture[row, column, 2] = max(0, min(255, (y + blue_of_u * u + half) >> 24))


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
        before, after = pictures[:-1], pictures[1:]
        _sum_blocks[_shape(work, sums.shape[0])](before, after, block, sums)
    if thumbnails is not None:
        work = thumbnails.shape[1] * thumbnails.shape[2]
        _shrink[_shape(work, thumbnails.shape[0])](pictures, thumbnails)


def compare_surfaces(before: Any, after: Any, block: int, sums: NDArray[np.int64]) -> None:
    """Compare two luma planes ``[1, height, width]`` that lie on the device.

    Fills ``sums`` ``[down, across]``: nothing else comes to the host.
    """
    there = cuda.device_array((1, *sums.shape), np.int64)
    _sum_blocks[_shape(sums.size, 1)](before, after, block, there)
    there.copy_to_host(sums[None])


def copy_plane(source: Any, unused_bits: int) -> Any:
    """A copy on the device of a plane ``[height, width]`` on it, without the lowest bits.

    It is complete: whoever lent the plane may have it back.
    """
    height, width = source.shape
    target = cuda.device_array((height, width), source.dtype)
    _copy[_shape(width, height)](source, unused_bits, target)
    cuda.synchronize()
    return target


def rgb_thumbnail(luma: Any, chroma: Any, bit_depth: int, window: Window, colours: Colours) -> Any:
    """:func:`tempo_kernels.reference.rgb_thumbnail` of planes on the device, into its memory."""
    picture = cuda.device_array((window.size, window.size, 3), np.uint8)
    place = (window.rows, window.columns, window.sharing, window.top, window.left)
    turns = (window.transposed, window.mirrored, window.flipped)
    steps = (colours.light, colours.red_of_v, colours.green_of_u, colours.green_of_v)
    _colour[_shape(window.size, window.size)](
        *(luma, chroma, 16 - bit_depth),
        *(*place, *map(int, turns)),
        *(colours.black, *steps, colours.blue_of_u, picture),
    )
    return picture


def enter() -> int:
    """Have this thread use the card; gives the handle of its context, which all threads share."""
    handle = cuda.current_context().handle
    return int(getattr(handle, "value", handle))


def lying_at(address: int, shape: tuple[int, int], pitch: int, dtype: np.dtype[Any]) -> Any:
    """A plane ``[height, width]`` that somebody else holds on the card, for as long as they do.

    Args:
        pitch: bytes from row to row.
    """
    about = {
        "shape": shape,
        "strides": (pitch, dtype.itemsize),
        "typestr": dtype.str,
        "data": (address, False),
        "version": 3,
    }
    return cuda.as_cuda_array(SimpleNamespace(__cuda_array_interface__=about))


def stacked(pictures: Sequence[Any]) -> Any:
    """Pictures of one shape on the device as one array ``[n, ...]`` on it, complete."""
    together = cuda.device_array((len(pictures), *pictures[0].shape), pictures[0].dtype)
    for number, picture in enumerate(pictures):
        together[number].copy_to_device(picture)
    cuda.synchronize()
    return together


def resources() -> dict[str, tuple[int, int]]:
    """Registers and bytes of local memory a thread of each kernel takes, as it was compiled here.

    Local memory is where registers spill to. Of several compilations that which takes most counts;
    a kernel that was not run yet is not compiled, and is left out.
    """
    found = {}
    kernels = {"sum_blocks": _sum_blocks, "shrink": _shrink, "copy": _copy, "colour": _colour}
    for name, kernel in kernels.items():
        registers = kernel.get_regs_per_thread()
        local = kernel.get_local_mem_per_thread()
        if registers:
            found[name] = max(registers.values()), max(local.values())
    return found


def _shape(work: int, rows: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The grid of a launch and the threads of a block, for so much work in each of some rows."""
    threads = min(_THREADS, work)
    return (-(-work // threads), rows), (threads, 1)
