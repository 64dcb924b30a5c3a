"""The kernels compiled from C++, through their C interface (``kernels/include``).

``cmake -S . -B build && cmake --build build`` makes the library. It is looked for in the folder
that ``TEMPO_KERNELS_PATH`` names, then beside this file, then in the repository's ``build``.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["INTERFACE", "NativeError", "compare", "load", "usable"]

#: The interface that this module speaks; a library of another one is refused.
INTERFACE = 1

_NAME = {"win32": "tempo_kernels.dll", "darwin": "libtempo_kernels.dylib"}.get(
    sys.platform, "libtempo_kernels.so"
)
_REASONS = {1: "an argument was refused", 2: "there is no memory", 3: "the device failed"}


class NativeError(RuntimeError):
    """A compiled kernel could not be loaded or did not do its work."""


class _Planes(ctypes.Structure):
    """``tk_planes``."""

    _fields_ = [
        (name, ctypes.c_int64)
        for name in (
            "height",
            "width",
            "previous_stride",
            "current_stride",
            "sample_bytes",
            "block",
            "thumbnail_height",
            "thumbnail_width",
        )
    ]


def _folders() -> list[Path]:
    named = os.environ.get("TEMPO_KERNELS_PATH")
    here = Path(__file__).resolve()
    return [*([Path(named)] if named else []), here.parent, here.parents[2] / "build"]


@cache
def load() -> ctypes.CDLL | None:
    """The library, or None where it has not been built.

    Raises:
        NativeError: there is one, but it can't be loaded or is of another interface.
    """
    path = next((folder / _NAME for folder in _folders() if (folder / _NAME).is_file()), None)
    if path is None:
        return None
    try:
        library = ctypes.CDLL(str(path))
        found = int(library.tk_interface())
    except (OSError, AttributeError) as error:
        raise NativeError(f"{path} can't be loaded: {error}") from error
    if found != INTERFACE:
        raise NativeError(f"{path} has interface {found}, not {INTERFACE}: build it again")
    library.tk_compare.argtypes = [
        ctypes.POINTER(_Planes),
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_int,
    ]
    return library


def usable() -> bool:
    """Whether there is a library that can be used."""
    try:
        return load() is not None
    except NativeError:
        return False


def compare(
    previous: NDArray[np.unsignedinteger],
    current: NDArray[np.unsignedinteger],
    width: int,
    block: int,
    sums: NDArray[np.int64],
    thumbnail: NDArray[np.unsignedinteger],
    threads: int,
) -> None:
    """Fill ``sums`` and, if it has any rows, ``thumbnail``.

    Planes are C-contiguous ``[height, stride]``, of which ``width`` samples of each row count.

    Raises:
        NativeError: there is no library, or it failed.
    """
    library = load()
    if library is None:
        raise NativeError(f"{_NAME} has not been built: cmake -S . -B build")
    strides = previous.strides[0], current.strides[0]
    planes = _Planes(len(current), width, *strides, current.itemsize, block, *thumbnail.shape)
    failed = library.tk_compare(
        ctypes.byref(planes),
        previous.ctypes.data,
        current.ctypes.data,
        sums.ctypes.data,
        thumbnail.ctypes.data if thumbnail.size else None,
        threads,
    )
    if failed:
        raise NativeError(f"compiled kernel: {_REASONS.get(failed, f'error {failed}')}")
