"""The database of a library: opened, made, read of one instant and written all or nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import psycopg
from pgvector.psycopg.halfvec import register_halfvec_info
from psycopg import errors
from psycopg.pq import TransactionStatus
from psycopg.types import TypeInfo

from tempo_edge.errors import LibraryError, NoLibraryError, RefusedRowError
from tempo_edge.store.postgres.schema import MARK, SCHEMA, SCHEMA_VERSION, WAYS_UP
from tempo_edge.store.postgres.session import Place, connect, place_of
from tempo_edge.store.postgres.trouble import GONE, in_short, told

__all__ = ["Database", "lock_key"]

# A writer waits for another one's transaction for so long.
_PATIENCE = "30s"

# Rows that are fetched at a time where many are read.
_AT_ONCE = 2000

_NO_PGVECTOR = (
    errors.UndefinedFile,
    errors.FeatureNotSupported,
    errors.InsufficientPrivilege,
    errors.UndefinedObject,
    errors.InvalidSchemaName,
)


def lock_key(what: str) -> str:
    """The number of an advisory lock over the library of this session, in SQL.

    Args:
        what: ``writer`` or ``transaction``.
    """
    schema = "quote_ident(current_schema())::regnamespace::oid::text"
    return f"hashtextextended('tempo-edge {what} ' || {schema}, 0)"


class Database:
    """One library's tables, by name. Writers hold the library's lock; readers never wait.

    Raises:
        NoLibraryError: opened for reading, and there is nothing to read.
        LibraryError: the server can't be reached, or something else is there.
    """

    def __init__(self, name: str, *, readonly: bool = False) -> None:
        self.name = name
        self.readonly = readonly
        #: True once a reader found another library in the place of its own.
        self.is_replaced = False
        #: Called in each transaction before anything is written; what it raises refuses that.
        self.guard: Callable[[psycopg.Connection[Any]], None] = lambda db: None
        self._place = self._open()

    def _open(self) -> Place:
        """Open a session; the library is made, or brought up, if need be."""
        self._db = connect(self.name)
        try:
            place = place_of(self._db, self.name)
            if place.version is None and self.readonly:
                raise NoLibraryError(
                    f"there is no library at {self.name}: run `tempo-edge index PATH` first"
                )
            if place.version != SCHEMA_VERSION and not self.readonly:
                self._bring_up()
                place = place_of(self._db, self.name)
            #: The type of a vector, and what compares two by their cosine, in SQL.
            self.vector, self.cosine = f"{place.vector}.halfvec", f"OPERATOR({place.vector}.<=>)"
            with told(self.name):
                info = TypeInfo.fetch(self._db, self.vector)
            assert info is not None
            register_halfvec_info(self._db, info)
        except BaseException:
            self._db.close()
            raise
        self._vector_type = info.oid
        return place

    def _bring_up(self) -> None:
        """Make a library, or make one of an older version one of this, as a whole or not at all."""
        with told(self.name), self._db.transaction():
            self._db.execute(f"SET LOCAL lock_timeout='{_PATIENCE}'")  # readers hold tables, too
            self._db.execute(f"SELECT pg_advisory_xact_lock({lock_key('transaction')})")
            place = place_of(self._db, self.name)  # another process may have done it meanwhile
            vector = place.vector or self._put_pgvector()
            if place.version is None:
                self._db.execute(SCHEMA.format(vector=vector))
                self._db.execute(
                    f"INSERT INTO {MARK} VALUES (%s, %s)", (SCHEMA_VERSION, uuid.uuid4().hex)
                )
                return
            for older in range(place.version, SCHEMA_VERSION):
                self._db.execute(WAYS_UP[older].format(vector=vector))
            self._db.execute(f"UPDATE {MARK} SET schema_version=%s", (SCHEMA_VERSION,))

    def _put_pgvector(self) -> str:
        """Have pgvector in this database; gives the schema that it is in, quoted."""
        try:
            self._db.execute("CREATE EXTENSION vector SCHEMA public")
        except _NO_PGVECTOR as error:
            raise LibraryError(
                f"{self.name} lacks pgvector ({in_short(error)}): install it on the server, and "
                "run CREATE EXTENSION vector in that database as who may"
            ) from error
        vector = place_of(self._db, self.name).vector
        assert vector is not None
        return vector

    def close(self) -> None:
        """End the session."""
        with suppress(psycopg.Error):
            self._db.close()

    def __exit__(self, *raised: object) -> None:
        self.close()

    # -- one statement -----------------------------------------------------------------------------

    def _run(self, statement: str, values: Sequence[Any] = ()) -> psycopg.Cursor[Any]:
        """What a statement gives; outside a transaction it is one by itself.

        Raises:
            RefusedRowError: a value is none that can be stored.
            LibraryError: the server can't be reached, or the library is gone.
        """
        with told(self.name):
            return self._db.execute(statement, values or None, binary=True)

    def _one(self, statement: str, values: Sequence[Any] = ()) -> Any:
        """The only row that a statement gives, or None."""
        return self._run(statement, values).fetchone()

    def _each(self, statement: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        """The rows of a statement, few of which are in memory at a time."""
        is_alone = self._status() == TransactionStatus.IDLE
        with told(self.name):
            cursor: Any = self._db.cursor(f"each_{uuid.uuid4().hex}", withhold=is_alone)
            cursor.format = psycopg.pq.Format.BINARY
            try:
                cursor.execute(statement, values or None)
                while rows := cursor.fetchmany(_AT_ONCE):
                    yield from rows
            finally:
                with suppress(psycopg.Error):
                    cursor.close()

    # -- many statements ---------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; one transaction writes a library at a time.

        Raises:
            RefusedRowError: the tables refuse a row; nothing of the rest is kept.
            LibraryError: the server's disk is full, it is lost, or the library gone or another one.
        """
        if self._status() != TransactionStatus.IDLE:
            raise RefusedRowError("a transaction, or a snapshot, is under way already")
        self._begin_writing()
        try:
            yield
            if self._status() == TransactionStatus.INERROR:
                # To commit it would lose all of it, and say nothing.
                raise RefusedRowError("a row was refused before: nothing of the rest is stored")
            self._run("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """The transaction that is under way, or one for what is inside."""
        if self._status() == TransactionStatus.IDLE:
            with self.transaction():
                yield
        else:
            yield

    def _status(self) -> TransactionStatus:
        return self._db.info.transaction_status

    def _begin_writing(self) -> None:
        try:
            with told(self.name):
                self._db.execute(
                    f"BEGIN; SET LOCAL lock_timeout='{_PATIENCE}'; "
                    f"SELECT pg_advisory_xact_lock({lock_key('transaction')})"
                )
            self._check_place("was taken away or replaced while it was written: run it again")
            with told(self.name):
                self.guard(self._db)
        except BaseException:
            self._roll_back()
            raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything read inside is of one instant, whatever is written meanwhile.

        Raises:
            LibraryError: the server can't be reached, or the library is gone or another one now.
                Once it is as it was, the next snapshot is as before.
        """
        if self.readonly and self._db.closed:
            self._open_again()
        try:
            self._run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            self._check_place("is another library now: open it anew")
            yield
        finally:
            self._roll_back()

    def _open_again(self) -> None:
        """Have a session again after the server was away."""
        try:
            found = self._open()
        except NoLibraryError as error:
            raise LibraryError(f"{self.name} is gone or empty: put it back") from error
        if found.library == self._place.library:
            self._place = found

    def _check_place(self, otherwise: str) -> None:
        """Refuse another library than the one that was opened.

        Raises:
            LibraryError: there is another one, or none.
        """
        try:
            row = self._db.execute(f"SELECT id, schema_version FROM {MARK}").fetchone()
        except GONE as error:
            raise LibraryError(
                f"{self.name} is gone or empty ({in_short(error)}): put it back"
            ) from error
        except psycopg.Error:
            with told(self.name):
                raise
        if row is None or row[0] != self._place.library:
            self.is_replaced = self.readonly
            raise LibraryError(f"{self.name} {otherwise}")
        if row[1] > SCHEMA_VERSION:
            raise LibraryError(f"{self.name} has been brought up since: upgrade tempo-edge")
        self._place = replace(self._place, version=row[1])

    def _roll_back(self) -> None:
        if self._status() != TransactionStatus.IDLE:
            with suppress(psycopg.Error):
                self._db.execute("ROLLBACK")

    # -- facts -------------------------------------------------------------------------------------

    def get_meta(self, key: str) -> str | None:
        """A stored fact, or None."""
        row = self._one("SELECT value FROM meta WHERE key=%s", (key,))
        return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Store a fact."""
        with self._writing():
            self._run(
                "INSERT INTO meta VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET "
                "value=excluded.value",
                (key, value),
            )

    def drop_meta(self, key: str) -> None:
        """Forget a fact."""
        with self._writing():
            self._run("DELETE FROM meta WHERE key=%s", (key,))

    def _run_each(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """A statement for each of some rows, all or nothing."""
        with self._writing(), told(self.name):
            self._db.cursor().executemany(statement, rows)

    @property
    def place(self) -> Place:
        """Where the library is kept."""
        return self._place
