"""Which implementations can run here, and how each is handed two planes as they lie."""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tempo_kernels import lanes, native
from tempo_kernels.reference import parts, shrink, sum_absolute_differences

__all__ = ["Work", "available", "choose", "load_fastest", "run"]


@dataclass(frozen=True)
class Work:
    """Two planes of one shape and dtype, and what a kernel is to fill.

    Attributes:
        sums: int64 zeros, one for each block.
        shrunk: room for the thumbnail, of the planes' dtype; none is made if it has no rows.
        parallel: whether to use all cores.
    """

    previous: NDArray[np.unsignedinteger]
    current: NDArray[np.unsignedinteger]
    block: int
    sums: NDArray[np.int64]
    shrunk: NDArray[np.unsignedinteger]
    parallel: bool

    @property
    def threads(self) -> int:
        """How many cores may work."""
        return (os.cpu_count() or 1) if self.parallel else 1


# Numba's own thread pool must not be entered by two threads at once.
_PARALLEL = threading.Lock()


def _numba() -> bool:
    return importlib.util.find_spec("numba") is not None


def _numba_cuda() -> bool:
    if not _numba():
        return False
    from tempo_kernels import gpu

    return gpu.usable()


_LIVE: dict[str, Callable[[], bool]] = {
    "cuda": native.cuda_usable,
    "numba-cuda": _numba_cuda,
    "native": native.usable,
    "numba-cpu": _numba,
    "lanes": lambda: True,
    "numpy": lambda: True,
}
# Those that are asked for pictures in host memory if none is named, the fastest first.
_ON_CPU = ("native", "numba-cpu", "lanes")

# A library that is built is loaded at once, and Numba takes half a second or, where it has yet to
# compile, a few: until so many samples were compared it would save less than that.
_SLOW_TO_LOAD = "numba-cpu"
_WORTH_LOADING = 1_000_000_000


def available() -> dict[str, bool]:
    """Which implementations can run here, by name."""
    return {name: live() for name, live in _LIVE.items()}


@cache
def _fastest() -> str:
    return next(name for name in _ON_CPU if _LIVE[name]())


class _Loading:
    """The loading of the fastest kernel, beside the work, once that is worth it."""

    def __init__(self) -> None:
        self.done = False
        self._compared = 0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def count(self, samples: int) -> None:
        """Note that planes of so many samples are compared."""
        self._compared += samples  # two threads at once may lose one: it is no more than a guess
        if self._compared >= _WORTH_LOADING and self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._try, daemon=True)
                    self._thread.start()

    def load(self) -> None:
        """Load it, and have it compiled for the pictures that there are."""
        for dtype in (np.uint8, np.uint16):
            plane = np.zeros((64, 64), dtype)
            sums = np.zeros((4, 4), np.int64)
            run(_SLOW_TO_LOAD, Work(plane, plane, 16, sums, np.empty((0, 0), dtype), False))
        self.done = True

    def _try(self) -> None:
        with suppress(Exception):  # whatever a compiler may say: there is a kernel without one
            self.load()


_loading = _Loading()


def load_fastest() -> None:
    """Load the fastest kernel now; without this it is loaded once there is enough to do for it."""
    if _fastest() == _SLOW_TO_LOAD:
        _loading.load()


def choose(kernel: str | None, samples: int = 0) -> str:
    """The kernel of a name, or the fastest that is loaded for pictures in host memory.

    Args:
        kernel: its name; None for the fastest.
        samples: in each of the planes that it is to compare.

    Raises:
        ValueError: there is none of that name, or it can't run here.
        NativeError: its library is there but can't be used.
    """
    if kernel is None:
        if _fastest() != _SLOW_TO_LOAD or _loading.done:
            return _fastest()
        _loading.count(samples)
        return "lanes"
    if kernel in native.LIBRARIES:
        native.load(kernel)  # says what is wrong
    if kernel not in _LIVE or not _LIVE[kernel]():
        live = sorted(name for name, there in available().items() if there)
        raise ValueError(f"kernel {kernel!r} must be one of {live}")
    return kernel


