"""The parts of a library in a file: the database, the lock and the vectors beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tempo_edge.store.backup import Backup
from tempo_edge.store.interface import Catalogue, Sizes, Store
from tempo_edge.store.line_vectors import LineVectors
from tempo_edge.store.vectors import Vectors

if TYPE_CHECKING:
    from tempo_edge.store.embedded.catalogue import SqliteCatalogue
    from tempo_edge.store.embedded.lock import WriterLock

__all__ = ["EmbeddedStore"]


class EmbeddedStore(Store):
    """A library in one file; what each part does, its interface says.

    Args:
        name: path of the file.
    """

    def __init__(self, name: str | Path) -> None:
        self._path = Path(name)

    def identity(self) -> tuple[int, int] | None:
        """Device and inode of the file."""
        try:
            facts = self._path.stat()
        except OSError:
            return None
        return (facts.st_dev, facts.st_ino)

    def lock(self) -> WriterLock:
        """A lock on a file beside the database."""
        from tempo_edge.store.embedded.lock import WriterLock

        return WriterLock(self._path)

    def reader(self) -> SqliteCatalogue:
        """The database, opened for reading."""
        from tempo_edge.store.embedded.catalogue import SqliteCatalogue

        return SqliteCatalogue(self._path, readonly=True)

    def writer(self) -> SqliteCatalogue:
        """The database, opened for writing."""
        from tempo_edge.store.embedded.catalogue import SqliteCatalogue

        return SqliteCatalogue(self._path)

    def vectors(self, catalogue: Catalogue) -> Vectors:
        """A cache in a folder beside the database, which may be deleted at any time."""
        from tempo_edge.store.embedded.catalogue import SqliteCatalogue
        from tempo_edge.store.embedded.vectors import FaissVectors

        assert isinstance(catalogue, SqliteCatalogue)
        return FaissVectors(self.companion(".vectors"), catalogue)

    def line_vectors(self, catalogue: Catalogue) -> LineVectors:
        """A file beside that cache, which may be deleted at any time as well."""
        from tempo_edge.store.embedded.catalogue import SqliteCatalogue
        from tempo_edge.store.embedded.line_bits import LineBits

        assert isinstance(catalogue, SqliteCatalogue)
        return LineBits(self.companion(".vectors"), catalogue)

    def back_up(self, target: Path) -> Backup:
        """A copy in another file; see :mod:`tempo_edge.store.embedded.backup`."""
        from tempo_edge.store.embedded.backup import back_up

        return back_up(self._path, target)

    def draft(self, profile: str) -> str:
        """A file beside the database."""
        return str(self.companion(f".{profile}.draft.db"))

    def take_over(self, draft: str) -> None:
        """A file renamed; see :mod:`tempo_edge.store.embedded.replacing`."""
        from tempo_edge.store.embedded.replacing import take_over

        take_over(self._path, Path(draft))

    def finish_taking_over(self, profile: str) -> None:
        """What is left of a draft is what lay beside it."""
        draft = Path(self.draft(profile))
        left = (draft.with_suffix(".lock"), draft.with_suffix(".vectors"))
        if not draft.exists() and any(each.exists() for each in left):
            with self.lock():
                self.take_over(str(draft))

    def sizes(self) -> Sizes:
        """The database with its log, and the cache of vectors."""
        log = self._path.with_name(self._path.name + "-wal")
        cache = self.companion(".vectors").glob("*")
        return Sizes(_size(self._path) + _size(log), sum(map(_size, cache)))

    def companion(self, suffix: str) -> Path:
        """A file or folder beside the database, by the same name."""
        from tempo_edge.store.embedded.database_file import beside

        return beside(self._path, suffix)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
