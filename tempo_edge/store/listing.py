"""The part of a store's interface that lists what is indexed: a folder's files, all videos."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tempo_edge._files.spelling import beginning

if TYPE_CHECKING:
    from pathlib import Path

    from tempo_edge.store.rows import FileRow

__all__ = ["ORDERS", "ListedVideo", "Listing", "PassShare", "listed_in", "paths_inside"]

#: What videos may be listed by: the path; when they were indexed, the latest first; how long they
#: are, and how large their files, the most first.
ORDERS = ("name", "time", "length", "size")


@dataclass(frozen=True)
class PassShare:
    """How far a later pass is with a listed video: ``until_seconds`` of it, or all."""

    until_seconds: float
    is_done: bool


@dataclass(frozen=True)
class ListedVideo:
    """A file that was indexed, with what is known of the video in it.

    Attributes:
        file: the file; one of two with the same contents is listed as well as the other.
        codec, width, height: as the container has them, before anything is turned upright.
        duration_seconds: what is shown of it, in seconds.
        frames: how many were looked at.
        indexed_seconds: when it was indexed, in seconds since 1970; None of what was indexed
            before that was noted.
        lines: how many lines of words there are, by their kind.
        passes: how far each later pass is that has begun, by the kind of its lines.
    """

    file: FileRow
    codec: str
    width: int
    height: int
    duration_seconds: float
    frames: int
    indexed_seconds: float | None
    lines: Mapping[str, int]
    passes: Mapping[str, PassShare]


class Listing(ABC):
    """What a library lists. What it goes by is that of its catalogue."""

    @abstractmethod
    def listing(self, folder: str) -> tuple[list[FileRow], list[str]]:
        """Rows of the files in a folder, and the folders in it that hold others further down.

        Both are in the order of letters; that of a folder is of its path and a slash.

        Args:
            folder: from the root, as a library spells it.
        """

    @abstractmethod
    def each_video(
        self, under: Path | None = None, order: str = "name", limit: int | None = None
    ) -> Iterator[ListedVideo]:
        """The files that were indexed, few of which are in memory at a time.

        It is read to its end, or closed, before anything is written.

        Args:
            under: only files at or under this path.
            order: one of :data:`ORDERS`; what is equal in it is in the order of paths.
            limit: as many at most.
        """


def paths_inside(folder: str) -> tuple[str, str]:
    """The half-open range of the paths of all that lies under a folder."""
    first = beginning(folder)
    return first, f"{first[:-1]}0"


def listed_in(
    folder: str, between: Callable[[str, str], Iterable[FileRow]]
) -> tuple[list[FileRow], list[str]]:
    """What :meth:`Listing.listing` gives, by leaps: of a folder further down one row is read.

    Args:
        between: gives the rows of a half-open range of paths, in their order.
    """
    first, end = paths_inside(folder)
    inside = len(first)
    rows: list[FileRow] = []
    folders: list[str] = []
    while first < end:
        for row in between(first, end):
            deeper = row.path.find("/", inside + 1)  # no name is empty
            if deeper > 0:  # go on behind that folder
                folders.append(row.path[:deeper])
                first = f"{row.path[:deeper]}0"
                break
            rows.append(row)
        else:
            break
    return rows, folders
