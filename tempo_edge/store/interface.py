"""The interface of every store of libraries; :mod:`tempo_edge.store.opening` names the stores.

A store keeps one library. It gives a lock to whoever is going to write, catalogues to read and to
write rows with, and the search among vectors. Whatever keeps them, only the family of
:class:`~tempo_edge.errors.LibraryError` comes out of a snapshot, of a transaction, and of the
``with`` block of a catalogue. One conformance suite, ``tests/store/conformance``, is for all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tempo_edge._closing import Closing
from tempo_edge.store.captures import Captures, WritableCaptures
from tempo_edge.store.evidence import Evidence, WritableEvidence
from tempo_edge.store.listing import Listing
from tempo_edge.store.passes import Passes, WritablePasses
from tempo_edge.store.queue import Shared
from tempo_edge.store.saved import Saved, WritableSaved
from tempo_edge.store.volumes import Volumes, WritableVolumes

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from tempo_edge.store.backup import Backup
    from tempo_edge.store.line_vectors import LineVectors
    from tempo_edge.store.rows import Contents, FileRow, FrameRow, VideoRow
    from tempo_edge.store.vectors import Vectors

__all__ = ["Catalogue", "Sizes", "Store", "WritableCatalogue"]


@dataclass(frozen=True)
class Sizes:
    """Bytes of a library: of its rows, and of what is derived from them and may be deleted."""

    database: int
    cache: int


class Catalogue(Evidence, Listing, Passes, Captures, Saved, Volumes, Closing, ABC):
    """One library's rows, to be read. Readers never wait for the writer.

    Ids of videos and frames are whole numbers of 64 bits that rise and are never used twice. What
    is read is checked: each method that gives values of rows raises a
    :class:`~tempo_edge.errors.LibraryError` that names the one that can't be.

    Attributes:
        name: what the library is called, in errors.
        is_replaced: whether another library was found in the place of this one: open that one anew.
    """

    name: str
    is_replaced: bool

    @abstractmethod
    def close(self) -> None:
        """Release what is open. A ``with`` block does so, and says of damage that it is damage."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[None]:
        """Everything read inside is of one instant, whatever is written meanwhile.

        Raises:
            LibraryError: the library is damaged, gone, or another one now.
        """

    @abstractmethod
    def expect(self, dim: int, cells: int) -> None:
        """Refuse vectors of another length than ``dim``, and tokens of other than ``cells``."""

    @abstractmethod
    def get_meta(self, key: str) -> str | None:
        """A stored fact, or None."""

    @abstractmethod
    def totals(self) -> dict[str, float]:
        """Counts for ``status``: files by state, videos, frames, hours of footage."""

    @abstractmethod
    def count_frames(self, videos: Sequence[int] | None = None) -> int:
        """How many frames these videos have together; by default all."""

    # -- files ---------------------------------------------------------------------------------

    def files(self, under: Path | None = None) -> dict[str, FileRow]:
        """File rows by path, all of them or those at or under one path, letter by letter."""
        return {row.path: row for row in self.each_file(under)}

    @abstractmethod
    def file(self, path: str) -> FileRow | None:
        """The row of one file, or None."""

    @abstractmethod
    def each_file(self, under: Path | None = None) -> Iterator[FileRow]:
        """The rows of :meth:`files` in the order of the letters of their paths, few at a time.

        It is read to its end before anything is written.
        """

    @abstractmethod
    def files_of(self, video_id: int) -> list[FileRow]:
        """Every file that holds a video, in the order of the letters of their paths."""

    # -- videos ----------------------------------------------------------------------------------

    @abstractmethod
    def videos(self, limit: int | None = None, offset: int = 0) -> list[tuple[int, float]]:
        """(id, seconds) of the videos that some file holds, in the order of their ids."""

    @abstractmethod
    def video_by_hash(self, content_hash: bytes) -> int | None:
        """The video that was put with these contents, if the library has it."""

    @abstractmethod
    def video(self, video_id: int) -> VideoRow:
        """A video's facts.

        Raises:
            LibraryError: the library has no such video.
        """

    @abstractmethod
    def contents(self, video_id: int) -> Contents:
        """What is known of the bytes of a video's files; nothing of a video that is not there."""

    @abstractmethod
    def remark(self, video_id: int) -> str:
        """The remark made on a video when it was indexed: that it is damaged, say; or nothing."""

    @abstractmethod
    def curve(self, video_id: int) -> NDArray[np.float32]:
        """The variation curve measured while indexing: ``[n, 2]`` (seconds, variation).

        Raises:
            LibraryError: the library has no such video.
        """

    # -- frames ----------------------------------------------------------------------------------

    @abstractmethod
    def frame_keys(self, ids: Sequence[int]) -> list[tuple[int, int, int]]:
        """(id, video id, pts) of those frames among ``ids`` that some file still shows."""

    @abstractmethod
    def frames_of(self, video_id: int, first_pts: int, last_pts: int) -> list[FrameRow]:
        """Frames of a stretch in time order, with the tokens that they were granted.

        Both ends are inclusive, and may lie beyond all ticks that a library can hold.
        """

    @abstractmethod
    def frames_between(
        self, video_id: int, first_pts: int, last_pts: int
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int8]]:
        """Frames of a stretch without tokens: pts ``[n]``, cuts ``[n]``, vectors ``[n, d]``.

        Order and ends are those of :meth:`frames_of`.
        """

    @abstractmethod
    def variations(self, video_id: int) -> NDArray[np.float32]:
        """How much the picture had changed at each frame that was kept, in time order: ``[n]``."""

    @abstractmethod
    def next_pts(self, video_id: int, pts: int) -> int | None:
        """Time stamp of the first frame after ``pts``, or None at the end of the video."""


