"""What a walk over folders finds, beside what a library knows of them."""

# Strings and `os` instead of `Path`: a walk touches every file, and this is several times as fast.
# ruff: noqa: PTH112

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tempo_edge.indexing.selection import Selection
from tempo_edge.indexing.walk import FoundFile, examine
from tempo_edge.store.rows import FileRow

__all__ = ["Survey", "is_same", "named_before"]


@dataclass
class Survey:
    """The files that a walk over the roots found.

    Attributes:
        work: files that are new or changed, by path.
        seen: every path that is there.
        known: the library's rows at and under the roots.
        hidden: folders that could not be listed, each with its closing slash.
    """

    work: dict[str, FoundFile] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    known: dict[str, FileRow] = field(default_factory=dict)
    hidden: list[str] = field(default_factory=list)

    def gone(self) -> list[FileRow]:
        """Rows of files that were not found, where it is sure that they were looked for."""
        hidden = tuple(self.hidden)
        return [
            row
            for path, row in sorted(self.known.items())
            if path not in self.seen and not path.startswith(hidden)
        ]


def named_before(known: Iterable[str], selection: Selection) -> Iterator[FoundFile]:
    """Files that no walk takes, and that somebody named once: they stay while they are there."""
    for path in filter(selection.must_be_named, known):
        there = os.path.lexists(path) and not os.path.isdir(path)
        if there and not selection.rejects(path):
            yield examine(path)


def is_same(found: FoundFile, row: FileRow) -> bool:
    """True if there is nothing new to learn about a file."""
    if found.problem:
        return not found.passing and found.problem == row.reason
    return (row.size, row.mtime_ns) == (found.size, found.mtime_ns)
