"""The stores that the suite is for, each with what only its own tests can do to a library.

A new store is a class here and a line in :data:`KEEPERS`; the tests beside stay as they are.
"""

from __future__ import annotations

import shutil
import sqlite3
from abc import ABC, abstractmethod
from contextlib import closing
from pathlib import Path

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


#: The store of every kind of name that a library can have.
KEEPERS: dict[str, type[Keeper]] = {"embedded": EmbeddedKeeper}
