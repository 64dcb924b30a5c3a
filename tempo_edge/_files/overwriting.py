"""What may be replaced by something that is written, and what never is.

Never are films, pictures and sound, what is indexed, what lies beside a film and tells of it, and
libraries: "footage" in short.

One place decides it for every command, plugin and endpoint. It is asked by whatever writes a file
(see :mod:`tempo_edge._files`) and, before any work is done, by what a user names a file to
(see :mod:`tempo_edge.store.outputs`).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from tempo_edge._files.beside import films_of
from tempo_edge._files.opening import open_carefully
from tempo_edge._files.signatures import HEAD_BYTES, RECORDED_SUFFIXES, VIDEO_SUFFIXES, is_media
from tempo_edge.errors import FootageError

__all__ = ["check_folder", "check_overwriting"]

_LIBRARY = b"SQLite format 3\0"
_APPLICATION = slice(68, 72)


def check_overwriting(path: Path) -> None:
    """Refuse to replace a film, a picture, sound (by name or by content), or a library, and
    subtitles and facts that lie beside a film of their name.

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


def check_folder(path: Path) -> None:
    """Refuse to replace a folder in which footage or a library lies, however deep.

    Raises:
        FootageError: one does; the text names it.
    """
    for where, _, names in os.walk(path):
        for name in names:
            file = Path(where, name)
            if found := _what_it_is(file):
                raise FootageError(
                    f"{path} is not replaced: {file} {found}; move that elsewhere, or name "
                    "another folder"
                )


def _what_it_is(path: Path) -> str:
    """What a file is that must not be lost, or nothing."""
    target = Path(os.path.realpath(path))
    if not target.is_file():
        return ""
    for name in (path, target):
        if kind := _kind_by_name(name):
            return f"is named as {kind} ({name.suffix})"
    head = _head(target)
    if head.startswith(_LIBRARY) and head[_APPLICATION] == b"TmpE":
        return "is a library"
    if is_media(head):
        return "holds media"
    film = _film_beside(target)
    return f"lies beside {film} and tells of it" if film else ""


def _film_beside(path: Path) -> str:
    """The name of a film whose words or facts a file may hold, by its own; else nothing."""
    for film in films_of(path.name, os.listdir(path.parent)):  # noqa: PTH208 - names alone
        if path.suffix.lower() != ".json" or path.stem.casefold() != Path(film).stem.casefold():
            return film  # an export may be named as a film is
    return ""


def _kind_by_name(path: Path) -> str:
    """What a file's name says that it is, or nothing."""
    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return "a video"
    return next((kind for kind, those in RECORDED_SUFFIXES.items() if suffix in those), "")


def _head(path: Path) -> bytes:
    descriptor = open_carefully(path)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        return file.read(HEAD_BYTES)
