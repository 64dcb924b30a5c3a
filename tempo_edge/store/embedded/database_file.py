"""The file that a library is, and what lies beside it: looked at, made and tidied up."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from threading import Lock

from tempo_edge._files.file_system import is_readonly
from tempo_edge._files.opening import FOR_MAKING, open_carefully
from tempo_edge._files.overwriting import check_overwriting
from tempo_edge.errors import LibraryError

__all__ = [
    "UNREADABLE",
    "Identity",
    "beside",
    "check_file",
    "has_log",
    "identity_of",
    "make_file",
    "on_readonly_disk",
    "tidy",
]

# Every database begins with as many bytes of header.
_LEAST_BYTES = 100

# Of two threads that tidy up at once neither would be the last.
_TIDYING = Lock()

#: What a damaged file does to whoever reads it: its own words are no text.
UNREADABLE = (sqlite3.Error, UnicodeDecodeError)

#: Device, inode, size and time of change.
Identity = tuple[int, int, int, int]


def beside(library: Path, suffix: str) -> Path:
    """A file or folder that belongs to a library: ``films.db`` has ``films.lock``.

    Links are resolved first: whatever name a library goes by, there is one lock.
    """
    real = Path(os.path.realpath(library))
    # Only a suffix that is known to be the library's own may be replaced: "films.lock" may be one.
    return real.with_suffix(suffix) if real.suffix == ".db" else real.with_name(real.name + suffix)


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


def identity_of(path: Path) -> Identity | None:
    """Facts that change when a file is replaced, cut short or written; None if there is none."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)


def make_file(path: Path) -> None:
    """Make a file that only its user may read, if it isn't there; SQLite's own have its mode."""
    with suppress(OSError):  # SQLite says what is wrong
        os.close(open_carefully(path, FOR_MAKING, 0o600, waiting=True))


def has_log(path: Path) -> bool:
    """Whether a write-ahead log lies beside a database."""
    real = Path(os.path.realpath(path))
    return real.with_name(f"{real.name}-wal").exists()


def tidy(path: Path) -> None:
    """Put the write-ahead log into the database and remove it, if nobody else has it open.

    A connection that reads can't do so, and leaves a log of its own, which is empty.
    """
    real = Path(os.path.realpath(path))
    if not (real.exists() and has_log(real)):
        return
    with suppress(*UNREADABLE), _TIDYING:
        last = sqlite3.connect(f"{real.as_uri()}?mode=rw", uri=True, timeout=1)
        try:
            last.execute("SELECT count(*) FROM sqlite_master").fetchone()
        finally:
            last.close()


def on_readonly_disk(path: Path) -> bool:
    """Whether nothing can be written where a file is."""
    try:
        return is_readonly(path.parent)
    except OSError:
        return False
