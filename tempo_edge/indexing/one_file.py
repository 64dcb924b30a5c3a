"""One file into a library: what every executor runs, whichever hands it the file."""

from __future__ import annotations

from pathlib import Path

from tempo_edge.indexing.indexer import Indexer
from tempo_edge.indexing.report import IndexReport

__all__ = ["index_one"]


def index_one(indexer: Indexer, path: Path) -> IndexReport:
    """Bring a library up to date with one file, whatever has become of it.

    Run again it changes nothing. Several processes may do so at a time with different files.

    Args:
        indexer: over a catalogue that is opened for writing.
        path: from the root.

    Raises:
        LibraryError: the library can't be written.
    """
    return indexer.index([path], prune=False)
