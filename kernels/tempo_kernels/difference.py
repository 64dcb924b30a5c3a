"""The public face of the kernels: checks its arguments, picks an implementation, gives floats."""

from __future__ import annotations

import importlib.util
import threading

import numpy as np
from numpy.typing import NDArray

from tempo_kernels.reference import sum_absolute_differences

__all__ = ["available", "block_differences", "variation"]

# Numba's own thread pool must not be entered by two threads at once.
_PARALLEL = threading.Lock()

# As many rows of 16-bit differences as a 32-bit sum holds.
LARGEST_BLOCK = 32_768

# Differences below this share of full scale are sensor noise and compression, not change.
NOISE = 2.0 / 255.0

# Mean change above the noise (share of full scale) that counts as "everything changed".
FULL = 48.0 / 255.0


def available() -> dict[str, bool]:
    """Which implementations can run here, by name."""
    return {"numpy": True, "numba-cpu": importlib.util.find_spec("numba") is not None}


def block_differences(
    previous: NDArray[np.unsignedinteger],
    current: NDArray[np.unsignedinteger],
    *,
    block: int = 16,
    bit_depth: int = 8,
    parallel: bool = False,
    kernel: str | None = None,
) -> NDArray[np.float32]:
    """Mean absolute luma difference of each block, as a share of full scale.

    Args:
        previous: luma plane ``[height, width]``, uint8 or uint16; rows may be padded, so a
            decoder's plane is taken as it lies, without a copy.
        current: luma plane of the same shape and dtype.
        block: edge of the square blocks in pixels, at most 32,768.
        bit_depth: significant bits of a sample; full scale is ``2 ** bit_depth - 1``.
        parallel: use every core for this pair. Leave it off where the caller already works on
            several videos or groups of pictures at a time.
        kernel: ``"numba-cpu"`` or ``"numpy"``; by default the fastest that is installed. The
            choice never changes the result.

    Returns:
        ``[ceil(height / block), ceil(width / block)]`` float32 in [0, 1].

    Raises:
        ValueError: an argument has a wrong dtype, shape, stride or value.
    """
    _check(previous, current, block, bit_depth)
    height, width = current.shape
    grid = (-(-height // block), -(-width // block))
    live = available()
    chosen = kernel or ("numba-cpu" if live["numba-cpu"] else "numpy")
    if not live.get(chosen, False):
        raise ValueError(f"kernel {chosen!r} must be one of {sorted(k for k in live if live[k])}")
    if chosen == "numpy":
        sums = sum_absolute_differences(previous, current, block)
    else:
        sums = np.zeros(grid, dtype=np.int64)
        _run_compiled(previous, current, block, sums, parallel)
    full = _pixels_per_block(height, width, block) * (2**bit_depth - 1)
    return np.asarray(sums / full, dtype=np.float32)


def variation(differences: NDArray[np.float32]) -> float:
    """One figure for how much of a picture changed: 0 for a still, 1 for a whole new picture.

    ``v = min(1, mean_b(max(0, d_b - noise)) / full)``, our own formula, with the noise floor taken
    off each block so that grain and compression add up to nothing.
    """
    return float(min(1.0, np.maximum(differences - NOISE, 0.0).mean() / FULL))


def _pixels_per_block(height: int, width: int, block: int) -> NDArray[np.int64]:
    rows = np.minimum(block, height - np.arange(0, height, block))
    columns = np.minimum(block, width - np.arange(0, width, block))
    return np.multiply.outer(rows, columns)


def _run_compiled(
    previous: NDArray[np.unsignedinteger],
    current: NDArray[np.unsignedinteger],
    block: int,
    sums: NDArray[np.int64],
    parallel: bool,
) -> None:
    from tempo_kernels import cpu

    before, after = _padded(previous), _padded(current)
    if parallel:
        with _PARALLEL:
            cpu.sad_parallel(before, after, current.shape[1], block, sums)
    else:
        cpu.sad_serial(before, after, current.shape[1], block, sums)


def _padded(plane: NDArray[np.unsignedinteger]) -> NDArray[np.unsignedinteger]:
    """The plane with its row padding made visible, C-contiguous; no sample of it is read.

    Always read-only: Numba compiles once more for a writable array.
    """
    rows, columns = plane.strides
    view: NDArray[np.unsignedinteger]
    if columns != plane.itemsize or rows % plane.itemsize or rows < plane.shape[1] * columns:
        view = np.ascontiguousarray(plane).view()
    elif plane.flags.c_contiguous:
        view = plane.view()
    else:
        shape = (plane.shape[0], rows // plane.itemsize)
        view = np.lib.stride_tricks.as_strided(plane, shape, plane.strides, writeable=False)
    view.flags.writeable = False
    return view


def _check(
    previous: NDArray[np.unsignedinteger],
    current: NDArray[np.unsignedinteger],
    block: int,
    bit_depth: int,
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
