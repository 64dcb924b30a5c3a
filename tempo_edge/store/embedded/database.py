"""The database file of a library: opened, made, read of one instant and written all or nothing."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tempo_edge.errors import LibraryError, NoLibraryError, RefusedRowError
from tempo_edge.store.embedded.database_file import (
    UNREADABLE,
    Identity,
    check_file,
    has_log,
    identity_of,
    make_file,
    on_readonly_disk,
    tidy,
)
from tempo_edge.store.embedded.schema import (
    NAMES,
    OLDEST_VERSION,
    PLAIN,
    SCHEMA,
    SCHEMA_VERSION,
    WAYS_UP,
    statements,
)
from tempo_edge.words.letters import pointless

__all__ = ["Database", "unreadable"]

# Kept in the database's header, so that no other program's database is taken for a library.
_APPLICATION_ID = int.from_bytes(b"TmpE", "big")

# What a single row may be refused for: the fault of whoever made it, not of the disk.
_ROW_ERRORS = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
    OverflowError,  # a number of more than 64 bits
)

# Of the write-ahead log, what stays on disk once its contents are in the database.
_LOG_BYTES = 64 << 20

# What SQLite says where it was built without its full-text search.
_NO_FTS5 = "no such module: fts5"

_PUT_BACK = "put a copy of it back, or delete it and index again"

# Letters of SQLite's own words that are shown.
_LONGEST_REASON = 200

# Of SQLite's error codes those that are no fault of what was asked for.
_OF_THE_DISK = frozenset({3, 8, 10, 13, 14, 22})  # PERM, READONLY, IOERR, FULL, CANTOPEN, NOLFS
_BUSY, _LOCKED, _CORRUPT, _NOT_A_DATABASE = 5, 6, 11, 26
_SAID = {
    "readonly": 8,
    "disk I/O": 10,
    "is full": 13,
    "unable to open": 14,
    "is locked": _BUSY,
    "malformed": _CORRUPT,
    "not a database": _NOT_A_DATABASE,
}


class Database:
    """One library's file, by path. Writers hold the library's lock; readers never wait.

    Raises:
        NoLibraryError: opened for reading, and there is nothing to read.
        LibraryError: the file is something else, damaged, or of a newer tempo-edge.
    """

    def __init__(self, path: Path, *, readonly: bool = False, still: bool = False) -> None:
        """Open it: ``still`` if it is read and nobody writes it, so that nothing lies beside it."""
        self.path = path
        self.name = str(path)
        self.readonly = readonly or still
        self._still = still
        check_file(path, readonly=self.readonly)
        #: How often it was opened again because the file had changed under a reader.
        self.reopened = 0
        #: Of the tables that are there: a reader leaves an older library as it is.
        self.version = SCHEMA_VERSION
        #: True once a reader found another library in the place of its own.
        self.is_replaced = False
        self._tables: set[str] = set()
        self._id = self._open()

    def _open(self) -> str | None:
        """Open the file, which is made if need be; gives the library's id."""
        db: sqlite3.Connection | None = None
        self._seen: Identity | None = None
        seen, logged = identity_of(self.path), has_log(self.path)
        if self.readonly and seen is None:
            raise NoLibraryError(
                f"there is no library at {self.path}: run `tempo-edge index PATH` first"
            )
        try:
            self._db = db = self._connect()
            if self._is_new():
                self._create()
            elif not self.readonly:
                self._prepare_writing()
                self._bring_up()
                self._index_words()
            found = self.get_meta("library_id")
        except BaseException as error:
            if db is not None:
                db.close()
                if not logged:  # what is refused stays as it was
                    tidy(self.path)
            if isinstance(error, (*UNREADABLE, RefusedRowError)):
                if "malformed" in str(error) or _NO_FTS5 in str(error):
                    raise unreadable(self.path, error) from error
                raise LibraryError(
                    f"{self.path} can't be used as a library ({_in_short(error)}): "
                    "choose another --library"
                ) from error
            raise
        self._seen = seen if self.readonly else identity_of(self.path)
        return found

    def _follow(self) -> None:
        """Open the file again where it is not as it was: cut short, put back, or replaced.

        Pages that a connection holds in memory are of what was there before. A checkpoint of the
        writer looks the same from here, and costs a millisecond.

        Raises:
            LibraryError: it can't be read any more, or is another library.
        """
        if not self.readonly or (self._seen and self._seen == identity_of(self.path)):
            return
        self._db.close()
        try:
            found = self._open()
        except NoLibraryError as error:
            raise LibraryError(f"{self.path} is gone or empty: put it back") from error
        self.reopened += 1
        if found != self._id:
            self.is_replaced, self._seen = True, None
            raise LibraryError(f"{self.path} is another library now: open it anew")

    def _check_place(self) -> None:
        """Refuse to write to a file that nobody would find again.

        Raises:
            LibraryError: another lies in its place, or none.
        """
        now = identity_of(self.path)
        if self._seen and (now is None or now[:2] != self._seen[:2]):
            raise LibraryError(
                f"{self.path} was moved away or replaced while it was written: run it again"
            )

    def _connect(self) -> sqlite3.Connection:
        mode = "ro" if self.readonly else "rwc"
        if not self.readonly:
            make_file(self.path)
        if self._still or (self.readonly and on_readonly_disk(self.path)):
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
        # In one statement, of one instant: another process may be making a library of it just now.
        application, version, tables = self._db.execute(
            "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master) "
            "FROM pragma_application_id, pragma_user_version"
        ).fetchone()
        if not (application or version or tables):
            return True
        self.version = int(version)
        if application != _APPLICATION_ID:
            raise LibraryError(
                f"{self.path} is another program's database, not a library: "
                "choose another --library"
            )
        if version < OLDEST_VERSION:
            raise LibraryError(
                f"{self.path} has schema version {version}, this tempo-edge reads "
                f"{OLDEST_VERSION} to {SCHEMA_VERSION}: delete it and index again"
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
        self._db.create_function("pointless", 1, pointless, deterministic=True)

    def _bring_up(self) -> None:
        """Make a library of an older version one of this, as a whole or not at all."""
        if self.version == SCHEMA_VERSION:
            return
        with self.transaction():
            for older in range(self.version, SCHEMA_VERSION):
                for statement in statements(WAYS_UP[older]):
                    self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        self.version = SCHEMA_VERSION

    def _index_words(self) -> None:
        """Have names found among themselves, and words by their plain spelling."""
        for name, script in (("evidence_names", NAMES), ("evidence_words_put", PLAIN)):
            if not self._has_now(name):
                with self.transaction():
                    for statement in statements(script):
                        self._db.execute(statement)
        # It opens the index, and so says at once where SQLite has none such.
        self._db.execute("EXPLAIN SELECT 1 FROM evidence_words")

    def _create(self) -> None:
        if self.readonly:
            raise NoLibraryError(
                f"{self.path} holds no library yet: run `tempo-edge index PATH` first"
            )
        self._prepare_writing()
        with self.transaction():
            for statement in statements(SCHEMA + NAMES + PLAIN):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA application_id={_APPLICATION_ID}")
            self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            self.set_meta("library_id", uuid.uuid4().hex)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing.

        Raises:
            RefusedRowError: the tables refuse a row; nothing of the rest is kept.
            LibraryError: the disk is full or lost, the file damaged, replaced, or held by another.
        """
        self._check_place()
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except (sqlite3.Error, OverflowError) as error:
            self._roll_back()
            trouble = "" if isinstance(error, _ROW_ERRORS) else _trouble(error)
            if not trouble:
                raise RefusedRowError(f"{type(error).__name__}: {error}") from error
            raise LibraryError(f"{self.path} {trouble}") from error
        except BaseException:
            self._roll_back()
            raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything read inside is of one instant, whatever is written meanwhile.

        Raises:
            LibraryError: the file is damaged, gone, or another library now. Once it is as it was,
                the next snapshot is as before.
        """
        self._follow()
        try:
            self._db.execute("BEGIN")
            yield
        except UNREADABLE as error:
            self._seen = None
            raise unreadable(self.path, error) from error
        finally:
            self._roll_back()

    def _roll_back(self) -> None:
        # SQLite ends a transaction by itself where the disk is full.
        if self._db.in_transaction:
            with suppress(sqlite3.DatabaseError):
                self._db.execute("ROLLBACK")

    def __exit__(self, *raised: object) -> None:
        """Close it, and say of an error that a damaged file raised that it is one.

        Raises:
            LibraryError: the file is damaged.
        """
        self.close()
        error = raised[1]
        if isinstance(error, UNREADABLE):
            raise unreadable(self.path, error) from error

    def close(self) -> None:
        """Release the database. Whoever does so last leaves one file, which is the library."""
        if not self.readonly:
            with suppress(sqlite3.Error):  # where a reader is at work, the next one to close does
                self._db.execute("PRAGMA busy_timeout=1000")
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        self._db.close()
        tidy(self.path)

    def copy_to(self, path: Path) -> None:
        """Copy everything into an empty file, as of one instant.

        Raises:
            sqlite3.Error: it can't be read or written.
        """
        copy = sqlite3.connect(path)
        try:
            self._db.backup(copy)
        finally:
            copy.close()

    def page_fault(self) -> str:
        """The first fault of the file's pages, or of rows that speak of others; or nothing."""
        (said,) = self._db.execute("PRAGMA integrity_check(1)").fetchone()
        if said != "ok":
            return str(said)
        lost = self._db.execute("PRAGMA foreign_key_check").fetchone()
        return "" if lost is None else f"a row of {lost[0]} is of a {lost[2]} that is not there"

    def _choose(self, videos: Iterable[int]) -> None:
        """Hold a list of videos in a temporary table: no limit on its length."""
        self._db.execute("CREATE TEMP TABLE IF NOT EXISTS chosen (id INTEGER PRIMARY KEY)")
        self._db.execute("DELETE FROM temp.chosen")
        self._db.executemany("INSERT OR IGNORE INTO temp.chosen VALUES (?)", ((v,) for v in videos))

    def _has(self, table: str) -> bool:
        """Whether one of the tables that a version brings is there, as it stays then.

        Libraries of before lack some, and whoever writes may make them while others read.
        """
        if table not in self._tables and self._has_now(table):
            self._tables.add(table)
        return table in self._tables

    def _has_now(self, name: str) -> bool:
        """Whether there is a table or a trigger, which may be made, or gone, in a transaction."""
        row = self._db.execute("SELECT 1 FROM sqlite_master WHERE name=?", (name,))
        return row.fetchone() is not None

    def get_meta(self, key: str) -> str | None:
        """A stored fact, or None."""
        row = self._db.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Store a fact."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def drop_meta(self, key: str) -> None:
        """Forget a fact."""
        self._db.execute("DELETE FROM meta WHERE key=?", (key,))


def _trouble(error: sqlite3.Error) -> str:
    """The trouble with a library's file or disk by an error of SQLite, and how to mend it.

    Nothing where it is neither: then it is what was asked for.
    """
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # Python 3.10 does not tell
        code = next((known for words, known in _SAID.items() if words in str(error)), 0)
    code &= 0xFF
    if code in _OF_THE_DISK:
        return (
            f"can't be written ({error}): make room or mend the disk and run it again; "
            "what was stored before is safe"
        )
    if code in (_BUSY, _LOCKED):
        return f"is held by another process ({error}): wait for it and run it again"
    if code in (_CORRUPT, _NOT_A_DATABASE):
        return f"can't be read ({_in_short(error)}): {_PUT_BACK}"
    return ""


def unreadable(path: Path, error: BaseException) -> LibraryError:
    """The error that says that a library is damaged, or that SQLite here can't read it."""
    if _NO_FTS5 in str(error):
        return LibraryError(
            f"{path} can't be used: the SQLite {sqlite3.sqlite_version} of this Python lacks FTS5, "
            "its full-text search: install Python of your system, python.org or conda, and "
            "tempo-edge with that"
        )
    return LibraryError(f"{path} can't be read ({_in_short(error)}): {_PUT_BACK}")


def _in_short(error: BaseException) -> str:
    """The words of SQLite, in one line; it quotes what it can't read."""
    return " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
