"""The place of a library: a file that is one, is empty, or is not there yet."""

from __future__ import annotations

from pathlib import Path

from tempo_edge._overwriting import check_overwriting
from tempo_edge.errors import LibraryError

__all__ = ["check_file"]

_HEADER = b"SQLite format 3\0"


def check_file(path: Path, *, readonly: bool) -> None:
    """Refuse what is no library before SQLite sees it, which takes a file of one byte for an empty
    one, and waits for a pipe.

    Raises:
        FootageError: an empty file that is to become a library has the name of footage.
        LibraryError: a folder, a pipe or a device is there, or a file of something else.
    """
    if not path.exists():
        return
    if path.is_dir():
        raise LibraryError(f"{path} is a folder: a library is a file, {path / 'library.db'} say")
    if not path.is_file():
        raise LibraryError(f"{path} is no file: choose another --library")
    try:
        with path.open("rb") as file:
            head = file.read(len(_HEADER))
    except OSError:
        return  # SQLite says what is wrong
    if head and head != _HEADER:
        raise LibraryError(
            f"{path} can't be used as a library (file is not a database): choose another --library"
        )
    if not (head or readonly):
        check_overwriting(path)
