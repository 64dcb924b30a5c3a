"""Files that a user wants written: never over what must not be lost, nor over what is indexed."""

from __future__ import annotations

import os
from pathlib import Path

from tempo_edge._files.overwriting import check_overwriting
from tempo_edge.errors import FootageError, LibraryError
from tempo_edge.store.opening import open_store
from tempo_edge.store.place import default_library_path

__all__ = ["check_output"]


def check_output(path: Path, library: Path | None = None) -> None:
    """Refuse to replace what must not be lost, or a file that is in a library.

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


def _indexed_as(path: Path, library: Path | None) -> str | None:
    """The name under which a library knows a file, whatever links lead to it; None without one."""
    facts = path.stat()
    try:
        catalogue = open_store(library or default_library_path()).reader()
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
