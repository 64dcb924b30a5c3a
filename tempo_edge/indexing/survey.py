"""What a walk over folders finds, beside what a library knows of them."""

# Strings and `os` instead of `Path`: a walk touches every file, and this is several times as fast.
# ruff: noqa: PTH112

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tempo_edge._files.letter_case import is_as_listed
from tempo_edge._files.spelling import beginning, folder_of
from tempo_edge.capture.sidecars import CaptureSidecar
from tempo_edge.indexing.selection import Selection
from tempo_edge.indexing.walk import FoundFile, examine
from tempo_edge.store.interface import WritableCatalogue
from tempo_edge.store.rows import FileRow
from tempo_edge.words.sidecars import Sidecar

__all__ = ["KnownRows", "Survey", "Wordless", "is_same", "named_before"]


@dataclass(frozen=True)
class Wordless:
    """A file that is as it was, but for words that were not read.

    Attributes:
        found: the file.
        video: the id of its video.
    """

    found: FoundFile
    video: int


@dataclass
class Survey:
    """What came of a walk over the roots; of files that are as they were nothing is held.

    Attributes:
        work: files that are new or changed, by path.
        known: the library's rows of those.
        unmet: its rows of files that were not found, by path.
        wordless: files that are as they were, but for words that were not read; by path.
        sidecars: subtitle files beside those of both, where there are any; by path.
        untold: files that are as they were, but for captures that were not read; by path.
        beside: files beside those that may tell captures, where there are any; by path.
        hidden: folders that could not be listed, each with its closing slash.
        seen: every path that is there, where roots overlap; None where none is come to twice.
    """

    work: dict[str, FoundFile] = field(default_factory=dict)
    known: dict[str, FileRow] = field(default_factory=dict)
    unmet: dict[str, FileRow] = field(default_factory=dict)
    wordless: dict[str, Wordless] = field(default_factory=dict)
    sidecars: dict[str, Sequence[Sidecar]] = field(default_factory=dict)
    untold: dict[str, FoundFile] = field(default_factory=dict)
    beside: dict[str, Sequence[CaptureSidecar]] = field(default_factory=dict)
    hidden: list[str] = field(default_factory=list)
    seen: set[str] | None = None

    @staticmethod
    def of(roots: Sequence[str]) -> Survey:
        """A survey of some roots that has yet to begin."""
        return Survey(seen=set() if _overlap(roots) else None)

    def is_new(self, path: str) -> bool:
        """Whether a path was not come to before, by way of another root."""
        if self.seen is None:
            return True
        before = len(self.seen)
        self.seen.add(path)
        return len(self.seen) > before

    def gone(self) -> list[FileRow]:
        """Rows of files that were not found, where it is sure that they were looked for."""
        hidden, seen = tuple(self.hidden), self.seen or ()
        return [
            row
            for path, row in sorted(self.unmet.items())
            if path not in seen and not path.startswith(hidden)
        ]


class KnownRows:
    """The library's rows at and under a root, read folder by folder as a walk comes to them.

    Args:
        catalogue: has the rows.
        root: a file or a folder.
        marked: whether the marks of words are read as well.
    """

    def __init__(self, catalogue: WritableCatalogue, root: str, *, marked: bool = False) -> None:
        self._catalogue = catalogue
        self._root = root
        self._marked = marked
        self._marks: dict[str, str] = {}
        self._capture_marks: dict[str, str] = {}
        #: The folder of the file that was asked for last.
        self.folder: str | None = None
        #: Folders that rows lie under and that no walk came to yet.
        self._waiting = {root}
        row = catalogue.file(root)
        self._unmet: dict[str, FileRow] = {}
        self._hold([] if row is None else [row])

    def take(self, path: str) -> FileRow | None:
        """The row of a file that was found, which is not given again; None for a new file."""
        folder = folder_of(path)
        if folder != self.folder:
            self.folder = folder
            self._reach(folder)
        return self._unmet.pop(path, None)

    def mark(self, path: str) -> str:
        """The mark of the words that were read of a file which was taken, or nothing."""
        return self._marks.pop(path, "")

    def capture_mark(self, path: str) -> str:
        """The mark of the capture that was read of a file which was taken, or nothing."""
        return self._capture_marks.pop(path, "")

    def rest(self) -> dict[str, FileRow]:
        """The rows that were not taken, by path and in its order."""
        while self._waiting:
            self._read(self._waiting.pop())
        return dict(sorted(self._unmet.items()))

    def _reach(self, folder: str) -> None:
        """Read a folder, and before it those above, which tell what lies in them."""
        way = [folder]
        while len(way[-1]) > len(self._root):
            way.append(folder_of(way[-1]))
        for each in reversed(way):
            if each in self._waiting:
                self._waiting.remove(each)
                self._read(each)

    def _read(self, folder: str) -> None:
        rows, folders = self._catalogue.listing(folder)
        self._hold(rows)
        self._waiting.update(folders)

    def _hold(self, rows: Sequence[FileRow]) -> None:
        for row in rows:
            self._unmet[row.path] = row
        holding = [row.path for row in rows if row.video_id is not None]
        self._capture_marks.update(self._catalogue.capture_marks(holding))
        if self._marked:
            self._marks.update(self._catalogue.word_marks(holding))


def _overlap(roots: Sequence[str]) -> bool:
    """Whether one of some paths is another, or lies under it."""
    ordered = sorted(map(beginning, roots))
    return any(later.startswith(root) for root, later in pairwise(ordered))


def named_before(known: KnownRows, selection: Selection) -> Iterator[FoundFile]:
    """Files that no walk takes, and that somebody named once: they stay while they are there.

    Args:
        known: what is left of it when the walk is over.
    """
    for path in filter(selection.must_be_named, known.rest()):
        there = os.path.lexists(path) and not os.path.isdir(path) and is_as_listed(path)
        if there and not selection.rejects(path):
            yield examine(path)


def is_same(found: FoundFile, row: FileRow) -> bool:
    """True if there is nothing new to learn about a file."""
    if found.problem:
        return not found.passing and found.problem == row.reason
    return row.mtime_ns == found.mtime_ns and row.size == found.size
