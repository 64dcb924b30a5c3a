"""The public face of the kernels: checks its arguments, has integers made, gives floats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tempo_kernels.dispatch import Work, choose, run

__all__ = ["Comparison", "block_differences", "compare", "shares_of", "variation"]

# As many rows of 16-bit differences as a 32-bit sum holds.
LARGEST_BLOCK = 32_768

# Differences below this share of full scale are sensor noise and compression, not change.
NOISE = 2.0 / 255.0

# Mean change above the noise (share of full scale) that counts as "everything changed".
FULL = 48.0 / 255.0


@dataclass(frozen=True)
class Comparison:
    """What one pass over two pictures gives.

    Attributes:
        differences: mean absolute difference of each block as a share of full scale, float32
            ``[ceil(height / block), ceil(width / block)]`` in [0, 1].
        thumbnail: the later picture, shrunk by area; of the planes' dtype. None if not asked for.
    """

    differences: NDArray[np.float32]
    thumbnail: NDArray[np.unsignedinteger] | None

    @property
    def variation(self) -> float:
        """See :func:`variation`."""
        return variation(self.differences)


def compare(
    previous: NDArray[np.unsignedinteger],
    current: NDArray[np.unsignedinteger],
    *,
    block: int = 16,
    bit_depth: int = 8,
    thumbnail: tuple[int, int] | None = None,
    parallel: bool = False,
    kernel: str | None = None,
) -> Comparison:
    """Compare two luma planes block by block, and shrink the later one, in one pass.

    Args:
        previous: luma plane ``[height, width]``, uint8 or uint16; rows may be padded, so a
            decoder's plane is taken as it lies, without a copy.
        current: luma plane of the same shape and dtype.
        block: edge of the square blocks in pixels, at most 32,768.
        bit_depth: significant bits of a sample; full scale is ``2 ** bit_depth - 1``.
        thumbnail: rows and columns of the later picture, shrunk to the mean of what each cell
            covers; a side that the plane does not have is cut to it. None for none.
        parallel: use every core for this pair. Leave it off where the caller already works on
            several videos or groups of pictures at a time.
        kernel: one of :func:`available`; by default the fastest that is loaded. The choice never
            changes the result.

    Raises:
        ValueError: an argument has a wrong dtype, shape, stride or value.
    """
    _check(previous, current, block, bit_depth, thumbnail)
    height, width = current.shape
    chosen = choose(kernel, current.size)
    size = (0, 0) if thumbnail is None else (min(thumbnail[0], height), min(thumbnail[1], width))
    sums = np.zeros((-(-height // block), -(-width // block)), np.int64)
    small = np.empty(size, current.dtype)
    run(chosen, Work(previous, current, block, sums, small, parallel))
    shares = shares_of(sums, (height, width), block, bit_depth)
    return Comparison(shares, None if thumbnail is None else small)


def block_differences(
    previous: NDArray[np.unsignedinteger],
    current: NDArray[np.unsignedinteger],
    *,
    block: int = 16,
    bit_depth: int = 8,
    parallel: bool = False,
    kernel: str | None = None,
) -> NDArray[np.float32]:
    """The differences of :func:`compare` alone."""
    found = compare(
        previous, current, block=block, bit_depth=bit_depth, parallel=parallel, kernel=kernel
    )
    return found.differences


def variation(differences: NDArray[np.float32]) -> float:
    """One figure for how much of a picture changed: 0 for a still, 1 for a whole new picture.

    ``v = min(1, mean_b(max(0, d_b - noise)) / full)``, our own formula, with the noise floor taken
    off each block so that grain and compression add up to nothing.
    """
    return float(min(1.0, np.maximum(differences - NOISE, 0.0).mean() / FULL))


def shares_of(
    sums: NDArray[np.int64], shape: tuple[int, int], block: int, bit_depth: int
) -> NDArray[np.float32]:
    """The mean difference of each block, as a share of full scale, of what its samples add up to.

    Args:
        sums: ``[ceil(height / block), ceil(width / block)]``; ``shape``: the plane's.
    """
    height, width = shape
    rows = np.minimum(block, height - np.arange(0, height, block))
    columns = np.minimum(block, width - np.arange(0, width, block))
    full = np.multiply.outer(rows, columns) * (2**bit_depth - 1)
    return np.asarray(sums / full, dtype=np.float32)


def _check(
    previous: NDArray[np.unsignedinteger],
    current: NDArray[np.unsignedinteger],
    block: int,
    bit_depth: int,
    thumbnail: tuple[int, int] | None,
) -> None:
    for name, plane in (("previous", previous), ("current", current)):
        if plane.dtype not in (np.uint8, np.uint16):
            raise ValueError(f"{name} has dtype {plane.dtype}, allowed are uint8 and uint16")
        if plane.ndim != 2 or 0 in plane.shape:
            raise ValueError(f"{name} has shape {plane.shape}, allowed is [height, width] > 0")
    if previous.shape != current.shape or previous.dtype != current.dtype:
        raise ValueError(
            f"previous is {previous.dtype}{previous.shape}, "
            f"current is {current.dtype}{current.shape}: they must agree"
        )
    if not 1 <= block <= LARGEST_BLOCK:
        raise ValueError(f"block {block} must be within [1, {LARGEST_BLOCK}]")
    if not 1 <= bit_depth <= 8 * current.itemsize:
        raise ValueError(f"bit_depth {bit_depth} must be within [1, {8 * current.itemsize}]")
    if thumbnail is not None and min(thumbnail) < 1:
        raise ValueError(f"thumbnail {thumbnail} must have at least one row and one column")
