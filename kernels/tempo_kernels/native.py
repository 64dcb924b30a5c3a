"""The kernels compiled from C++ and CUDA C++, through their C interface (``kernels/include``).

``cmake -S . -B build && cmake --build build`` makes the libraries. They are looked for in the
folder that ``TEMPO_KERNELS_PATH`` names, then beside this file, then in the repository's ``build``.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "INTERFACE",
    "NativeError",
    "compare",
    "compare_on_device",
    "compare_pictures",
    "compare_surfaces",
    "resources",
    "usable",
]

#: The interface that this module speaks; a library of another one is refused.
INTERFACE = 1

#: Pictures that one call to a GPU takes at most.
MOST_PICTURES = 256

#: The library of each compiled kernel.
LIBRARIES = {"native": "tempo_kernels", "cuda": "tempo_kernels_cuda"}

_FORM = {"win32": "{}.dll", "darwin": "lib{}.dylib"}.get(sys.platform, "lib{}.so")
_REASONS = {1: "an argument was refused", 2: "there is no memory", 3: "the device failed"}
_NO_MORE = 1  # what a library says that is asked for a kernel beyond its last
_Pointer = ctypes.c_void_p


class NativeError(RuntimeError):
    """A compiled kernel could not be loaded or did not do its work."""


class Planes(ctypes.Structure):
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


def file_name(name: str) -> str:
    """What a library's file is called on this system."""
    return _FORM.format(name)


def _folders() -> list[Path]:
    named = os.environ.get("TEMPO_KERNELS_PATH")
    here = Path(__file__).resolve()
    return [*([Path(named)] if named else []), here.parent, here.parents[2] / "build"]


@cache
def load(kernel: str = "native") -> ctypes.CDLL | None:
    """The library of a kernel, or None where it has not been built.

    Raises:
        NativeError: there is one, but it can't be loaded or is of another interface.
    """
    file = file_name(LIBRARIES[kernel])
    path = next((folder / file for folder in _folders() if (folder / file).is_file()), None)
    if path is None:
        return None
    prefix = "tk_cuda" if kernel == "cuda" else "tk"
    try:
        library = ctypes.CDLL(str(path))
        found = int(library[f"{prefix}_interface"]())
        if found == INTERFACE:
            _declare(library, kernel)
    except (OSError, AttributeError) as error:
        raise NativeError(f"{path} can't be loaded: {error}") from error
    if found != INTERFACE:
        raise NativeError(f"{path} has interface {found}, not {INTERFACE}: build it again")
    return library


def _declare(library: ctypes.CDLL, kernel: str) -> None:
    planes, integer = ctypes.POINTER(Planes), ctypes.c_int64
    if kernel == "cuda":
        for each in (library.tk_cuda_compare_surfaces, library.tk_cuda_compare_pictures):
            each.argtypes = [planes, _Pointer, integer, _Pointer, _Pointer]
        library.tk_cuda_compare.argtypes = [planes, _Pointer, integer, *[_Pointer] * 3]
        library.tk_cuda_error.restype = ctypes.c_char_p
    else:
        library.tk_compare.argtypes = [planes, *[_Pointer] * 4, ctypes.c_int]


def usable() -> bool:
    """Whether there is a library for the CPU that can be used."""
    try:
        return load() is not None
    except NativeError:
        return False


def cuda_usable() -> bool:
    """Whether there is a library for GPUs that can be used, a driver and a device."""
    try:
        library = load("cuda")
    except NativeError:
        return False
    return library is not None and int(library.tk_cuda_devices()) > 0


def _library(kernel: str) -> ctypes.CDLL:
    library = load(kernel)
    if library is None:
        raise NativeError(f"{file_name(LIBRARIES[kernel])} has not been built: cmake -S . -B build")
    return library


