"""Shared libraries: which others one needs, and whether those can be loaded here.

An execution provider whose libraries are absent says so on standard error from deep within ONNX
Runtime, and only once a model is opened with it. Looking first is quieter, and names what is
missing.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import IO

__all__ = ["load", "missing", "needed"]

# From the ELF specification (System V ABI, chapters 4 and 5), for 64-bit little-endian files.
_ELF = b"\x7fELF\x02\x01"
_LOADED, _DYNAMIC = 1, 2
_END, _NEEDED, _STRINGS = 0, 1, 5

# A part of a file: kind, place in the file, address once loaded, bytes in the file.
_Part = tuple[int, int, int, int]


def needed(library: Path) -> list[str]:
    """Names of the shared libraries that one is linked against; none if it isn't 64-bit ELF.

    Raises:
        OSError: it can't be read, or is cut short.
    """
    try:
        with library.open("rb") as file:
            parts = _parts(file)
            entries = [entry for part in parts for entry in _dynamic(file, part)]
            strings = next((value for tag, value in entries if tag == _STRINGS), 0)
            return [_text(file, parts, strings + at) for tag, at in entries if tag == _NEEDED]
    except struct.error as error:
        raise OSError(f"{library} is cut short: {error}") from error


def _parts(file: IO[bytes]) -> list[_Part]:
    head = file.read(64)
    if head[: len(_ELF)] != _ELF:
        return []
    (place,) = struct.unpack_from("<Q", head, 32)
    size, count = struct.unpack_from("<HH", head, 54)
    file.seek(place)
    table = file.read(size * count)
    rows = [struct.unpack_from("<IIQQQQ", table, size * i) for i in range(count)]
    return [(kind, start, address, length) for kind, _, start, address, _, length in rows]


def _dynamic(file: IO[bytes], part: _Part) -> list[tuple[int, int]]:
    """Tags and values of the part that says what to link."""
    kind, start, _, length = part
    if kind != _DYNAMIC:
        return []
    file.seek(start)
    entries = list(struct.iter_unpack("<qQ", file.read(length)))
    end = next((i for i, (tag, _) in enumerate(entries) if tag == _END), len(entries))
    return [(tag, value) for tag, value in entries[:end]]


def _text(file: IO[bytes], parts: list[_Part], address: int) -> str:
    """The text at an address that a loaded part of the file holds."""
    for kind, start, base, length in parts:
        if kind == _LOADED and base <= address < base + length:
            file.seek(start + address - base)
            return file.read(256).partition(b"\0")[0].decode("ascii", "replace")
    return ""


def load(name: str, places: Iterable[Path]) -> ctypes.CDLL:
    """A library where the system finds it, or else in one of these folders.

    Once it is loaded, whatever is linked against that name finds it too.

    Raises:
        OSError: it is in none of them, or can't be loaded from there.
    """
    try:
        return ctypes.CDLL(name)
    except OSError:
        for place in places:
            if (place / name).is_file():
                return ctypes.CDLL(str(place / name))
        raise


def missing(library: Path, places: Iterable[Path]) -> str:
    """The first library that one is linked against and that can't be loaded; empty if all can.

    Raises:
        OSError: ``library`` can't be read.
    """
    places = list(places)
    for name in needed(library):
        try:
            load(name, places)
        except OSError:
            return name
    return ""