def _numpy_run(work: Work) -> None:
    work.sums[...] = sum_absolute_differences(work.previous, work.current, work.block)
    if work.shrunk.size:
        work.shrunk[...] = shrink(work.current, (work.shrunk.shape[0], work.shrunk.shape[1]))


def _lanes_run(work: Work) -> None:
    if work.block != lanes.BLOCK:
        _numpy_run(work)
        return
    work.sums[...] = lanes.sum_absolute_differences(work.previous, work.current)
    if work.shrunk.size:
        work.shrunk[...] = shrink(work.current, (work.shrunk.shape[0], work.shrunk.shape[1]))


def _native_run(work: Work) -> None:
    before, after = _padded(work.previous), _padded(work.current)
    width = work.current.shape[1]
    native.compare(before, after, width, work.block, work.sums, work.shrunk, work.threads)


def _numba_run(work: Work) -> None:
    from tempo_kernels import cpu

    (height, width), shrunk, sums = work.current.shape, work.shrunk, work.sums
    before, after = _padded(work.previous), _padded(work.current)
    rows, cells = parts(height, max(1, shrunk.shape[0])), parts(width, max(1, shrunk.shape[1]))
    # A band must end where a row of the thumbnail does, or else where blocks do.
    ends = rows if shrunk.size else np.append(np.arange(0, height, work.block), height)
    bands = np.unique(ends[parts(len(ends) - 1, work.threads)])
    room = len(bands) - 1
    carried = np.zeros((room, sums.shape[1]), np.int64)
    columns = np.empty((room, 2, width), np.uint32)
    lines = np.empty((room, shrunk.shape[1]), np.int64)
    fits = cpu.has_bytewise(work.current.itemsize, work.block)
    to = sums, carried, rows, cells, shrunk, columns, lines, fits
    if work.parallel:
        with _PARALLEL:
            cpu.compare_parallel(before, after, bands, work.block, *to)
    else:
        one = sums, carried[0], rows, cells, shrunk, columns[0], lines[0], fits
        cpu.compare_band(before, after, 0, height, work.block, *one)


def _cuda_run(work: Work) -> None:
    _on_gpu(native.compare_pictures, work)


def _numba_cuda_run(work: Work) -> None:
    from tempo_kernels import gpu

    _on_gpu(gpu.compare_pictures, work)


def _on_gpu(compare_pictures: Callable[..., None], work: Work) -> None:
    """Hand a pair to what compares a stack of pictures."""
    pair = np.stack([work.previous, work.current])
    small = np.empty((2, *work.shrunk.shape), work.shrunk.dtype)
    compare_pictures(pair, work.block, work.sums[None], small)
    work.shrunk[...] = small[1]


_RUN: dict[str, Callable[[Work], None]] = {
    "numpy": _numpy_run,
    "lanes": _lanes_run,
    "native": _native_run,
    "numba-cpu": _numba_run,
    "cuda": _cuda_run,
    "numba-cuda": _numba_cuda_run,
}


def _padded(plane: NDArray[np.unsignedinteger]) -> NDArray[np.unsignedinteger]:
    """The plane with its row padding made visible, C-contiguous; no sample of it is read.

    Always read-only: Numba compiles once more for a writable array.
    """
    rows, columns = plane.strides
    view: NDArray[np.unsignedinteger]
    if (
        not plane.flags.aligned
        or columns != plane.itemsize
        or rows % plane.itemsize
        or rows < plane.shape[1] * columns
    ):
        view = np.ascontiguousarray(plane).view()
    elif plane.flags.c_contiguous:
        view = plane.view()
    else:
        shape = (plane.shape[0], rows // plane.itemsize)
        view = np.lib.stride_tricks.as_strided(plane, shape, plane.strides, writeable=False)
    view.flags.writeable = False
    return view


def run(kernel: str, work: Work) -> None:
    """Have a chosen kernel do the work."""
    _RUN[kernel](work)
