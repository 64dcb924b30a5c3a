"""The parts of a library on a server; nothing of them is opened before it is used."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tempo_edge._extras import lacking
from tempo_edge.errors import LibraryError, MissingExtraError
from tempo_edge.store.backup import Backup
from tempo_edge.store.interface import Catalogue, Sizes, Store
from tempo_edge.store.postgres.name import check_system, checked_name, local_path
from tempo_edge.store.vectors import Vectors

if TYPE_CHECKING:
    from tempo_edge.store.line_vectors import LineVectors
    from tempo_edge.store.postgres.catalogue import PostgresCatalogue
    from tempo_edge.store.postgres.lock import WriterLock
    from tempo_edge.store.postgres.queue import PostgresQueue
    from tempo_edge.store.queue import QueueState

__all__ = ["PostgresStore"]


class PostgresStore(Store):
    """A library in a schema of a database; what each part does, its interface says.

    Args:
        name: ``postgresql://USER@HOST/DATABASE``, with parameters of libpq's; the schema is the
            first of the search path.

    Raises:
        LibraryError: the name holds a password, or no database; or this is Windows.
        MissingExtraError: the extra ``team`` is not installed.
    """

    is_shared = True
    names_volumes = True

    def __init__(self, name: str | Path) -> None:
        check_system()
        self._name = checked_name(name)
        for module in ("psycopg", "pgvector"):
            if find_spec(module) is None:
                raise MissingExtraError(lacking(module))

    def identity(self) -> str | None:
        """The id that the library was given when it was made."""
        from tempo_edge.store.postgres.session import connect, place_of

        with connect(self._name) as db:
            return place_of(db, self._name).library

    def lock(self) -> WriterLock:
        """A lock of the server's."""
        from tempo_edge.store.postgres.lock import WriterLock

        return WriterLock(self._name)

    def queue(self) -> PostgresQueue:
        """A queue of procrastinate's, in a schema beside the library's."""
        from tempo_edge.store.postgres.queue import PostgresQueue

        if find_spec("procrastinate") is None:
            raise MissingExtraError(lacking("procrastinate"))
        return PostgresQueue(self._name)

    def queue_state(self) -> QueueState | None:
        """What is in the queue; None where nobody has put anything in."""
        from tempo_edge.store.postgres.queue_state import queue_state

        return queue_state(self._name)

    def clock_ahead_seconds(self) -> float:
        """By how much at least, as the server is asked in no time."""
        from tempo_edge.store.postgres.session import clock_ahead, connect

        with connect(self._name) as db:
            return clock_ahead(db, self._name)

    def reader(self) -> PostgresCatalogue:
        """A session that reads."""
        from tempo_edge.store.postgres.placed import PlacedCatalogue

        return PlacedCatalogue(self._name, readonly=True)

    def writer(self) -> PostgresCatalogue:
        """A session that writes."""
        from tempo_edge.store.postgres.placed import PlacedCatalogue

        return PlacedCatalogue(self._name)

    def vectors(self, catalogue: Catalogue) -> Vectors:
        """What pgvector finds."""
        from tempo_edge.store.postgres.catalogue import PostgresCatalogue
        from tempo_edge.store.postgres.vectors import PostgresVectors

        assert isinstance(catalogue, PostgresCatalogue)
        return PostgresVectors(catalogue)

    def line_vectors(self, catalogue: Catalogue) -> LineVectors:
        """What pgvector finds among lines."""
        from tempo_edge.store.postgres.catalogue import PostgresCatalogue
        from tempo_edge.store.postgres.line_vectors import PostgresLineVectors

        assert isinstance(catalogue, PostgresCatalogue)
        return PostgresLineVectors(catalogue)

    def how_searched(self, catalogue: Catalogue) -> str:
        """Which index pgvector has, if any."""
        from tempo_edge.store.postgres.catalogue import PostgresCatalogue
        from tempo_edge.store.postgres.vector_index import VectorIndex

        assert isinstance(catalogue, PostgresCatalogue)
        index = VectorIndex(catalogue)
        index.look()
        return index.words()

    def back_up(self, target: Path) -> Backup:
        """What ``pg_dump`` writes; see :mod:`tempo_edge.store.postgres.backup`."""
        from tempo_edge.store.postgres.backup import back_up

        return back_up(self._name, target)

    def draft(self, profile: str) -> str:
        """A schema beside that of the library, which is made if need be."""
        from tempo_edge.store.postgres.replacing import draft_beside

        return draft_beside(self._name, profile)

    def take_over(self, draft: str) -> None:
        """Tables moved in one transaction; see :mod:`tempo_edge.store.postgres.replacing`."""
        from tempo_edge.store.postgres.replacing import take_over

        take_over(self._name, draft)

    def sizes(self) -> Sizes:
        """Tables with what finds their rows, and what finds vectors, which counts as cache."""
        from tempo_edge.store.postgres.session import connect, place_of

        try:
            with connect(self._name) as db:
                if place_of(db, self._name).version is None:
                    return Sizes(0, 0)
                row = db.execute(
                    "SELECT sum(pg_relation_size(c.oid)) FILTER (WHERE amname IS NULL "
                    "OR amname NOT IN ('ivfflat', 'hnsw')), coalesce(sum(pg_relation_size(c.oid)) "
                    "FILTER (WHERE amname IN ('ivfflat', 'hnsw')), 0) "
                    "FROM pg_class c LEFT JOIN pg_am ON pg_am.oid=relam "
                    "WHERE relkind IN ('r', 'i', 't') "
                    "AND (relnamespace=quote_ident(current_schema())::regnamespace "
                    "OR c.oid IN (SELECT reltoastrelid FROM pg_class "
                    "WHERE relnamespace=quote_ident(current_schema())::regnamespace))"
                ).fetchone()
        except LibraryError:
            return Sizes(0, 0)
        assert row is not None
        return Sizes(int(row[0] or 0), int(row[1]))

    def companion(self, suffix: str) -> Path:
        """A file or folder in the user's data, by a digest of the library's name."""
        return local_path(self._name, suffix)
