"""A file that a walk found, to its footage, unless its contents are known already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from tempo_edge.errors import MediaError, TempoEdgeError
from tempo_edge.indexing.footage import Footage
from tempo_edge.indexing.journal import Journal
from tempo_edge.indexing.problems import PassingError, check_still
from tempo_edge.indexing.recognition import Recognizer
from tempo_edge.indexing.walk import FoundFile
from tempo_edge.store.rows import Contents

__all__ = ["FileReader", "FromCallerError", "Stopped", "VideoReader"]


class Stopped(BaseException):
    """The caller asked for an end; passes through everything that mends errors."""


class FromCallerError(BaseException):
    """Carries what the caller's own ``on_event`` raised past everything that mends errors."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class VideoReader(Protocol):
    """Turns a video file into footage."""

    def read(
        self, path: Path, on_progress: Callable[[float, float], None] | None = None
    ) -> Footage:
        """Decode, measure and encode one file; see :class:`FootageReader`."""


class FileReader:
    """Reads the files of one library.

    Args:
        recognizer: tells the videos that are known already.
        reader: reads a file that no run died at.
        confined: reads a file that one did, without dying of it too.
        journal: which files those are.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        reader: VideoReader,
        confined: VideoReader,
        journal: Journal,
    ) -> None:
        self._recognizer = recognizer
        self._reader = reader
        self._confined = confined
        self._journal = journal

    def read(
        self, found: FoundFile, progress: Callable[[float, float], None]
    ) -> tuple[Contents, int | None, Footage | None]:
        """(what the file's bytes are, the video if it is known already, or else its footage).

        Raises:
            MediaError: the file can't be used.
        """
        if found.problem:
            raise (PassingError if found.passing else MediaError)(found.problem)
        contents, video_id = self._recognizer.recognize(found)
        if video_id is not None:
            return contents, video_id, None
        try:
            contents, footage = self._footage(found, contents, progress)
        except FromCallerError as caught:
            raise caught.error from None
        except TempoEdgeError:
            check_still(found)
            raise
        except Exception as error:  # decoders of damaged files fail in ways nobody foresaw
            check_still(found)
            raise PassingError(f"can't be indexed: {type(error).__name__}: {error}") from error
        check_still(found)
        return contents, None, footage

    def _footage(
        self, found: FoundFile, contents: Contents, progress: Callable[[float, float], None]
    ) -> tuple[Contents, Footage]:
        if self._journal.suspects(found):
            return contents, self._confined.read(Path(found.path), progress)
        with self._journal.under_way(found):
            footage = self._reader.read(Path(found.path), progress)
        return replace(contents, packets=self._recognizer.packets(found)), footage
