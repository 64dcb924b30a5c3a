"""A copy of a library in another file, of one instant, whatever is written meanwhile."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tempo_edge._files import atomic_write
from tempo_edge.errors import LibraryError
from tempo_edge.store.backup import Backup
from tempo_edge.store.embedded.catalogue import SqliteCatalogue
from tempo_edge.store.embedded.soundness import first_fault
from tempo_edge.store.outputs import check_output

__all__ = ["back_up"]


def back_up(library: Path, target: Path) -> Backup:
    """Copy a library into a file that only its user may read.

    An earlier backup of the same library is replaced once the new one is whole. A damaged library
    is copied as it is, but not over an earlier backup that is sound.

    Raises:
        FootageError: ``target`` is footage, or another library, or the library itself.
        LibraryError: there is no library, it can't be read, or ``target`` can't be written, or is
            a better copy than this one would be.
    """
    catalogue = SqliteCatalogue(library, readonly=True)
    try:
        own = _is_earlier(catalogue, target)
        if not own:
            check_output(target, library)
        with atomic_write(target, mode=0o600, own=own) as draft:
            catalogue.copy_to(draft)
            fault = first_fault(draft).replace(str(draft), str(library))
            if fault and own and not first_fault(target):
                raise LibraryError(
                    f"backup {target} stays, which is sound and older: {fault}; or name another "
                    "file for a copy as it is"
                )
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise LibraryError(f"backup {target} can't be written: {reason}") from error
    finally:
        catalogue.close()
    return Backup(target.stat().st_size, fault)


def _is_earlier(catalogue: SqliteCatalogue, target: Path) -> bool:
    """Whether a file is a copy of the same library, and not that library itself."""
    if not target.is_file() or target.samefile(catalogue.path):
        return False
    try:
        there = SqliteCatalogue(target, readonly=True)
    except LibraryError:
        return False
    try:
        return there.get_meta("library_id") == catalogue.get_meta("library_id")
    finally:
        there.close()
