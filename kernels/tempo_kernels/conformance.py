"""Whether a kernel gives the integers of the definition, picture by picture.

>>> from tempo_kernels.conformance import cases, disagreement, kernel
>>> [text for case in cases(count=4, largest=40) if (text := disagreement(kernel("lanes"), case))]
[]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tempo_kernels import native
from tempo_kernels.difference import block_differences
from tempo_kernels.dispatch import Work, run
from tempo_kernels.picture import MATRICES, Colours, Window
from tempo_kernels.reference import rgb_thumbnail, shrink, sum_absolute_differences

__all__ = [
    "BLOCKS",
    "Case",
    "ComparePictures",
    "SurfaceCase",
    "cases",
    "disagreement",
    "kernel",
    "noise",
    "surface_cases",
    "surface_disagreement",
]

#: What compares pictures ``[n, h, w]`` with the ones before by blocks of a size, and fills sums
#: ``[n - 1, down, across]`` and thumbnails ``[n, rows, columns]``, if those have any rows.
ComparePictures = Callable[
    [NDArray[np.unsignedinteger], int, NDArray[np.int64], NDArray[np.unsignedinteger]], None
]

#: Edges of the blocks that cases have: a sample, less and more than the usual 16, and no multiple.
BLOCKS = (16, 1, 7, 25)


@dataclass(frozen=True)
class Case:
    """Pictures ``[n, h, w]`` of uint8 or uint16, the edge of a block, and a thumbnail's size."""

    pictures: NDArray[np.unsignedinteger]
    block: int
    size: tuple[int, int]

    def __str__(self) -> str:
        count, height, width = self.pictures.shape
        rows, columns = self.size
        shape = f"{count} pictures of {width} x {height}, {8 * self.pictures.itemsize} bits"
        return f"{shape}, blocks of {self.block}, thumbnails of {columns} x {rows}"


