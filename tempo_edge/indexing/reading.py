"""A file that a walk found, to its footage, unless its contents are known already."""

# Strings and `os` instead of `Path`: a walk touches every file, and this is several times as fast.
# ruff: noqa: PTH116

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tempo_edge.errors import MediaError, TempoEdgeError
from tempo_edge.indexing.footage import Footage
from tempo_edge.indexing.journal import Journal
from tempo_edge.indexing.walk import LAST_NS, FoundFile
from tempo_edge.store.interface import Catalogue

__all__ = ["FileReader", "FromCallerError", "PassingError", "Stopped", "VideoReader"]


class Stopped(BaseException):
    """The caller asked for an end; passes through everything that mends errors."""


class FromCallerError(BaseException):
    """Carries what the caller's own ``on_event`` raised past everything that mends errors."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class PassingError(MediaError):
    """A reason that may be gone at the next run though the file stays as it is."""


class VideoReader(Protocol):
    """Turns a video file into footage."""

    def read(
        self, path: Path, on_progress: Callable[[float, float], None] | None = None
    ) -> Footage:
        """Decode, measure and encode one file; see :class:`FootageReader`."""


class FileReader:
    """Reads the files of one library.

    Args:
        catalogue: what is known already.
        reader: reads a file that no run died at.
        confined: reads a file that one did, without dying of it too.
        journal: which files those are.
        check_stop: called often; raises :class:`Stopped` once the run is to end.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        reader: VideoReader,
        confined: VideoReader,
        journal: Journal,
        check_stop: Callable[[], None],
    ) -> None:
        self._catalogue = catalogue
        self._reader = reader
        self._confined = confined
        self._journal = journal
        self._check_stop = check_stop

    def read(
        self, found: FoundFile, progress: Callable[[float, float], None]
    ) -> tuple[bytes, int | None, Footage | None]:
        """(content hash, the video if it is known already, or else its footage).

        Raises:
            MediaError: the file can't be used.
        """
        if found.problem:
            raise (PassingError if found.passing else MediaError)(found.problem)
        content_hash = self._content_hash(found)
        video_id = self._catalogue.video_by_hash(content_hash)
        if video_id is not None:
            return content_hash, video_id, None
        try:
            footage = self._footage(found, progress)
        except FromCallerError as caught:
            raise caught.error from None
        except TempoEdgeError:
            _check_still(found)
            raise
        except Exception as error:  # decoders of damaged files fail in ways nobody foresaw
            _check_still(found)
            raise PassingError(f"can't be indexed: {type(error).__name__}: {error}") from error
        _check_still(found)
        return content_hash, None, footage

    def _footage(self, found: FoundFile, progress: Callable[[float, float], None]) -> Footage:
        if self._journal.suspects(found):
            return self._confined.read(Path(found.path), progress)
        with self._journal.under_way(found):
            return self._reader.read(Path(found.path), progress)

    def _content_hash(self, found: FoundFile) -> bytes:
        """SHA-256 of the whole file, at the disk's speed: a rename costs no decoding."""
        digest = hashlib.sha256()
        try:
            with open(found.path, "rb", buffering=0, opener=_open_at_once) as file:
                while block := file.read(1 << 20):
                    self._check_stop()
                    digest.update(block)
        except FileNotFoundError as error:
            raise PassingError("vanished before it was read") from error
        except OSError as error:
            raise PassingError(
                f"can't be read: {(error.strerror or str(error)).lower()}"
            ) from error
        return digest.digest()


def _open_at_once(path: str, flags: int) -> int:
    """Open a file without waiting, should it have become a pipe since it was looked at."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def _check_still(found: FoundFile) -> None:
    """Refuse a file that changed under the decoder: its frames may be of two videos."""
    try:
        facts = os.stat(found.path)
    except OSError as error:
        raise PassingError("vanished while it was read") from error
    if (facts.st_size, min(facts.st_mtime_ns, LAST_NS)) != (found.size, found.mtime_ns):
        raise PassingError("changed while it was read: index it again when it is still")
