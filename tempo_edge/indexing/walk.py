"""Find footage under folders: which files to index, and why others are left out."""

# Strings and `os` instead of `Path`: a walk touches every file, and this is several times as fast.
# ruff: noqa: PTH116

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from tempo_edge._files.absolute import encodable
from tempo_edge._files.letter_case import is_as_listed
from tempo_edge._files.names import UNREACHABLE
from tempo_edge._files.spelling import beginning, name_of, spelled
from tempo_edge.indexing.selection import Beside, Selection

__all__ = ["LAST_NS", "FoundFile", "examine", "find_footage"]

# The latest time of change that a library can hold, in nanoseconds: in the year 2262.
LAST_NS = 2**63 - 1

_Identity = tuple[int, int]


class FoundFile(NamedTuple):
    """A file that may be footage. One is made of every file: a frozen dataclass takes 1 µs more.

    Attributes:
        path: where it is; always valid UTF-8.
        size, mtime_ns: its length in bytes and time of change; zeros where they can't be told.
        problem: why it can't be footage, known without opening it; or empty.
        passing: the problem may be gone at the next look, with size and time unchanged.
        folder: it is a folder that can't be listed: what lies in it is not known.
    """

    path: str
    size: int
    mtime_ns: int
    problem: str = ""
    passing: bool = False
    folder: bool = False


@dataclass(frozen=True)
class _Branch:
    """A folder on the way from the root, and the folders above it."""

    identity: _Identity
    above: _Branch | None

    def holds(self, identity: _Identity) -> bool:
        """True if that folder is this one or lies above it."""
        branch: _Branch | None = self
        while branch is not None:
            if branch.identity == identity:
                return True
            branch = branch.above
        return False


def find_footage(root: Path, selection: Selection) -> Iterator[FoundFile]:
    """Files to index at or under ``root``, an absolute path, in a steady order.

    A file given by name is taken whatever its suffix. Links are followed, each folder once; a link
    back to a folder that it lies in is reported. What is not there at all gives nothing, nor does a
    name that something had until only the case of its letters was changed.

    Args:
        root: a file or a folder.
        selection: which of the files under it are taken.
    """
    if selection.excludes_root(root.is_dir()) or not is_as_listed(spelled(root)):
        return
    if root.is_dir():
        yield from _walk(spelled(root), selection)
    elif os.path.lexists(root):
        yield examine(spelled(root))


def _walk(root: str, selection: Selection) -> Iterator[FoundFile]:
    """Depth first with a list of its own, because folders may be nested deeper than calls may."""
    visited: set[_Identity] = set()
    folders: list[tuple[str, _Branch | None]] = [(root, None)]
    links: deque[tuple[str, _Branch | None]] = deque()  # last, so that real paths win
    while folders or links:
        folder, above = folders.pop() if folders else links.popleft()
        try:
            facts = os.stat(folder)
            identity = (facts.st_dev, facts.st_ino)
            if identity in visited:
                if above is not None and above.holds(identity):
                    problem = "is a link back to a folder that it lies in"
                    yield FoundFile(encodable(folder), 0, 0, problem)
                continue
            visited.add(identity)
            with os.scandir(folder) as scan:
                entries = sorted(scan, key=attrgetter("name"))
        except OSError as error:
            problem = f"can't be listed: {_reason(error)}"
            yield FoundFile(encodable(folder), 0, 0, problem, passing=True, folder=True)
            continue
        branch = _Branch(identity, above)
        beside = Beside(entry.name for entry in entries)
        inner: list[tuple[str, _Branch | None]] = []
        above_all = beginning(folder)
        for entry in entries:
            path = above_all + entry.name  # an entry's own is joined as the system joins
            if _is_folder(entry):
                if selection.enters(path, entry.is_symlink()):
                    (links if entry.is_symlink() else inner).append((path, branch))
            elif selection.takes(path, entry.is_symlink(), beside):
                yield examine(path)
        folders += reversed(inner)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads round in a circle, say
        return False


def examine(path: str, unreachable: Callable[[str], str] = UNREACHABLE) -> FoundFile:
    """The facts of a file that can be told without opening it.

    Args:
        unreachable: why a file of a name can't be reached on this system; empty where it can.
    """
    if not path.isascii() and (shown := encodable(path)) != path:
        return FoundFile(shown, 0, 0, "its name is not valid UTF-8: rename it to index it")
    name = name_of(path)
    if problem := unreachable(name):
        return FoundFile(path, 0, 0, problem)  # it isn't touched: it may be a device
    try:
        facts = os.stat(path)
    except OSError as error:
        return FoundFile(path, 0, 0, f"can't be read: {_reason(error)}", passing=True)
    if not stat.S_ISREG(facts.st_mode):
        return FoundFile(path, 0, 0, "is not a regular file")
    if name.startswith("._"):
        problem = "is a macOS resource fork, not a video"
    elif facts.st_size == 0:
        problem = "is empty (0 bytes)"
    else:
        problem = ""
    # A clock may be set to a year that the library's whole numbers don't reach.
    return FoundFile(path, facts.st_size, min(facts.st_mtime_ns, LAST_NS), problem)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
