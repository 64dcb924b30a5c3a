"""The trouble that PostgreSQL tells, in one line that says what to do about it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from tempo_edge.errors import LibraryError, RefusedRowError

__all__ = ["GONE", "REFUSED", "in_short", "told"]

#: What a single row may be refused for: the fault of whoever made it, not of the server.
REFUSED = (
    psycopg.IntegrityError,
    psycopg.DataError,
    psycopg.ProgrammingError,
    psycopg.InterfaceError,
    errors.ProgramLimitExceeded,  # a path that is too long for an index
    OverflowError,
    UnicodeEncodeError,
    struct.error,  # a number of more than 64 bits
)

#: What is said where the tables of a library are not there any more.
GONE = (errors.UndefinedTable, errors.InvalidSchemaName, errors.InvalidCatalogName)

_OF_THE_DISK = (errors.DiskFull, errors.IoError, errors.ReadOnlySqlTransaction)
_HELD = (errors.LockNotAvailable, errors.DeadlockDetected)

# Letters of PostgreSQL's own words that are shown.
_LONGEST_REASON = 200


def in_short(error: BaseException) -> str:
    """The words of PostgreSQL, in one line."""
    said = getattr(getattr(error, "diag", None), "message_primary", None) or str(error)
    return " ".join(said.split())[:_LONGEST_REASON] or type(error).__name__


@contextmanager
def told(name: str) -> Iterator[None]:
    """Whatever the driver raises inside becomes an error of a library.

    Args:
        name: what the library is called.

    Raises:
        RefusedRowError: a value is none that can be stored.
        LibraryError: anything else.
    """
    try:
        yield
    except (psycopg.Error, OverflowError, UnicodeEncodeError, struct.error) as error:
        raise _told(name, error) from error


def _told(name: str, error: Exception) -> LibraryError:
    said = in_short(error)
    if isinstance(error, GONE):
        return LibraryError(f"{name} is gone or empty ({said}): put it back")
    if isinstance(error, errors.InsufficientPrivilege):
        return LibraryError(f"{name} may not be used so ({said}): ask who keeps it for a GRANT")
    if isinstance(error, _HELD):
        return LibraryError(
            f"{name} is held by another process ({said}): wait for it and run it again"
        )
    if isinstance(error, _OF_THE_DISK):
        return LibraryError(
            f"{name} can't be written ({said}): make room on its server and run it again; "
            "what was stored before is safe"
        )
    if isinstance(error, REFUSED) and not isinstance(error, errors.UndefinedFunction):
        return RefusedRowError(f"{type(error).__name__}: {said}")
    return LibraryError(
        f"{name} can't be reached ({said}): look after its server and run it again; "
        "what was stored before is safe"
    )
