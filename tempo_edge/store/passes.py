"""The part of a store's interface that is about later passes: how far each is with each video."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tempo_edge.store.rows import FileRow

__all__ = ["PassState", "PassTotals", "Passes", "WritablePasses"]


@dataclass(frozen=True)
class PassState:
    """How far a later pass is with a video.

    Attributes:
        mark: tells what reads it and how: what was read with another mark is read again.
        until_seconds: when what has been read ends; 0 at the beginning.
        is_done: whether there is nothing more to be read.
        notes: what the reader wants to know when it goes on, in words of its own.
        remark: what the owner of the video's files should know, in one line, or nothing.
    """

    mark: str
    until_seconds: float = 0.0
    is_done: bool = False
    notes: str = ""
    remark: str = ""


@dataclass(frozen=True)
class PassTotals:
    """How far a later pass is with all videos that some file holds.

    Attributes:
        videos_done: videos that it is done with; ``videos``: those that there are.
        seconds_done: seconds of footage that have been read; ``seconds``: those that there are.
    """

    videos_done: int
    videos: int
    seconds_done: float
    seconds: float


class Passes(ABC):
    """How far the later passes over a library are, to be read.

    A pass is called by the kind of the lines that it reads: one of
    :data:`tempo_edge.words.line.KINDS`.
    """

    @abstractmethod
    def pass_state(self, kind: str, video_id: int) -> PassState | None:
        """How far a pass is with a video; None where it has not begun."""

    @abstractmethod
    def pass_totals(self, kind: str) -> PassTotals:
        """How far a pass is with all videos that some file holds."""

    @abstractmethod
    def pass_remarks(self, under: Path | None = None) -> Iterator[tuple[str, str]]:
        """(path, remark) of the files that some pass has something to say about, by path.

        Args:
            under: only files at or under this path.
        """


class WritablePasses(Passes):
    """How far the later passes over a library are, to be read and written."""

    @abstractmethod
    def files_due(self, kind: str, mark: str, under: Path) -> list[FileRow]:
        """The files at or under a path that a pass is not done with, by path.

        Args:
            kind: of the lines that the pass reads.
            mark: what was read with another one is due again.
        """

    @abstractmethod
    def note_pass(self, kind: str, video_id: int, state: PassState) -> None:
        """Note how far a pass is with a video that is there."""
