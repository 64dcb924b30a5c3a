"""The example of a query: a picture, or a moment of a video, that more like it is looked for."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from tempo_edge._files.absolute import recorded
from tempo_edge.durations import TIME, duration
from tempo_edge.errors import QueryError
from tempo_edge.moment import format_timestamp

__all__ = ["LARGEST_PICTURE", "LARGEST_SENT", "Example", "example"]

#: Bytes of a picture's file at most, and of one that is sent to a service.
LARGEST_PICTURE, LARGEST_SENT = 32 << 20, 4 << 20

_TIMES = re.compile(rf"({TIME})(?:[-–]({TIME}))?")

_HOW = "name a moment, as film.mp4@1:23 or film.mp4@1:20-1:30"
_EITHER = f"name a picture, or {_HOW.removeprefix('name ')}"

# What names of pictures end in; what it really is, its first bytes say.
_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})


@dataclass(frozen=True)
class Example:
    """What is shown instead of said. It validates itself.

    Attributes:
        name: what it is called in errors.
        picture: the bytes of a picture's file; empty of a moment.
        path: the video of a moment, as libraries know it; ``video``: its number in the library, in
            place of that.
        start_seconds, end_seconds: the moment's span, half-open; an instant has no end.
        is_decoded: whether a moment of a video that is not indexed may be decoded; else it is
            refused, for whoever asks may not read every file that there is.

    Raises:
        QueryError: it is neither a picture nor a moment, or its times are none.
    """

    name: str
    picture: bytes = field(default=b"", repr=False)
    path: Path | None = None
    video: int | None = None
    start_seconds: float = 0.0
    end_seconds: float | None = None
    is_decoded: bool = True

    def __post_init__(self) -> None:
        if bool(self.picture) + (self.path is not None) + (self.video is not None) != 1:
            raise QueryError.naming(
                "{like} {!r} must be a picture, or a moment of one video", self.name
            )
        if len(self.picture) > LARGEST_PICTURE:
            size = len(self.picture)
            raise QueryError.naming(
                "{like} {!r} has {} bytes: {} are allowed", self.name, size, LARGEST_PICTURE
            )
        if self.path is not None and not self.path.is_absolute():
            raise QueryError.naming("{like} {!r} must be a path from the root", self.name)
        end = self.end_seconds
        if not self.start_seconds >= 0 or (end is not None and not end > self.start_seconds):
            raise QueryError.naming("{like} {!r} must end after it starts: {}", self.name, _HOW)

    @property
    def is_moment(self) -> bool:
        """Whether it is a moment of a video, and no picture."""
        return not self.picture

    @property
    def place(self) -> str:
        """A moment as a text that :meth:`moment` reads back: ``PATH@START-END``, in seconds."""
        where = self.path if self.video is None else self.video
        end = "" if self.end_seconds is None else f"-{_plain(self.end_seconds)}"
        return f"{where}@{_plain(self.start_seconds)}{end}"

    @property
    def when(self) -> str:
        """A moment's time for people."""
        start = format_timestamp(self.start_seconds)
        return (
            start if self.end_seconds is None else f"{start}–{format_timestamp(self.end_seconds)}"
        )

    @staticmethod
    def moment(text: str, *, is_decoded: bool = True) -> Example:
        """The moment that a text names: ``PATH@TIME``, ``PATH@TIME-TIME``, or a number for PATH.

        Raises:
            QueryError: it names none.
        """
        where, mark, times = text.rpartition("@")
        found = _TIMES.fullmatch(times)
        if not mark or not where or found is None:
            raise QueryError.naming("{like} {!r} has no time that can be read: {}", text, _HOW)
        start, end = (None if each is None else _seconds(each, text) for each in found.groups())
        assert start is not None
        if re.fullmatch("[0-9]{1,18}", where):
            return Example(text, b"", None, int(where), start, end, is_decoded)
        return Example(text, b"", recorded(where), None, start, end, is_decoded)


def example(given: str | Path | Example | None, *, is_decoded: bool = True) -> Example | None:
    """The example that somebody names: a picture's file, which is read, or a moment of a video.

    Args:
        given: its name, or the example itself.
        is_decoded: whether a video that is not indexed may be opened for it.

    Raises:
        QueryError: there is no such file, it is too large, it is a folder, or it names no moment.
    """
    if given is None or isinstance(given, Example):
        return given
    text = os.fspath(given)
    path = Path(text).expanduser()
    if not text:
        raise QueryError.naming("{like} {!r} is empty: {}", text, _EITHER)
    if "@" in text and not os.path.lexists(path):
        where, _, times = text.rpartition("@")
        is_picture = Path(text).suffix.lower() in _PICTURES and not _TIMES.fullmatch(times)
        if where and not is_picture:
            return Example.moment(text, is_decoded=is_decoded)
    return Example(text, picture=_read(path, text))


def _read(path: Path, name: str) -> bytes:
    """The bytes of a file, no more than a picture may have."""
    try:
        if not path.exists():
            raise QueryError.naming("{like} {!r} is not there: {}", name, _EITHER)
        if not path.is_file():  # a pipe would wait for its writer
            raise QueryError.naming("{like} {!r} is not a file: {}", name, _EITHER)
        with path.open("rb") as file:
            contents = file.read(LARGEST_PICTURE + 1)
    except QueryError:
        raise
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise QueryError.naming("{like} {!r} can't be read: {}", name, why) from error
    if not contents:
        raise QueryError.naming("{like} {!r} is empty: name a picture", name)
    if len(contents) > LARGEST_PICTURE:
        size = f"more than {LARGEST_PICTURE >> 20} MiB"
        raise QueryError.naming(
            "{like} {!r} has {}: name a smaller picture, or {}", name, size, _HOW[5:]
        )
    return contents


def _seconds(text: str, whole: str) -> float:
    """The instant of a time within an example."""
    try:
        return duration(text)
    except ValueError as error:
        raise QueryError.naming("{like} {!r}: {}", whole, error) from None


def _plain(seconds: float) -> str:
    """Seconds without an exponent, to the microsecond."""
    return f"{seconds:.6f}".rstrip("0").rstrip(".")
