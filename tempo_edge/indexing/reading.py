"""A file that a walk found, to its footage, unless its contents are known already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from tempo_edge.errors import MediaError, TempoEdgeError
from tempo_edge.indexing.captures import CaptureRead, CaptureReader
from tempo_edge.indexing.footage import Footage
from tempo_edge.indexing.journal import Journal
from tempo_edge.indexing.problems import PassingError, check_still
from tempo_edge.indexing.reading_ahead import Reading
from tempo_edge.indexing.recognition import Recognizer
from tempo_edge.indexing.words import WordReader
from tempo_edge.store.rows import Contents
from tempo_edge.words.reading import Words

__all__ = ["CopiesUnderWay", "FileRead", "FileReader", "VideoReader"]


class VideoReader(Protocol):
    """Turns a video file into footage."""

    def read(
        self,
        path: Path,
        on_progress: Callable[[float, float], None] | None = None,
        checkpoint: Callable[[], None] = lambda: None,
        on_decoded: Callable[[], None] = lambda: None,
    ) -> Footage:
        """Decode, measure and encode one file; see :class:`FootageReader`."""


@dataclass(frozen=True)
class FileRead:
    """What was read of a file.

    Attributes:
        contents: what its bytes are.
        video_id: the video, if it is known already; ``footage``: what it shows, if it is not.
        words: what is said in it, or None where nobody asked.
        capture: when, where and by what it was taken.
    """

    contents: Contents
    video_id: int | None
    footage: Footage | None
    words: Words | None
    capture: CaptureRead | None = None


class CopiesUnderWay:
    """The files under way by the samples of their contents, for the thread that writes.

    Of two that are alike the later one waits for the other, and is recognized then.
    """

    def __init__(self) -> None:
        self._read_by: dict[bytes, Reading] = {}

    def before(self, reading: Reading, sample: bytes) -> Reading | None:
        """An earlier file with this sample that is yet to be stored; asked in file order."""
        other = self._read_by.setdefault(sample, reading)
        return None if other is reading else other

    def settle(self, reading: Reading) -> None:
        """Note that a file was stored, or why it was not."""
        for sample in [key for key, other in self._read_by.items() if other is reading]:
            del self._read_by[sample]
        reading.settled.set_result(None)


class FileReader:
    """Reads the files of one library, each on a thread of its own.

    Args:
        recognizer: tells the videos that are known already.
        copies: those that will be known soon.
        reader: reads a file that no run died at.
        confined: reads a file that one did, without dying of it too.
        journal: which files those are.
        words: reads those of each file as well; ``captures``: when and where it was taken.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        copies: CopiesUnderWay,
        reader: VideoReader,
        confined: VideoReader,
        journal: Journal,
        words: WordReader,
        captures: CaptureReader,
    ) -> None:
        self._recognizer = recognizer
        self._copies = copies
        self._reader = reader
        self._confined = confined
        self._journal = journal
        self._words = words
        self._captures = captures

    def read(self, reading: Reading) -> FileRead:
        """What the file holds.

        Raises:
            MediaError: the file can't be used.
            Stopped: the run ends.
        """
        found = reading.found
        # What can't be read waits as well: else it would let the files after it pass those before.
        reading.desk.wait_for(reading.turn)
        if found.problem:
            raise (PassingError if found.passing else MediaError)(found.problem)
        contents, video_id = self._recognize(reading)
        reading.is_recognized()
        if video_id is not None:
            words = self._words.of_known(found, video_id)
            return FileRead(contents, video_id, None, words, self._captures.of(found))
        try:
            contents, footage = self._footage(reading, contents)
        except TempoEdgeError:
            check_still(found)
            raise
        except Exception as error:  # decoders of damaged files fail in ways nobody foresaw
            check_still(found)
            raise PassingError(f"can't be indexed: {type(error).__name__}: {error}") from error
        words, capture = self._words.of_new(found, footage.video), self._captures.of(found)
        check_still(found)
        return FileRead(contents, None, footage, words, capture)

    def _recognize(self, reading: Reading) -> tuple[Contents, int | None]:
        """What the recognizer says once no earlier file that is alike is under way."""
        while True:
            contents, video_id = self._recognizer.recognize(reading.found)
            if video_id is not None:
                return contents, video_id
            sample = contents.sample or b""
            other = reading.desk.ask(partial(self._copies.before, reading, sample))
            if other is None:
                return contents, None
            reading.desk.wait_for(other.settled)

    def _footage(self, reading: Reading, contents: Contents) -> tuple[Contents, Footage]:
        found = reading.found
        how = reading.tell, reading.desk.checkpoint, reading.leave
        if self._journal.suspects(found):
            return contents, self._confined.read(Path(found.path), *how)
        reading.desk.ask(partial(self._journal.begin, found))
        footage = self._reader.read(Path(found.path), *how)
        return self._recognizer.contents_read(found, contents, footage.remarks), footage
