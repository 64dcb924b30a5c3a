"""The part of a store's interface that is about words: lines that were read, and found again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from tempo_edge.words.line import Line

__all__ = ["Evidence", "FileWords", "LineHit", "WritableEvidence"]


@dataclass(frozen=True)
class LineHit:
    """A line of words that was found.

    Attributes:
        video: the id of its video.
        line: the line.
        rank: the higher, the better it fits among those that were found: BM25.
        found: how many of the phrases that were looked for it holds.
        id: that of the line, which rises and is never used twice.
    """

    video: int
    line: Line
    rank: float
    found: int
    id: int


@dataclass(frozen=True)
class FileWords:
    """What words of a file were read.

    Attributes:
        mark, remark: as :meth:`WritableEvidence.note_words` was told; empty where it was not.
        lines: the lines that are this file's and go with it, in the order in which they were put.
    """

    mark: str
    remark: str
    lines: tuple[LineHit, ...]


class Evidence(ABC):
    """The lines of words of a library, to be read. What they go by is that of its catalogue."""

    @abstractmethod
    def lines(self, video_id: int) -> list[Line]:
        """The lines of words of a video in the order of their times."""

    @abstractmethod
    def contents_lines(self, video_id: int) -> list[LineHit]:
        """The lines of a video that are no single file's, in the order in which they were put."""

    @abstractmethod
    def file_words(self, path: str) -> FileWords | None:
        """What words of one file were read; None where none were."""

    @abstractmethod
    def matching_lines(
        self,
        phrases: Sequence[str],
        least: int,
        *,
        kinds: Collection[str] | None = None,
        videos: Collection[int] | None = None,
        limit: int = 100,
    ) -> list[LineHit]:
        """Lines that hold some of these phrases, those with the most of them first.

        A phrase is one word or several in a row; case, accents and vowel points don't count. In
        scripts that are written without spaces it is letters in a row. Of the lines that
        hold only some of the phrases, those are given that rank best, and not all where there are
        thousands.

        Args:
            least: how many of them a line must hold.
            kinds: of :data:`tempo_edge.words.line.KINDS`, those that count; by default all.
            videos: ids of the only videos whose lines may be given.
            limit: lines that are given at most.
        """

    @abstractmethod
    def lines_by_id(self, ids: Sequence[int]) -> list[LineHit]:
        """The lines with these ids that some file still holds; of no rank, and with no phrase."""

    @abstractmethod
    def rarities(self, phrases: Sequence[str]) -> list[float]:
        """How rare each phrase is: the logarithm of how many lines there are for one with it.

        Of words in a row the rarest one counts; of scripts without spaces nothing is known, and
        they are as rare as can be.
        """

    @abstractmethod
    def line_vectors(self, ids: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
        """Ids ``[n]`` and sentence vectors ``[n, d]`` of the lines among some that have one."""

    @abstractmethod
    def lines_to_read(self, limit: int) -> list[LineHit]:
        """The next lines that no sentence vector was made of, by their ids; names get none."""

    @abstractmethod
    def line_model(self) -> str:
        """The digest of the model that made the sentence vectors of lines; empty without any."""

    @abstractmethod
    def line_counts(self) -> dict[str, int]:
        """How many lines there are of each kind of which there are any."""

    @abstractmethod
    def word_remarks(self, under: Path | None = None) -> Iterator[tuple[str, str]]:
        """(path, remark) of the files whose words there is something to say about, by path.

        Args:
            under: only files at or under this path.
        """


class WritableEvidence(Evidence):
    """The lines of words of a library, to be read and written."""

    @abstractmethod
    def put_lines(
        self,
        video_id: int,
        kinds: Collection[str],
        lines: Iterable[Line],
        path: str | None = None,
    ) -> None:
        """Put lines of words in the place of those of some kinds that there are.

        Args:
            video_id: a video that is there.
            kinds: of which all lines are replaced; those of ``lines`` are of these.
            path: a file of the video, where the lines are this file's and go with it; by default
                they are of the contents, whichever file holds these.
        """

    @abstractmethod
    def begin_line_vectors(self, model: str) -> None:
        """Drop the sentence vectors of lines that another model made; there will be of this one.

        Args:
            model: its digest.
        """

    @abstractmethod
    def put_line_vectors(self, last: int, ids: Sequence[int], vectors: NDArray[np.int8]) -> None:
        """Store sentence vectors ``[n, d]`` of lines with these ids.

        Args:
            last: the id of the line up to which all have what they will get.
        """

    @abstractmethod
    def add_lines(self, video_id: int, lines: Iterable[Line]) -> None:
        """Put lines of words of the contents beside those that there are.

        Args:
            video_id: a video that is there.
        """

    @abstractmethod
    def note_words(self, path: str, mark: str, remark: str = "") -> None:
        """Note what words of a file were read, until it is put again.

        Args:
            path: a file that is there.
            mark: whatever tells it; see :meth:`word_marks`.
            remark: what the file's owner should know, in one line; see :meth:`word_remarks`.
        """

    @abstractmethod
    def word_marks(self, paths: Sequence[str]) -> dict[str, str]:
        """By path, the mark of those files among some whose words were read."""
