"""What may be replaced by something that is written, and what never is: footage, and libraries.

One place decides it for every command, plugin and endpoint. It is asked by whatever writes a file
(see :mod:`tempo_edge._files`) and, before any work is done, by what a user names a file to.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from tempo_edge.errors import FootageError

__all__ = ["check_folder", "check_output", "check_overwriting"]

# Of a file, what is read to tell what it holds.
_HEAD_BYTES = 4096

# How files of films and sound begin, in order of offset: what demuxers look for.
_BEGINNINGS = (
    b"\x1a\x45\xdf\xa3",  # Matroska, WebM
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF, WMV
    b"FLV\x01",
    b"\x00\x00\x01",  # MPEG program and elementary streams, H.264
    b"\x00\x00\x00\x01",
    b"OggS",
    b".RMF",
    b"\x06\x0e\x2b\x34",  # MXF
    b"nut/multimedia container",
    b"YUV4MPEG2 ",
    b"DKIF",
    b"\x12\x00\x0a",  # AV1
    b"\x1f\x07\x00",  # DV
    b"\xb7\xd8\x00\x20\x37\x49\xda\x11",  # WTV
    b"DHAV",
    b"fLaC",
    b"ID3",
)
_RIFF_KINDS = (b"AVI ", b"AVIX", b"WAVE")
_BOXES = frozenset({b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"wide", b"pnot", b"sidx"})
_EMPTY_BOXES = frozenset({b"free", b"skip"})

# A transport stream says so every so many bytes, after a time code of four in Blu-ray's form.
_PACKETS = ((188, 0), (192, 4), (204, 0))
_SYNC = 0x47

_LIBRARY = b"SQLite format 3\0"
_APPLICATION = slice(68, 72)


def check_overwriting(path: Path) -> None:
    """Refuse to replace a file that has a video's suffix, or that holds media or a library.

    Its name is looked at as it is written and as the links in it lead.

    Raises:
        FootageError: it is one of these; the text names it.
        OSError: it can't be looked at.
    """
    if not os.path.lexists(path):
        return
    found = _what_it_is(path)
    if found:
        raise FootageError(f"{path} {found} and is not replaced: name another file")


def check_output(path: Path, library: Path | None = None) -> None:
    """Refuse to replace what :func:`check_overwriting` names, or a file that is in a library.

    Args:
        path: what a user wants written.
        library: the database; by default the default one.

    Raises:
        FootageError: it is one of these; the text names it.
        OSError: it can't be looked at.
    """
    check_overwriting(path)
    if path.is_file() and (known := _indexed_as(path, library)) is not None:
        raise FootageError(f"{path} is footage ({known}) and is not replaced: name another file")


def check_folder(path: Path) -> None:
    """Refuse to replace a folder in which footage or a library lies, however deep.

    Raises:
        FootageError: one does; the text names it.
    """
    for where, _, names in os.walk(path):
        for name in names:
            file = Path(where, name)
            if found := _what_it_is(file):
                raise FootageError(f"{path} is not replaced: {file} {found}")


def _what_it_is(path: Path) -> str:
    """What a file is that must not be lost, or nothing."""
    from tempo_edge.library.selection import VIDEO_SUFFIXES

    target = Path(os.path.realpath(path))
    if not target.is_file():
        return ""
    for name in (path, target):
        if name.suffix.lower() in VIDEO_SUFFIXES:
            return f"is named as a video ({name.suffix})"
    head = _head(target)
    if head.startswith(_LIBRARY) and head[_APPLICATION] == b"TmpE":
        return "is a library"
    return "holds media" if _is_media(head) else ""


def _head(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        return file.read(_HEAD_BYTES)


def _is_media(head: bytes) -> bool:
    """Whether a file that begins so is a film or sound."""
    if head.startswith(_BEGINNINGS):
        return True
    if head.startswith((b"RIFF", b"RF64")):
        return head[8:12] in _RIFF_KINDS
    if head[4:8] in _BOXES or (head[4:8] in _EMPTY_BOXES and head[:1] == b"\0"):
        return True
    return any(
        len(head) > 2 * size + first
        and all(head[first + size * number] == _SYNC for number in range(3))
        for size, first in _PACKETS
    )


def _indexed_as(path: Path, library: Path | None) -> str | None:
    """The name under which a library knows a file, whatever links lead to it; None without one."""
    from tempo_edge._api import default_library_path
    from tempo_edge.errors import LibraryError
    from tempo_edge.library.catalogue import Catalogue

    facts = path.stat()
    try:
        catalogue = Catalogue(library or default_library_path(), readonly=True)
    except LibraryError:
        return None  # what needs it says so
    try:
        with catalogue.snapshot():
            rows = catalogue.files().values()
    except LibraryError:
        return None
    finally:
        catalogue.close()
    name = path.name.casefold()
    for row in rows:
        # Of many thousands, only those are looked at that may be it.
        if row.size == facts.st_size or os.path.basename(row.path).casefold() == name:  # noqa: PTH119
            try:
                if os.path.samestat(os.stat(row.path), facts):  # noqa: PTH116
                    return row.path
            except OSError:
                continue
    return None
