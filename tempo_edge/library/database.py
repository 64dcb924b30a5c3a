"""The database file of a library: opened, made, read of one instant and written all or nothing."""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tempo_edge.errors import LibraryError
from tempo_edge.library.schema import SCHEMA, SCHEMA_VERSION

__all__ = ["Database", "NoLibraryError"]

# Kept in the database's header, so that no other program's database is taken for a library.
_APPLICATION_ID = int.from_bytes(b"TmpE", "big")

# What a single row may be refused for: the fault of whoever made it, not of the disk.
_ROW_ERRORS = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
)

# Of the write-ahead log, what stays on disk once its contents are in the database.
_LOG_BYTES = 64 << 20


class NoLibraryError(LibraryError):
    """There is no library at a path, or one that nothing was ever written to."""


class Database:
    """One library's file, by path. Writers hold the library's lock; readers never wait.

    Raises:
        NoLibraryError: opened for reading, and there is nothing to read.
        LibraryError: the file is something else, damaged, or of a newer tempo-edge.
    """

    def __init__(self, path: Path, *, readonly: bool = False) -> None:
        self.path = path
        self.readonly = readonly
        if readonly and not path.exists():
            raise NoLibraryError(
                f"there is no library at {path}: run `tempo-edge index PATH` first"
            )
        if path.is_dir():
            raise LibraryError(
                f"{path} is a folder: a library is a file, {path / 'library.db'} say"
            )
        db: sqlite3.Connection | None = None
        try:
            self._db = db = self._connect()
            if self._is_new():
                self._create()
            elif not readonly:
                self._prepare_writing()
        except BaseException as error:
            if db is not None:
                db.close()
            if isinstance(error, sqlite3.DatabaseError):
                raise LibraryError(
                    f"{path} can't be used as a library ({error}): choose another --library"
                ) from error
            raise

    def _connect(self) -> sqlite3.Connection:
        mode = "ro" if self.readonly else "rwc"
        if self.readonly and _on_readonly_disk(self.path):
            mode += "&immutable=1"  # else SQLite wants to write down that it is reading
        return sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=30,
        )

    def _is_new(self) -> bool:
        """True for a file that is empty; one that is a library or nothing of ours stays as it is.

        Raises:
            LibraryError: the file is another program's, or a newer tempo-edge's.
        """
        self._db.execute("PRAGMA foreign_keys=ON")
        self._db.execute("PRAGMA mmap_size=8589934592")
        # In one statement, of one instant: another process may be making a library of it just now.
        application, version, tables = self._db.execute(
            "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master) "
            "FROM pragma_application_id, pragma_user_version"
        ).fetchone()
        if not (application or version or tables):
            return True
        if application != _APPLICATION_ID:
            raise LibraryError(
                f"{self.path} is another program's database, not a library: "
                "choose another --library"
            )
        if version > SCHEMA_VERSION:
            raise LibraryError(
                f"{self.path} has schema version {version}, this tempo-edge reads up to "
                f"{SCHEMA_VERSION}: upgrade tempo-edge"
            )
        return False

    def _prepare_writing(self) -> None:
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(f"PRAGMA journal_size_limit={_LOG_BYTES}")

    def _create(self) -> None:
        if self.readonly:
            raise NoLibraryError(
                f"{self.path} holds no library yet: run `tempo-edge index PATH` first"
            )
        self._prepare_writing()
        with self.transaction():
            for statement in SCHEMA.split(";"):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA application_id={_APPLICATION_ID}")
            self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            self.set_meta("library_id", uuid.uuid4().hex)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. A full disk or a lost one is reported as a :class:`LibraryError`.

        A row that the tables refuse is reported as SQLite does, and nothing of the rest is kept.
        """
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except _ROW_ERRORS:
            self._roll_back()
            raise
        except sqlite3.DatabaseError as error:
            self._roll_back()
            raise LibraryError(
                f"{self.path} can't be written ({error}): make room or mend the disk and run it "
                "again; what was stored before is safe"
            ) from error
        except BaseException:
            self._roll_back()
            raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything read inside is of one instant, whatever is written meanwhile."""
        try:
            self._db.execute("BEGIN")
            yield
        except sqlite3.DatabaseError as error:
            raise LibraryError(
                f"{self.path} can't be read ({error}): delete it and index again"
            ) from error
        finally:
            self._roll_back()

    def _roll_back(self) -> None:
        # SQLite ends a transaction by itself where the disk is full.
        if self._db.in_transaction:
            with suppress(sqlite3.DatabaseError):
                self._db.execute("ROLLBACK")

    def close(self) -> None:
        """Release the database."""
        self._db.close()

    def get_meta(self, key: str) -> str | None:
        """A stored fact, or None."""
        row = self._db.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Store a fact."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def _on_readonly_disk(path: Path) -> bool:
    try:
        return bool(os.statvfs(path.parent).f_flag & os.ST_RDONLY)
    except OSError:
        return False
