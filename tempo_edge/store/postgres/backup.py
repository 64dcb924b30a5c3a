"""A copy of a library that PostgreSQL's own ``pg_dump`` writes, and ``pg_restore`` reads."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tempo_edge._files import atomic_write
from tempo_edge.errors import LibraryError
from tempo_edge.store.backup import Backup
from tempo_edge.store.outputs import check_output
from tempo_edge.store.postgres.catalogue import PostgresCatalogue

__all__ = ["back_up"]


def back_up(library: str, target: Path) -> Backup:
    """Write a library, as of one instant, into a file that only its user may read.

    Raises:
        FootageError: ``target`` is footage, or another library.
        LibraryError: there is no library, it can't be read, ``target`` can't be written, or there
            is no ``pg_dump`` for its server here.
    """
    with PostgresCatalogue(library, readonly=True) as catalogue:
        schema = catalogue.place.schema
    check_output(target, Path(library))
    dump = shutil.which("pg_dump")
    if dump is None:
        raise LibraryError(
            f"{library} is backed up by pg_dump, which is not installed here: "
            "apt install postgresql-client, of the server's version or newer"
        )
    pattern = '"' + schema.replace('"', '""') + '"'
    try:
        with atomic_write(target, mode=0o600) as draft:
            line = [dump, "--format=custom", "--no-owner", f"--schema={pattern}"]
            run = subprocess.run(
                [*line, f"--file={draft}", f"--dbname={library}"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
            if run.returncode:
                said = "; ".join(run.stderr.strip().splitlines()[:2]) or "pg_dump failed"
                raise LibraryError(f"backup {target} can't be written: {said}")
    except OSError as error:
        raise LibraryError(f"backup {target} can't be written: {error.strerror}") from error
    return Backup(target.stat().st_size, "")