def noise(
    shape: tuple[int, int, int], dtype: type[np.unsignedinteger], seed: int = 0
) -> NDArray[np.unsignedinteger]:
    """Pictures ``[n, h, w]`` of noise over all that a sample of the dtype can be."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def cases(count: int, largest: int, seed: int = 0) -> Iterator[Case]:
    """So many cases of pictures whose sides have up to ``largest`` samples, of 8 and of 16 bits.

    Blocks take turns with the depth, so that each meets both.
    """
    rng = np.random.default_rng(seed)
    for number in range(count):
        dtype = (np.uint8, np.uint16)[number % 2]
        height, width = (int(side) for side in rng.integers(1, largest, 2, endpoint=True))
        size = int(rng.integers(1, height + 1)), int(rng.integers(1, width + 1))
        pictures = noise((1 + number % 3, height, width), dtype, seed + number)
        yield Case(pictures, BLOCKS[number // 2 % len(BLOCKS)], size)


def disagreement(compare_pictures: ComparePictures, case: Case) -> str:
    """Where a kernel gives other integers than the definition, in one line; empty if nowhere."""
    pictures, block = case.pictures, case.block
    count, height, width = pictures.shape
    # What is not filled is seen, too.
    sums = np.full((count - 1, -(-height // block), -(-width // block)), -1, np.int64)
    small = np.full((count, *case.size), 1, pictures.dtype)
    compare_pictures(pictures, block, sums, small)
    for at in range(count - 1):
        right = sum_absolute_differences(pictures[at], pictures[at + 1], block)
        if (wrong := int((sums[at] != right).sum())) > 0:
            return f"{wrong} of {right.size} sums of pair {at} are wrong for {case}"
    for at in range(count):
        right_cells = shrink(pictures[at], case.size)
        if (wrong := int((small[at] != right_cells).sum())) > 0:
            return f"{wrong} of {right_cells.size} cells of thumbnail {at} are wrong for {case}"
    return ""


def kernel(name: str, parallel: bool = False) -> ComparePictures:
    """The kernel of a name, as what compares a stack of pictures.

    Args:
        parallel: whether one for the CPU uses all cores.
    """
    if name == "cuda":
        return native.compare_pictures
    if name == "numba-cuda":
        from tempo_kernels import gpu

        return gpu.compare_pictures

    def compare_pictures(
        pictures: NDArray[np.unsignedinteger],
        block: int,
        sums: NDArray[np.int64],
        thumbnails: NDArray[np.unsignedinteger],
    ) -> None:
        spare = np.zeros((-(-pictures.shape[1] // block), -(-pictures.shape[2] // block)), np.int64)
        for at, picture in enumerate(pictures):
            found = sums[at - 1] if at else spare
            found[...] = 0
            run(
                name,
                Work(pictures[max(0, at - 1)], picture, block, found, thumbnails[at], parallel),
            )

    return compare_pictures


@dataclass(frozen=True)
class SurfaceCase:
    """Pictures as a decoder leaves them on a card, and what is shown of them.

    Attributes:
        luma: ``[2, height, width]``; ``chroma``: ``[2, rows, 2 * columns]``; of uint16 the highest
            bits are the significant ones.
        bit_depth: how many of a sample are significant.
    """

    luma: NDArray[np.unsignedinteger]
    chroma: NDArray[np.unsignedinteger]
    bit_depth: int
    window: Window
    colours: Colours

    def __str__(self) -> str:
        _, height, width = self.luma.shape
        return f"surfaces of {width} x {height}, {self.bit_depth} bits, {self.window}"


def surface_cases(count: int, largest: int, seed: int = 0) -> Iterator[SurfaceCase]:
    """So many cases of surfaces whose sides have 2 to ``largest`` samples, of 8 and of 10 bits."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        height, width = (2 * int(side) for side in rng.integers(1, largest // 2, 2, endpoint=True))
        rows, columns = int(rng.integers(1, height + 1)), int(rng.integers(1, width + 1))
        size = int(rng.integers(1, min(rows, columns) + 1))
        top, left = (int(rng.integers(0, side - size + 1)) for side in (rows, columns))
        turns = [bool(number >> bit & 1) for bit in (1, 2, 3)]
        dtype = (np.uint8, np.uint16)[number % 2]
        yield SurfaceCase(
            noise((2, height, width), dtype, seed + number),
            noise((2, height // 2, width), dtype, seed + number + count),
            (8, 10)[number % 2],
            Window(rows, columns, top, left, size, *turns),
            Colours.of(list(MATRICES)[number % len(MATRICES)], number % 3 == 0),
        )


def surface_disagreement(case: SurfaceCase) -> str:
    """Where surfaces on the card give other integers than the definition; empty if nowhere.

    It runs on a card, or in Numba's simulator.
    """
    from numba import cuda

    from tempo_kernels.surface import Surface, stacked

    unused = 8 * case.luma.itemsize - case.bit_depth
    found = []
    for luma, chroma in zip(case.luma, case.chroma, strict=True):
        # Rows of a decoder's planes are padded.
        there = [cuda.to_device(np.pad(each, ((0, 0), (0, 6)))) for each in (luma, chroma)]
        width = luma.shape[1]
        one, two = (each[:, :width] for each in there)
        found.append(Surface.copied(one, two, case.bit_depth))
    luma, chroma = case.luma >> unused, case.chroma >> unused
    for at, surface in enumerate(found):
        kept = (surface.luma(), luma[at]), (surface.chroma(), chroma[at])
        if not all(np.array_equal(one, two) for one, two in kept):
            return f"the copy of picture {at} is wrong for {case}"
    right = block_differences(*luma, bit_depth=case.bit_depth, kernel="numpy")
    if (wrong := int((found[1].differences(found[0]) != right).sum())) > 0:
        return f"{wrong} of {right.size} blocks are wrong for {case}"
    shown = stacked([each.thumbnail(case.window, case.colours) for each in found]).copy_to_host()
    for at in range(2):
        wanted = rgb_thumbnail(luma[at], chroma[at], case.bit_depth, case.window, case.colours)
        if (wrong := int((shown[at] != wanted).sum())) > 0:
            return f"{wrong} of {wanted.size} colours of thumbnail {at} are wrong for {case}"
    return ""