class WritableCatalogue(
    WritableEvidence, WritablePasses, WritableCaptures, WritableSaved, WritableVolumes, Catalogue
):
    """One library's rows, to be read and written; whoever opens it holds the library's lock.

    Outside a transaction, each change is one by itself.
    """

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing, whatever ends it.

        Raises:
            RefusedRowError: a value is none that can be stored, or its place is taken.
            LibraryError: the disk is full or lost, the library damaged, replaced, or held by
                another process.
        """

    @abstractmethod
    def set_meta(self, key: str, value: str) -> None:
        """Store a fact."""

    @abstractmethod
    def drop_meta(self, key: str) -> None:
        """Forget a fact."""

    @abstractmethod
    def put_file(self, row: FileRow) -> None:
        """Insert or replace one file row."""

    @abstractmethod
    def drop_files(self, paths: Iterable[str]) -> None:
        """Forget files by path; videos that no file holds any more go with :meth:`prune`."""

    @abstractmethod
    def put_video(
        self,
        content_hash: bytes,
        video: VideoRow,
        frames: Sequence[FrameRow],
        curve: NDArray[np.float32],
        remark: str = "",
        indexed_seconds: float | None = None,
    ) -> int:
        """Insert a video with its frames; gives its id.

        Contents that are there already stay as they are, and the id is that of their video.

        Args:
            curve: ``[n, 2]`` (seconds, variation).
            remark: what the owner of its files should know, in one line; see :meth:`remark`.
            indexed_seconds: when it was indexed, in seconds since 1970; by default that is now.
        """

    @abstractmethod
    def note_remark(self, video_id: int, remark: str) -> None:
        """Make a remark on a video, in the place of the one that there is; see :meth:`remark`."""

    # -- contents: asked by whoever writes alone ---------------------------------------------------

    @abstractmethod
    def note_contents(self, video_id: int, contents: Contents) -> None:
        """Add what is known by now of the bytes of a video's files; what was known stays."""

    @abstractmethod
    def videos_of_sample(self, sample: bytes) -> list[tuple[int, Contents]]:
        """(id, what is known of its bytes) of the videos with a sample, in the order of ids."""

    @abstractmethod
    def lacks_samples(self, size: int) -> bool:
        """Whether there may be videos in files of this size whose sample is not known."""

    @abstractmethod
    def note_verified(self, path: str, run: int) -> None:
        """Note that all bytes of a file were found to be its video's, until it is put again."""

    @abstractmethod
    def verified(self, path: str) -> int | None:
        """The run that :meth:`note_verified` noted last for a file, or None."""

    @abstractmethod
    def prune(self) -> int:
        """Drop the videos that no file holds, with their frames and words; gives how many."""


