"""Everything that a library knows of a video and of its files: read, compared, and put again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge.capture.facts import Capture
from tempo_edge.store.interface import Catalogue, WritableCatalogue
from tempo_edge.store.passes import PassState
from tempo_edge.store.rows import Contents, FileRow, FrameRow, VideoRow
from tempo_edge.words.line import KINDS, Line

__all__ = ["FileRecord", "VideoRecord"]

# All the ticks that there are.
_ALL = (-(2**63), 2**63 - 1)


@dataclass(frozen=True)
class FileRecord:
    """A file of a video.

    Attributes:
        row: the file; the id of its video is not set.
        capture: (mark, capture) as they were noted, or None.
        words: (mark, remark) as they were noted of its words, or None.
        lines: the lines of words that go with it, in the order in which they were put.
    """

    row: FileRow
    capture: tuple[str, Capture] | None
    words: tuple[str, str] | None
    lines: tuple[Line, ...]

    @classmethod
    def read(cls, catalogue: Catalogue, row: FileRow) -> FileRecord:
        """What a catalogue knows of a file."""
        words = catalogue.file_words(row.path)
        return cls(
            replace(row, video_id=None),
            catalogue.file_capture(row.path),
            None if words is None else (words.mark, words.remark),
            () if words is None else tuple(hit.line for hit in words.lines),
        )

    def put(self, catalogue: WritableCatalogue, video_id: int | None) -> None:
        """Put the file in the place of the one at its path, in the caller's transaction.

        Args:
            video_id: the video that it holds; None of one that was skipped.
        """
        path = self.row.path
        catalogue.put_file(replace(self.row, video_id=video_id))
        if self.capture is not None and video_id is not None:
            catalogue.note_capture(path, *self.capture)
        if self.lines and video_id is not None:
            catalogue.put_lines(video_id, KINDS, self.lines, path)
        if self.words is not None:
            catalogue.note_words(path, *self.words)


@dataclass(frozen=True, eq=False)
class VideoRecord:
    """A video with its frames, and what was read of its contents.

    Attributes:
        key: of its contents; no two videos of a library have the same.
        video: its facts.
        frames: all that were looked at, in time order.
        curve: the variation curve, ``[n, 2]`` (seconds, variation).
        remark: what the owner of its files should know.
        indexed_seconds: when it was indexed, in seconds since 1970; None where that is not known.
        contents: what is known of the bytes of its files.
        lines: the lines of words of its contents, in the order in which they were put.
        passes: how far each later pass is that has begun, by the kind of its lines.
    """

    key: bytes
    video: VideoRow
    frames: list[FrameRow]
    curve: NDArray[np.float32]
    remark: str
    indexed_seconds: float | None
    contents: Contents
    lines: tuple[Line, ...]
    passes: Mapping[str, PassState]

    @classmethod
    def read(cls, catalogue: Catalogue, video_id: int) -> VideoRecord:
        """What a catalogue knows of a video that some file holds.

        Raises:
            LibraryError: there is no such video, or a row of it is damaged.
        """
        states = {kind: catalogue.pass_state(kind, video_id) for kind in KINDS}
        path = catalogue.files_of(video_id)[0].path
        listed = next(catalogue.each_video(Path(path), limit=1), None)
        return cls(
            catalogue.contents_key(video_id),
            catalogue.video(video_id),
            catalogue.frames_of(video_id, *_ALL),
            catalogue.curve(video_id),
            catalogue.remark(video_id),
            None if listed is None else listed.indexed_seconds,
            catalogue.contents(video_id),
            tuple(hit.line for hit in catalogue.contents_lines(video_id)),
            {kind: state for kind, state in states.items() if state is not None},
        )

    def shows_the_same(self, other: VideoRecord) -> bool:
        """Whether both were read of the same contents in the same way: every frame is equal."""
        return (
            (self.key, self.video) == (other.key, other.video)
            and np.array_equal(self.curve, other.curve)
            and len(self.frames) == len(other.frames)
            and all(map(_is_same, self.frames, other.frames))
        )

    def is_known_to(self, other: VideoRecord) -> bool:
        """Whether another record holds all of this one, and maybe more."""
        return (
            self.shows_the_same(other)
            and self.remark == other.remark
            and all(
                mine is None or mine == getattr(other.contents, name)
                for name, mine in vars(self.contents).items()
            )
            and all(other.passes.get(kind) == state for kind, state in self.passes.items())
            and all(self._lines(kind) == other._lines(kind) for kind in self._kinds())
        )

    def put(self, catalogue: WritableCatalogue) -> int:
        """Put all of it in the caller's transaction; gives the video's id.

        Frames of the same contents stay as they are there, and so do lines and passes of kinds of
        which nothing is known here. Of the bytes of its files what was known stays.
        """
        video_id = catalogue.put_video(
            self.key, self.video, self.frames, self.curve, self.remark, self.indexed_seconds
        )
        if catalogue.remark(video_id) != self.remark:
            catalogue.note_remark(video_id, self.remark)
        if self.contents != Contents():
            catalogue.note_contents(video_id, self.contents)
        kinds = self._kinds()
        catalogue.put_lines(video_id, kinds, [each for each in self.lines if each.kind in kinds])
        for kind, state in self.passes.items():
            catalogue.note_pass(kind, video_id, state)
        return video_id

    def _kinds(self) -> list[str]:
        """The kinds of lines of which something is known."""
        return sorted({*self.passes, *(line.kind for line in self.lines)})

    def _lines(self, kind: str) -> list[Line]:
        return [line for line in self.lines if line.kind == kind]


def _is_same(frame: FrameRow, other: FrameRow) -> bool:
    return (frame.pts, frame.variation, frame.cut) == (other.pts, other.variation, other.cut) and (
        np.array_equal(frame.vector, other.vector)
        and np.array_equal(frame.cells, other.cells)
        and np.array_equal(frame.tokens, other.tokens)
    )
