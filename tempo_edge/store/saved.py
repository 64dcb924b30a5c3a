"""The part of a store's interface that keeps saved searches, and what they have told."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Claim", "Saved", "SavedRow", "WritableSaved"]


@dataclass(frozen=True)
class SavedRow:
    """A saved search as a library keeps it.

    Attributes:
        number: of the search in this library; never used twice.
        name: what its user calls it.
        query: what it asks, as :mod:`tempo_edge.saved.query_text` writes it.
        deeds: what is done where it matches, as :mod:`tempo_edge.saved.deeds` writes it.
        seal: what shows who said so.
        since_video: only videos of higher ids are new to it.
        video, line: the highest ids of a video and of a line that it has been held against.
    """

    number: int
    name: str
    query: str
    deeds: str
    seal: str
    since_video: int
    video: int
    line: int


@dataclass(frozen=True)
class Claim:
    """A moment that a saved search tells, or has told.

    Attributes:
        id: of this telling, for whoever is told twice.
        search: the number of the search; ``contents``: the key of the video's contents.
        start_seconds, end_seconds: the half-open span.
        moment: what is told of it, as JSON.
        done: what has been done of what is to be done.
        is_told: whether nothing is left to be done.
    """

    id: str
    search: int
    contents: bytes
    start_seconds: float
    end_seconds: float
    moment: str
    done: tuple[str, ...] = ()
    is_told: bool = False

    def is_same(self, other: Claim) -> bool:
        """Whether both are one moment: half of the shorter one of them lies in the other."""
        shared = min(self.end_seconds, other.end_seconds) - max(
            self.start_seconds, other.start_seconds
        )
        shorter = min(
            self.end_seconds - self.start_seconds, other.end_seconds - other.start_seconds
        )
        of_one = self.search == other.search and self.contents == other.contents
        return of_one and shared > 0 and 2 * shared >= shorter


class Saved(ABC):
    """The saved searches of a library, to be read. Libraries of before have none."""

    @abstractmethod
    def saved(self) -> list[SavedRow]:
        """The saved searches, by name."""

    @abstractmethod
    def claims(self, search: int, *, untold: bool = False) -> list[Claim]:
        """What a search tells and has told, in the order in which it came; or what is not told."""

    @abstractmethod
    def videos_due(self, search: SavedRow) -> list[int]:
        """Ids of the videos that are new to a search, or have new lines of words; sorted."""

    @abstractmethod
    def newest(self) -> tuple[int, int]:
        """The highest ids of a video and of a line of words; 0 where there is none."""

    @abstractmethod
    def contents_key(self, video_id: int) -> bytes:
        """The key of a video's contents, which it was put with.

        Raises:
            LibraryError: the library has no such video.
        """


class WritableSaved(Saved):
    """The saved searches of a library, to be read and written.

    These rows are nobody else's, so that they may be written while another process holds the lock.
    """

    @abstractmethod
    def put_saved(self, row: SavedRow) -> int:
        """Insert a search, whatever number it has; gives its own.

        Raises:
            RefusedRowError: there is one of this name.
        """

    @abstractmethod
    def drop_saved(self, name: str) -> bool:
        """Forget a search and what it told; gives whether there was one."""

    @abstractmethod
    def note_searched(self, search: int, videos: Iterable[int], video: int, line: int) -> None:
        """Note what a search was held against, these videos among that; see :class:`SavedRow`."""

    @abstractmethod
    def note_due(self, search: int, videos: Iterable[int]) -> None:
        """Note that videos are new to a search, whatever their ids."""

    @abstractmethod
    def put_claim(self, claim: Claim) -> bool:
        """Insert a moment; gives False, and leaves all as it is, where it is one that there is."""

    @abstractmethod
    def note_done(self, claim: Claim) -> None:
        """Note what has been done of a claim, and whether that is all."""