class Store(Shared, ABC):
    """One library by its name. Nothing of it is opened before a part is asked for.

    Args:
        name: as a user gives it.

    Attributes:
        names_volumes: whether a library can name volumes; otherwise it keeps paths as they are.
    """

    names_volumes: bool = False

    @abstractmethod
    def __init__(self, name: str | Path) -> None: ...

    @abstractmethod
    def identity(self) -> Hashable | None:
        """A mark that changes once another library has this name; None where there is none yet."""

    @abstractmethod
    def lock(self) -> AbstractContextManager[object]:
        """The writer's lock, held inside a ``with`` block: one process writes.

        Raises:
            FootageError: the library would take the place of footage.
            LibraryError: another holds it, who is named; or what is there is no library.
        """

    @abstractmethod
    def reader(self) -> Catalogue:
        """The catalogue, opened for reading.

        Raises:
            NoLibraryError: there is nothing to read yet.
            LibraryError: what is there is something else, damaged, or of a newer tempo-edge.
        """

    @abstractmethod
    def writer(self) -> WritableCatalogue:
        """The catalogue, opened for writing, and made if need be. The caller holds the lock.

        Raises:
            LibraryError: as for :meth:`reader`; or it can't be made.
        """

    @abstractmethod
    def vectors(self, catalogue: Catalogue) -> Vectors:
        """The search among vectors, over a catalogue that this store has opened.

        Raises:
            MissingExtraError: what it takes is not installed.
        """

    @abstractmethod
    def line_vectors(self, catalogue: Catalogue) -> LineVectors:
        """The search among sentence vectors of lines, over a catalogue that it has opened."""

    def how_searched(self, catalogue: Catalogue) -> str:
        """How frames are found, in a few words; nothing where that is the same for every library.

        Args:
            catalogue: one that this store has opened, within a snapshot.
        """
        return ""

    @abstractmethod
    def back_up(self, target: Path) -> Backup:
        """Copy the library into a file that only its user may read, as of one instant.

        Raises:
            FootageError: ``target`` is footage, or another library, or the library itself.
            LibraryError: there is no library, it can't be read, or ``target`` can't be written.
        """

    @abstractmethod
    def draft(self, profile: str) -> str:
        """The name of another library beside this one, which a profile reads anew.

        Raises:
            LibraryError: there can't be one.
        """

    @abstractmethod
    def take_over(self, draft: str) -> None:
        """Let another library take the place of this one, at once and as a whole.

        Who reads this one finds it replaced, see :attr:`Catalogue.is_replaced`. The caller holds
        the locks of both.

        Args:
            draft: the other one, a :meth:`draft` of this, which is gone afterwards.

        Raises:
            LibraryError: it can't be done now. What was there stays.
        """

    def finish_taking_over(self, profile: str) -> None:
        """Do what is left where :meth:`take_over` was ended half-way, if anything is.

        Raises:
            LibraryError: another process writes to the library.
        """

    @abstractmethod
    def sizes(self) -> Sizes:
        """How much room the library takes; what can't be looked at counts as nothing."""

    @abstractmethod
    def companion(self, suffix: str) -> Path:
        """Where this machine keeps something else about this library: ``.jobs``, say."""
