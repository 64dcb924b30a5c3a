"""A library on a server as this machine sees it: all paths that go in and come out are its own.

Below, a path is what is kept: a volume's name and what is inside, or a path from the root. This is
the one place where either becomes the other. Paths of this machine that begin alike may be kept in
several ways, area by area (:class:`~tempo_edge.volumes.placement.Area`), each in order by itself.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from tempo_edge._files.spelling import spelled
from tempo_edge.capture.facts import Capture
from tempo_edge.store.evidence import FileWords
from tempo_edge.store.listing import ListedVideo, listed_in
from tempo_edge.store.postgres.volumes import VolumeTable
from tempo_edge.store.rows import FileRow
from tempo_edge.volumes.placement import Area
from tempo_edge.words.line import Line

__all__ = ["PlacedCatalogue"]

T = TypeVar("T")

# What the rows of each order are told apart by, as they come from each area.
_ORDERS: dict[str, Callable[[ListedVideo], Any]] = {
    "name": lambda listed: listed.file.path,
    "time": lambda listed: (-(listed.file.video_id or 0), listed.file.path),
    "length": lambda listed: (-listed.duration_seconds, listed.file.path),
    "size": lambda listed: (-listed.file.size, listed.file.path),
}


class PlacedCatalogue(VolumeTable):
    """One library's rows by this machine's paths; what a method does, its interface says."""

    # -- one row or some ---------------------------------------------------------------------------

    def file(self, path: str) -> FileRow | None:
        """The row of one file, or None."""
        row = self._file(self.kept_path(path))
        return None if row is None else self._here(row)

    def files_of(self, video_id: int) -> list[FileRow]:
        """Every file that holds a video, by path."""
        rows = map(self._here, super().files_of(video_id))
        return sorted(rows, key=lambda row: row.path)

    def put_file(self, row: FileRow) -> None:
        """Insert or replace one file row."""
        mount = self._placement.kept_mount(row.path, row.volume)
        super().put_file(replace(row, path=self.kept_path(row.path), volume=mount))

    def drop_files(self, paths: Iterable[str]) -> None:
        """Forget files by path."""
        super().drop_files(map(self.kept_path, paths))

    def note_verified(self, path: str, run: int) -> None:
        """Note that all bytes of a file were found to be its video's."""
        super().note_verified(self.kept_path(path), run)

    def verified(self, path: str) -> int | None:
        """The run that was noted last for a file, or None."""
        return super().verified(self.kept_path(path))

    def note_capture(self, path: str, mark: str, capture: Capture) -> None:
        """Note a file's capture."""
        super().note_capture(self.kept_path(path), mark, capture)

    def file_capture(self, path: str) -> tuple[str, Capture] | None:
        """(mark, capture) as they were noted of one file, or None."""
        return super().file_capture(self.kept_path(path))

    def capture_marks(self, paths: Sequence[str]) -> dict[str, str]:
        """By path, the mark of those files among some whose capture was noted."""
        return self._by_path(paths, super().capture_marks)

    def note_words(self, path: str, mark: str, remark: str = "") -> None:
        """Note what words of a file were read."""
        super().note_words(self.kept_path(path), mark, remark)

    def file_words(self, path: str) -> FileWords | None:
        """What words of one file were read; None where none were."""
        return super().file_words(self.kept_path(path))

    def word_marks(self, paths: Sequence[str]) -> dict[str, str]:
        """By path, the mark of those files among some whose words were read."""
        return self._by_path(paths, super().word_marks)

    def _by_path(
        self, paths: Sequence[str], known: Callable[[Sequence[str]], dict[str, str]]
    ) -> dict[str, str]:
        if not self._placement:
            return known(paths)
        asked = {self.kept_path(path): path for path in paths}
        return {asked[kept]: mark for kept, mark in known(list(asked)).items()}

    def put_lines(
        self,
        video_id: int,
        kinds: Collection[str],
        lines: Iterable[Line],
        path: str | None = None,
    ) -> None:
        """Put lines in the place of those of some kinds that there are."""
        kept = None if path is None else self.kept_path(path)
        super().put_lines(video_id, kinds, lines, kept)

    # -- many rows, in order -----------------------------------------------------------------------

    def each_file(self, under: Path | None = None) -> Iterator[FileRow]:
        """The rows of files in the order of their paths, few at a time."""
        if not self._placement:
            yield from super().each_file(under)
            return
        each = super().each_file
        yield from self._merged(under, each, self._here, lambda row: row.path, lambda row: row.path)

    def listing(self, folder: str) -> tuple[list[FileRow], list[str]]:
        """Rows of the files in a folder, and the folders in it that hold others further down."""
        return (
            listed_in(folder, self._local_between) if self._placement else super().listing(folder)
        )

    def _local_between(self, first: str, end: str) -> Iterator[FileRow]:
        def rows(area: Area, low: str, high: str) -> Iterator[FileRow]:
            return (self._here(row) for row in self._between(low, high) if area.keeps(row.path))

        spans = [(area, area.span(first, end)) for area in self._placement.areas]
        streams = [rows(area, *span) for area, span in spans if span is not None]
        yield from heapq.merge(*streams, key=lambda row: row.path)

    def each_video(
        self, under: Path | None = None, order: str = "name", limit: int | None = None
    ) -> Iterator[ListedVideo]:
        """The files that were indexed, few of which are in memory at a time."""
        if not self._placement:
            yield from super().each_video(under, order, limit)
            return

        def each(spot: Path) -> Iterator[ListedVideo]:
            return super(PlacedCatalogue, self).each_video(spot, order)

        def here(listed: ListedVideo) -> ListedVideo:
            return replace(listed, file=self._here(listed.file))

        merged = self._merged(under, each, here, lambda listed: listed.file.path, _ORDERS[order])
        yield from islice(merged, limit)

    def word_remarks(self, under: Path | None = None) -> Iterator[tuple[str, str]]:
        """(path, remark) of the files whose words there is something to say about, by path."""
        yield from self._remarks(under, super().word_remarks)

    def pass_remarks(self, under: Path | None = None) -> Iterator[tuple[str, str]]:
        """(path, remark) of the files that some pass has something to say about, by path."""
        yield from self._remarks(under, super().pass_remarks)

    def _remarks(
        self, under: Path | None, each: Callable[[Path | None], Iterator[tuple[str, str]]]
    ) -> Iterator[tuple[str, str]]:
        if not self._placement:
            yield from each(under)
            return

        def here(remark: tuple[str, str]) -> tuple[str, str]:
            return self.local_path(remark[0]), remark[1]

        yield from self._merged(under, each, here, lambda row: row[0], lambda row: row[0])

    def files_due(self, kind: str, mark: str, under: Path) -> list[FileRow]:
        """The files at or under a path that a pass is not done with, by path."""
        if not self._placement:
            return super().files_due(kind, mark, under)

        def each(spot: Path) -> Iterator[FileRow]:
            return iter(super(PlacedCatalogue, self).files_due(kind, mark, spot))

        return list(
            self._merged(under, each, self._here, lambda row: row.path, lambda row: row.path)
        )

    def _merged(
        self,
        under: Path | None,
        each: Callable[[Path], Iterator[T]],
        here: Callable[[T], T],
        path_of: Callable[[T], str],
        key: Callable[[T], Any],
    ) -> Iterator[T]:
        """Rows at or under a path of this machine, of each area in order, as one list in order.

        Args:
            each: gives the rows at or under a path that is kept, in order.
            here: gives a row as this machine has it.
            path_of: gives the path of a row as it is kept.
            key: what rows of this machine are in the order of.
        """

        def rows(spot: str, area: Area) -> Iterator[T]:
            return (here(row) for row in each(Path(spot)) if area.keeps(path_of(row)))

        scope = None if under is None else spelled(under)
        streams = [rows(*spot) for spot in self._placement.spots(scope)]
        yield from heapq.merge(*streams, key=key)
