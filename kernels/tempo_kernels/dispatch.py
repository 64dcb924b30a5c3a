"""Which implementations can run here, and how each is handed two planes as they lie."""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tempo_kernels import native
from tempo_kernels.reference import parts, shrink, sum_absolute_differences

__all__ = ["available", "choose", "run"]

# Fills sums and a thumbnail of two planes; whether to use all cores comes last.
_Run = Callable[
    [
        NDArray[np.unsignedinteger],
        NDArray[np.unsignedinteger],
        int,
        NDArray[np.int64],
        NDArray[np.unsignedinteger],
        bool,
    ],
    None,
]

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
    "numpy": lambda: True,
}
# Those that are asked for pictures in host memory if none is named, the fastest first.
_ON_CPU = ("native", "numba-cpu", "numpy")


def available() -> dict[str, bool]:
    """Which implementations can run here, by name."""
    return {name: live() for name, live in _LIVE.items()}


@cache
def _fastest() -> str:
    return next(name for name in _ON_CPU if _LIVE[name]())


def choose(kernel: str | None) -> str:
    """The kernel of a name, or the fastest for pictures in host memory.

    Raises:
        ValueError: there is none of that name, or it can't run here.
        NativeError: its library is there but can't be used.
    """
    if kernel is None:
        return _fastest()
    if kernel in ("native", "cuda"):
        native.load(*(["tempo_kernels_cuda"] if kernel == "cuda" else []))  # says what is wrong
    if kernel not in _LIVE or not _LIVE[kernel]():
        live = sorted(name for name, there in available().items() if there)
        raise ValueError(f"kernel {kernel!r} must be one of {live}")
    return kernel


def _run_numpy(
    previous: NDArray[np.unsignedinteger],
    current: NDArray[np.unsignedinteger],
    block: int,
    sums: NDArray[np.int64],
    shrunk: NDArray[np.unsignedinteger],
    parallel: bool,
) -> None:
    sums[...] = sum_absolute_differences(previous, current, block)
    if shrunk.size:
        shrunk[...] = shrink(current, (shrunk.shape[0], shrunk.shape[1]))


def _run_native(
    previous: NDArray[np.unsignedinteger],
    current: NDArray[np.unsignedinteger],
    block: int,
    sums: NDArray[np.int64],
    shrunk: NDArray[np.unsignedinteger],
    parallel: bool,
) -> None:
    width, before, after = current.shape[1], _padded(previous), _padded(current)
    threads = _threads() if parallel else 1
    native.compare(before, after, width, block, sums, shrunk, threads)


def _run_numba(
    previous: NDArray[np.unsignedinteger],
    current: NDArray[np.unsignedinteger],
    block: int,
    sums: NDArray[np.int64],
    shrunk: NDArray[np.unsignedinteger],
    parallel: bool,
) -> None:
    from tempo_kernels import cpu

    height, width = current.shape
    count = _threads() if parallel else 1
    rows, cells = parts(height, max(1, shrunk.shape[0])), parts(width, max(1, shrunk.shape[1]))
    # A band must end where a row of the thumbnail does, or else where blocks do.
    ends = rows if shrunk.size else np.append(np.arange(0, height, block), height)
    bands = np.unique(ends[parts(len(ends) - 1, count)])
    room = len(bands) - 1
    arguments = (
        _padded(previous),
        _padded(current),
        bands,
        block,
        sums,
        np.zeros((room, sums.shape[1]), np.int64),
        rows,
        cells,
        shrunk,
        np.empty((room, 2, width), np.uint32),
        np.empty((room, shrunk.shape[1]), np.int64),
    )
    if parallel:
        with _PARALLEL:
            cpu.compare_parallel(*arguments)
    else:
        cpu.compare_serial(*arguments)


def _run_gpu(kernel: str) -> _Run:
    def run(
        previous: NDArray[np.unsignedinteger],
        current: NDArray[np.unsignedinteger],
        block: int,
        sums: NDArray[np.int64],
        shrunk: NDArray[np.unsignedinteger],
        parallel: bool,
    ) -> None:
        pair = np.stack([previous, current])
        small = np.empty((2, *shrunk.shape), shrunk.dtype)
        _on_gpu(kernel)(pair, block, sums[None], small)
        shrunk[...] = small[1]

    return run


def _on_gpu(kernel: str) -> Callable[..., None]:
    """What compares a stack of pictures."""
    if kernel == "cuda":
        return native.compare_pictures
    from tempo_kernels import gpu

    return gpu.compare_pictures


_RUN: dict[str, _Run] = {
    "numpy": _run_numpy,
    "native": _run_native,
    "numba-cpu": _run_numba,
    "cuda": _run_gpu("cuda"),
    "numba-cuda": _run_gpu("numba-cuda"),
}


def _threads() -> int:
    return os.cpu_count() or 1


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


def run(
    kernel: str,
    previous: NDArray[np.unsignedinteger],
    current: NDArray[np.unsignedinteger],
    block: int,
    sums: NDArray[np.int64],
    shrunk: NDArray[np.unsignedinteger],
    parallel: bool,
) -> None:
    """Fill ``sums``, zeros at first, and ``shrunk``, if it has any rows, with a chosen kernel."""
    _RUN[kernel](previous, current, block, sums, shrunk, parallel)
