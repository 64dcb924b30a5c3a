"""A library that takes another one's place: at once, whoever reads that meanwhile."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path

from tempo_edge._files import publish
from tempo_edge.errors import LibraryError
from tempo_edge.store.embedded.database_file import beside

__all__ = ["take_over"]

# Seconds to wait for who reads either of them.
_PATIENCE_SECONDS = 30.0


def take_over(library: Path, draft: Path) -> None:
    """Let the library in the file ``draft`` take the place of another one in the same folder.

    Who reads that finds another library there the next time. Ended at any moment, either the one
    or the other is there, whole; where the draft is in its place already, the rest is done.

    Raises:
        LibraryError: it can't be done now. What was there is there still.
    """
    place = Path(os.path.realpath(library))
    if draft.exists():
        try:
            _settle(draft)
            _settle(place)
            publish(draft, place)
        except (OSError, sqlite3.Error) as error:
            reason = getattr(error, "strerror", None) or error
            raise LibraryError(f"{library} can't be replaced ({reason}): run it again") from error
    vectors = beside(place, ".vectors")
    drafted = beside(draft, ".vectors")
    if drafted.exists():
        with suppress(OSError):  # a cache, which is made anew where it doesn't fit
            shutil.rmtree(vectors, ignore_errors=True)
            drafted.replace(vectors)
    with suppress(OSError):
        beside(draft, ".lock").unlink()


def _settle(path: Path) -> None:
    """Put everything into the database itself; a log that stayed would be taken for another's.

    Raises:
        LibraryError: somebody reads it all the time.
    """
    uri = f"{path.absolute().as_uri()}?mode=rw"
    file = sqlite3.connect(uri, uri=True, timeout=_PATIENCE_SECONDS, isolation_level=None)
    try:
        ((busy, *_),) = file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        file.close()
    if busy:
        raise LibraryError(f"{path} is being read by another process: run it again")
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
