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
from tempo_kernels.dispatch import Work, run
from tempo_kernels.reference import shrink, sum_absolute_differences

__all__ = ["BLOCKS", "Case", "ComparePictures", "cases", "disagreement", "kernel", "noise"]

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
