"""Films of few frames, to be put into a library; and a second process that uses the same one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tempo_edge.quantization import dequantize, quantize
from tempo_edge.store.interface import Catalogue, WritableCatalogue
from tempo_edge.store.rows import FileRow, FrameRow, VideoRow

__all__ = ["ALL", "CURVE", "DIM", "VIDEO", "another_process", "frame", "known", "put", "put_near"]

DIM = 8
VIDEO = VideoRow("h264", 64, 48, 10.0, Fraction(25), Fraction(1, 1000), Fraction(0))
CURVE = np.zeros((0, 2), np.float32)

#: All the ticks that there are.
ALL = (-(2**63), 2**63 - 1)


def frame(pts: int, vector: NDArray[np.int8] | None = None, variation: float = 0.5) -> FrameRow:
    """A frame without tokens."""
    nothing = np.zeros(0, np.uint8), np.zeros((0, DIM), np.int8)
    shown = np.full(DIM, 1, np.int8) if vector is None else vector
    return FrameRow(pts, variation, False, shown, *nothing)


def put(
    catalogue: WritableCatalogue,
    name: str,
    frames: int | Sequence[FrameRow] = 1,
    path: str | None = None,
    remark: str = "",
) -> int:
    """Index a film, in one transaction; gives the video's id."""
    rows = [frame(pts) for pts in range(frames)] if isinstance(frames, int) else frames
    with catalogue.transaction():
        video = catalogue.put_video(name.encode(), VIDEO, rows, CURVE, remark)
        catalogue.put_file(FileRow(path or f"/{name}", "", 1, 1, "indexed", remark, video))
    return video


def put_near(
    catalogue: WritableCatalogue, name: str, centre: NDArray[np.float32], frames: int, seed: int
) -> int:
    """Index a film whose frames look all much like one vector."""
    drawn = np.random.default_rng(seed).standard_normal((frames, DIM))
    packed = quantize(centre + 0.3 * drawn)
    return put(catalogue, name, [frame(pts, vector) for pts, vector in enumerate(packed)])


def known(catalogue: Catalogue) -> dict[int, NDArray[np.float32]]:
    """The unit vectors of a library by their frames' ids, read without any search."""
    vectors: dict[int, NDArray[np.float32]] = {}
    by_time = {}
    for video, _ in catalogue.videos():
        pts, _, packed = catalogue.frames_between(video, *ALL)
        for tick, vector in zip(pts.tolist(), dequantize(packed), strict=True):
            by_time[video, tick] = vector
    # Ids begin at one and rise; a library of a test has few.
    for number, video, tick in catalogue.frame_keys(range(1, 20_000)):
        vectors[number] = by_time[video, tick]
    assert len(vectors) == len(by_time)
    return vectors


_FIRST = """
import os, signal, sys
from films import *
from tempo_edge.store.opening import open_store
store = open_store(sys.argv[1])
"""


@contextmanager
def another_process(library: str, program: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has the store of a library, and runs a program over it.

    It has ``store`` and everything of this module; it is killed where it is left running.
    """
    line = [sys.executable, "-c", _FIRST + program, library]
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    run = subprocess.Popen(
        line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    with run:
        try:
            yield run
        finally:
            run.kill()
