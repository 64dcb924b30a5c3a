"""Files beside a film that say when and where it was taken: found by its name, read with bounds."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable
from typing import NamedTuple

from tempo_edge._files.beside import names_in, regular_files
from tempo_edge._files.signatures import VIDEO_SUFFIXES
from tempo_edge.capture.facts import Capture
from tempo_edge.capture.takeout import of_takeout
from tempo_edge.capture.telemetry import is_telemetry, of_telemetry
from tempo_edge.capture.xmp import of_xmp

__all__ = [
    "MOST_BYTES",
    "CaptureSidecar",
    "CaptureSidecars",
    "capture_beside",
    "films_told_by",
]

#: Bytes that are read of a file: of telemetry the beginning, of others all or nothing.
MOST_BYTES = 1 << 20

# Files beside one film that are read.
_MOST_FILES = 8

# Google Photos cuts names that are longer, with all that it adds, and counts copies in brackets.
_TAKEOUT_LETTERS = 46
_ADDED = ".supplemental-metadata"
_COPY = re.compile(r"^(.*)(\(\d{1,4}\))(\.[^.]{1,5})$")

# By the suffix of a file, in order of trust, what it is read by; subtitles are seldom telemetry.
_SUFFIXES = (".xmp", ".json", ".srt")


class CaptureSidecar(NamedTuple):
    """A file beside a film that may say when and where it was taken.

    Attributes:
        path: where it is, as the disk has it.
        size, mtime_ns: its length in bytes and time of change.
    """

    path: str
    size: int
    mtime_ns: int


class CaptureSidecars:
    """Finds what lies beside films; each folder is listed once where films come in order."""

    def __init__(self) -> None:
        self._folder: str | None = None
        self._names: dict[str, str] = {}

    def forget(self) -> None:
        """List folders anew: something may have changed."""
        self._folder = None

    def of(self, path: str) -> tuple[CaptureSidecar, ...]:
        """The files beside a film, those that are trusted most first.

        Args:
            path: where the film is, from the root.
        """
        folder, _, name = path.rpartition("/")
        if folder != self._folder:
            self._folder = folder
            self._names = {each.casefold(): each for each in _listed(folder or "/")}
        if not self._names:
            return ()
        found = (self._names.get(each.casefold()) for each in _beside(name))
        return tuple(_examined(folder, dict.fromkeys(filter(None, found))))


def films_told_by(path: str) -> list[str]:
    """The films that a file may say something of; none where it is no such file.

    Args:
        path: where it is or was, from the root; subtitles are left to who reads words.
    """
    folder, _, name = path.rpartition("/")
    if not name.lower().endswith((".xmp", ".json")):
        return []
    wanted = name.casefold()
    return [
        f"{folder}/{film}"
        for film in _listed(folder or "/", tuple(VIDEO_SUFFIXES))
        if any(wanted == each.casefold() for each in _beside(film))
    ]


def _listed(folder: str, suffixes: tuple[str, ...] = _SUFFIXES) -> list[str]:
    """Names of the files in a folder that end in one of some suffixes."""
    return [name for name in names_in(folder) if name.lower().endswith(suffixes)]


def _beside(name: str) -> Iterable[str]:
    """The names that files beside a film may have."""
    stem = name.rpartition(".")[0] or name
    yield f"{name}.xmp"
    yield f"{stem}.xmp"
    counted = _COPY.match(name)
    original, number = (counted[1] + counted[3], counted[2]) if counted else (name, "")
    for each in dict.fromkeys((name, original)):
        count = number if each != name else ""
        yield f"{each}{count}.json"
        yield f"{(each + _ADDED)[:_TAKEOUT_LETTERS]}{count}.json"
        yield f"{each}{_ADDED}{count}.json"
    yield f"{stem}.json"
    yield f"{stem}.srt"


def _examined(folder: str, names: Iterable[str]) -> Iterable[CaptureSidecar]:
    for _, path, facts in regular_files(folder, names, _MOST_FILES):
        yield CaptureSidecar(path, facts.st_size, facts.st_mtime_ns)


def capture_beside(sidecar: CaptureSidecar) -> Capture:
    """What a file beside a film says; nothing where it is something else, or too large.

    Raises:
        OSError: it can't be read now.
    """
    suffix = sidecar.path[sidecar.path.rindex(".") :].lower()
    if not sidecar.size or (sidecar.size > MOST_BYTES and suffix != ".srt"):
        return Capture()
    text = _text(sidecar.path)
    if suffix == ".srt":
        return of_telemetry(text) if is_telemetry(text) else Capture()
    reader: Callable[[str], Capture] = of_xmp if suffix == ".xmp" else of_takeout
    return reader(text)


def _text(path: str) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ""
        raw = file.read(MOST_BYTES)
    is_wide = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
    return raw.decode("utf-16" if is_wide else "utf-8-sig", "replace")
