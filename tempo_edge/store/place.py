"""The place of a library: a file that is one, is empty, or is not there yet."""

from __future__ import annotations

import os
from pathlib import Path

from tempo_edge._overwriting import check_overwriting
from tempo_edge.errors import LibraryError

__all__ = ["check_file", "default_library_path"]

# Every database begins with as many bytes of header.
_LEAST_BYTES = 100


def default_library_path() -> Path:
    """Where the library is kept when none is named: ``$TEMPO_EDGE_LIBRARY`` or the user's data."""
    named = os.environ.get("TEMPO_EDGE_LIBRARY")
    if named:
        return Path(named).expanduser()
    from platformdirs import user_data_path

    return user_data_path("tempo-edge") / "library.db"


def check_file(path: Path, *, readonly: bool) -> None:
    """Refuse what is no library before SQLite sees it, which takes a file of one byte for an empty
    one, and waits for a pipe.

    The file is not opened: to close it would give up the locks of this process's connections to it,
    and another process would take itself for the last and remove the log that is written to. What
    is long enough to be a database is read by SQLite alone.

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
        size = path.stat().st_size
    except OSError:
        return  # SQLite says what is wrong
    if 0 < size < _LEAST_BYTES:
        raise LibraryError(
            f"{path} can't be used as a library (file is not a database): choose another --library"
        )
    if not (size or readonly):
        check_overwriting(path)
