"""The change from one frame to another: as a whole, by blocks, and by the cells of its tokens."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tempo_edge.media import Frame
from tempo_edge.media.surface_frame import SurfaceFrame

__all__ = ["cell_means", "frame_change"]


def frame_change(before: Frame, after: Frame) -> tuple[float, NDArray[np.float32]]:
    """(variation, change of each block) from one frame to another; 1 if they differ in kind."""
    from tempo_kernels import block_differences, variation

    if isinstance(before, SurfaceFrame) and isinstance(after, SurfaceFrame):
        there = after.differences(before)
        return (1.0, np.ones((1, 1), np.float32)) if there is None else (variation(there), there)
    one, two = before.luma(), after.luma()
    if one.shape != two.shape or one.dtype != two.dtype:
        return 1.0, np.ones((1, 1), np.float32)
    change = block_differences(one, two, bit_depth=after.bit_depth)
    return variation(change), change


def cell_means(change: NDArray[np.float32], grid: int) -> NDArray[np.float32]:
    """Mean change of each cell of a ``grid`` x ``grid`` raster over the picture."""
    height, width = change.shape
    # Repeating first lets a picture of fewer blocks than cells fill them all.
    tall = np.repeat(change, -(-grid // height), axis=0)
    wide = np.repeat(tall, -(-grid // width), axis=1)
    rows = np.linspace(0, wide.shape[0], grid + 1).astype(int)
    columns = np.linspace(0, wide.shape[1], grid + 1).astype(int)
    sums = np.add.reduceat(np.add.reduceat(wide, rows[:-1], axis=0), columns[:-1], axis=1)
    areas = np.multiply.outer(np.diff(rows), np.diff(columns))
    return np.asarray(sums / areas, dtype=np.float32)
