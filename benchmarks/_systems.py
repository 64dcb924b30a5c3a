"""Rivals of the kernels: each a function that compares two luma planes."""

from __future__ import annotations

import importlib.util

from tempo_edge.proof.bandwidth import BLOCK, THUMBNAIL, Plane, System, ours

__all__ = ["systems"]


def systems(bit_depth: int, thumbnail: bool) -> list[System]:
    """Every implementation that can run here on planes in host memory, and OpenCV's if it can."""
    found = ours(bit_depth, thumbnail)
    if importlib.util.find_spec("cv2") is not None:
        found += _opencv(THUMBNAIL if thumbnail else None)
    return found


def _opencv(size: tuple[int, int] | None) -> list[System]:
    """``absdiff`` writes a plane of differences, which its blocks are then made of."""
    import cv2

    cv2.setNumThreads(1)  # pairs are what is shared out
    cv2.ocl.setUseOpenCL(False)

    def whole(one: Plane, two: Plane) -> object:
        height, width = one.shape
        blocks = -(-width // BLOCK), -(-height // BLOCK)
        means = cv2.resize(cv2.absdiff(one, two), blocks, interpolation=cv2.INTER_AREA)
        small = None if size is None else cv2.resize(two, size[::-1], interpolation=cv2.INTER_AREA)
        return means, small

    rows = [System("OpenCV, absdiff and resize", whole, 3)]
    return rows if size else [System("OpenCV, absdiff alone", cv2.absdiff, 3, operations=3), *rows]
