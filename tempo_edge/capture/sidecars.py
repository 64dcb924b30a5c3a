"""Files beside a film that say when and where it was taken: found by its name, read with bounds."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from typing import NamedTuple

from tempo_edge._files.beside import Folder, names_of_facts, regular_files
from tempo_edge._files.opening import open_carefully
from tempo_edge._files.spelling import folder_of, name_of
from tempo_edge.capture.facts import Capture
from tempo_edge.capture.takeout import of_takeout
from tempo_edge.capture.telemetry import is_telemetry, of_telemetry
from tempo_edge.capture.xmp import of_xmp

__all__ = [
    "MOST_BYTES",
    "CaptureSidecar",
    "CaptureSidecars",
    "capture_beside",
]

#: Bytes that are read of a file: of telemetry the beginning, of others all or nothing.
MOST_BYTES = 1 << 20

# Files beside one film that are read.
_MOST_FILES = 8

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
    """Finds what lies beside films.

    Args:
        folder: lists folders, once where films come in order.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._listed: tuple[str, ...] = ()
        self._names: dict[str, str] = {}

    def of(self, path: str) -> tuple[CaptureSidecar, ...]:
        """The files beside a film, those that are trusted most first.

        Args:
            path: where the film is, from the root.
        """
        folder, name = folder_of(path), name_of(path)
        listed = self._folder.names(folder)
        if listed is not self._listed:
            self._listed = listed
            self._names = {
                each.casefold(): each for each in listed if each.lower().endswith(_SUFFIXES)
            }
        if not self._names:
            return ()
        stem = name.rpartition(".")[0] or name
        found = (
            self._names.get(each.casefold()) for each in (*names_of_facts(name), f"{stem}.srt")
        )
        return tuple(_examined(folder, dict.fromkeys(filter(None, found))))


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
    descriptor = open_carefully(path)
    with open(descriptor, "rb") as file:  # noqa: PTH123
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ""
        raw = file.read(MOST_BYTES)
    is_wide = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
    return raw.decode("utf-16" if is_wide else "utf-8-sig", "replace")
