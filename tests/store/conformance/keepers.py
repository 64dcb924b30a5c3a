"""The stores that the suite is for, each with what only its own tests can do to a library.

A new store is a class here and a line in :data:`KEEPERS`; the tests beside stay as they are.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from abc import ABC, abstractmethod
from contextlib import closing
from pathlib import Path
from typing import Any

from postgres_server import server

from tempo_edge.store.interface import Store
from tempo_edge.store.opening import open_store

__all__ = ["KEEPERS", "Keeper"]


class Keeper(ABC):
    """Somewhere to keep one library, where there is none yet.

    Args:
        folder: an empty folder of this test's own.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    @abstractmethod
    def name(self) -> str:
        """What the library is opened by."""

    def store(self) -> Store:
        """The library, opened by its name as anybody does."""
        return open_store(self.name)

    @abstractmethod
    def put_something_else(self) -> None:
        """Let there be something under that name which is no library."""

    @abstractmethod
    def contents(self) -> object:
        """All that is under that name, to be compared."""

    @abstractmethod
    def make_newer(self) -> None:
        """Let the library be one of a newer tempo-edge."""

    @abstractmethod
    def remove(self) -> None:
        """Let there be nothing under that name, as if an administrator had taken it away."""

    @abstractmethod
    def lose_cache(self) -> None:
        """Delete whatever is derived from the rows."""

    @abstractmethod
    def restored(self, backup: Path) -> Store:
        """A backup, put somewhere from where it can be read."""


class EmbeddedKeeper(Keeper):
    """A file of SQLite's, with a cache of FAISS's beside it."""

    @property
    def name(self) -> str:
        return str(self._path)

    @property
    def _path(self) -> Path:
        return self.folder / "library.db"

    def put_something_else(self) -> None:
        with closing(sqlite3.connect(self._path)) as other:
            other.execute("CREATE TABLE meta (key, value)")

    def contents(self) -> object:
        return self._path.read_bytes(), sorted(self.folder.iterdir())

    def make_newer(self) -> None:
        with closing(sqlite3.connect(self._path)) as newer:
            newer.execute("PRAGMA user_version=999")

    def remove(self) -> None:
        self._path.unlink()

    def lose_cache(self) -> None:
        shutil.rmtree(self.folder / "library.vectors")

    def restored(self, backup: Path) -> Store:
        return open_store(backup)


class PostgresKeeper(Keeper):
    """A schema of a PostgreSQL of the tests' own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._server = server()
        self._schema = self._server.new_schema()
        programs = str(self._server.programs)
        if programs not in os.environ["PATH"].split(os.pathsep):
            os.environ["PATH"] = programs + os.pathsep + os.environ["PATH"]  # for pg_dump

    @property
    def name(self) -> str:
        return self._server.name(schema=self._schema)

    def _run(self, *statements: str) -> list[Any]:
        return self._server.run(*statements, schema=self._schema)

    def put_something_else(self) -> None:
        self._run("CREATE TABLE meta (key text, value text)", "INSERT INTO meta VALUES ('a', 'b')")

    def contents(self) -> object:
        tables = self._run(
            "SELECT quote_ident(relname) FROM pg_class WHERE relkind='r' "
            f"AND relnamespace='{self._schema}'::regnamespace ORDER BY 1"
        )
        rows = [self._run(f"SELECT t::text FROM {name} t ORDER BY 1") for (name,) in tables]
        return tables, rows

    def make_newer(self) -> None:
        self._run("UPDATE tempo_edge_library SET schema_version=999")

    def remove(self) -> None:
        self._run(f"DROP SCHEMA {self._schema} CASCADE", f"CREATE SCHEMA {self._schema}")

    def lose_cache(self) -> None:
        indexes = self._run(
            "SELECT indexname FROM pg_indexes WHERE schemaname=current_schema() "
            "AND (indexdef LIKE '%ivfflat%' OR indexdef LIKE '%hnsw%')"
        )
        for (name,) in indexes:
            self._run(f"DROP INDEX {name}")

    def restored(self, backup: Path) -> Store:
        database = self._server.new_database()
        line = [str(self._server.programs / "pg_restore"), "--exit-on-error", "--no-owner"]
        place = f"--dbname={self._server.name(database)}"
        subprocess.run([*line, place, str(backup)], check=True, capture_output=True)
        return open_store(self._server.name(database, self._schema))


#: The store of every kind of name that a library can have.
KEEPERS: dict[str, type[Keeper]] = {"embedded": EmbeddedKeeper, "postgres": PostgresKeeper}