def _address(array: NDArray[np.generic]) -> int | None:
    return array.ctypes.data if array.size else None


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
    strides = previous.strides[0], current.strides[0]
    planes = Planes(len(current), width, *strides, current.itemsize, block, *thumbnail.shape)
    failed = _library("native").tk_compare(
        ctypes.byref(planes),
        _address(previous),
        _address(current),
        _address(sums),
        _address(thumbnail),
        threads,
    )
    if failed:
        raise NativeError(f"compiled kernel: {_REASONS.get(failed, f'error {failed}')}")


def compare_pictures(
    pictures: NDArray[np.unsignedinteger],
    block: int,
    sums: NDArray[np.int64],
    thumbnails: NDArray[np.unsignedinteger],
) -> None:
    """Compare C-contiguous pictures ``[n, height, width]`` with the ones before on a GPU.

    Fills ``sums`` ``[n - 1, down, across]`` and ``thumbnails`` ``[n, rows, columns]``, if it has
    any rows. At most :data:`MOST_PICTURES`.

    Raises:
        NativeError: there is no library, or the device failed.
    """
    count, height, width = pictures.shape
    stride, size = pictures.strides[1], thumbnails.shape[1:]
    planes = Planes(height, width, stride, stride, pictures.itemsize, block, *size)
    library = _library("cuda")
    _told(
        library,
        library.tk_cuda_compare_pictures(
            ctypes.byref(planes), _address(pictures), count, _address(sums), _address(thumbnails)
        ),
    )


def compare_surfaces(
    addresses: Sequence[int],
    shape: tuple[int, int],
    stride: int,
    sample_bytes: int,
    block: int,
    sums: NDArray[np.int64],
    thumbnails: NDArray[np.unsignedinteger],
) -> None:
    """Compare luma planes that lie in device memory, such as a decoder's surfaces.

    Args:
        addresses: where each plane begins, on the device; at most :data:`MOST_PICTURES`.
        shape: height and width of all of them, in samples; ``stride``: bytes from row to row.

    Raises:
        NativeError: there is no library, or the device failed.
    """
    planes = Planes(*shape, stride, stride, sample_bytes, block, *thumbnails.shape[1:])
    library, held = _library("cuda"), (_Pointer * len(addresses))(*addresses)
    _told(
        library,
        library.tk_cuda_compare_surfaces(
            ctypes.byref(planes), held, len(addresses), _address(sums), _address(thumbnails)
        ),
    )


def compare_on_device(
    addresses: Sequence[int],
    planes: Planes,
    sums: int,
    thumbnails: int,
) -> None:
    """Compare planes with results that stay in device memory, at the addresses given; 0 for none.

    It works in the device's default stream, and nothing is waited for.

    Raises:
        NativeError: there is no library, or the device failed.
    """
    library, held = _library("cuda"), (_Pointer * len(addresses))(*addresses)
    found = library.tk_cuda_compare(
        ctypes.byref(planes), held, len(addresses), sums or None, thumbnails or None, None
    )
    _told(library, found)


def resources() -> dict[str, tuple[int, int]]:
    """Registers and bytes of local memory a thread of each CUDA kernel takes on this device.

    Local memory is where registers spill to.

    Raises:
        NativeError: there is no library, it is too old to tell, or the device failed.
    """
    library = _library("cuda")
    if not hasattr(library, "tk_cuda_resources"):
        raise NativeError("the CUDA library is too old to tell: build it again")
    name, registers, local = ctypes.c_char_p(), ctypes.c_int(), ctypes.c_int64()
    told = (ctypes.byref(name), ctypes.byref(registers), ctypes.byref(local))
    found: dict[str, tuple[int, int]] = {}
    while (failed := int(library.tk_cuda_resources(len(found), *told))) == 0:
        found[(name.value or b"").decode()] = registers.value, local.value
    if failed != _NO_MORE:
        _told(library, failed)
    return found


def _told(library: ctypes.CDLL, failed: int) -> None:
    """Raise what a call to a GPU came back with, if it failed."""
    if failed:
        said = f": {library.tk_cuda_error().decode()}" if failed != 1 else ""
        raise NativeError(f"CUDA kernel: {_REASONS.get(failed, f'error {failed}')}{said}")
