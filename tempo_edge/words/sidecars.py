"""Subtitle files beside a film: found by its name and a language behind it, and read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from typing import NamedTuple

from tempo_edge._files.absolute import encodable
from tempo_edge._files.beside import Folder, regular_files
from tempo_edge._files.opening import open_carefully
from tempo_edge._files.signatures import VIDEO_SUFFIXES
from tempo_edge._files.spelling import folder_of, name_of
from tempo_edge.capture.telemetry import is_telemetry
from tempo_edge.errors import MediaError
from tempo_edge.media.text_tracks import TEXT_FORMATS, cues_of_text
from tempo_edge.words.encoding import decoded
from tempo_edge.words.languages import language_of
from tempo_edge.words.line import Line
from tempo_edge.words.timing import timed

__all__ = [
    "MOST_BYTES",
    "Sidecar",
    "SidecarFinder",
    "UnreadSidecarError",
    "lines_of_sidecar",
]

#: Bytes of the largest subtitle file that is read: a film's takes a tenth of a megabyte.
MOST_BYTES = 16 << 20

# Files beside one film that are read.
_MOST_FILES = 64

# Parts of a name behind that of the film: a language, a region, what kind of subtitles.
_MOST_PARTS = 3

# What other formats begin with, whatever their suffix says.
_HEADS = (("WEBVTT", "webvtt"), ("[Script Info]", "ass"))

# Controls that no text has: at a zero, some readers stop.
_NO_TEXT = dict.fromkeys({*range(32), 127} - {9, 10, 13}, " ")


class Sidecar(NamedTuple):
    """A subtitle file beside a film.

    Attributes:
        path: where it is, as the disk has it.
        name: without folders; always valid UTF-8.
        size, mtime_ns: its length in bytes and time of change.
        form: FFmpeg's name of its format.
        language: as its name tells, or empty.
    """

    path: str
    name: str
    size: int
    mtime_ns: int
    form: str
    language: str


class UnreadSidecarError(MediaError):
    """A subtitle file that a disk, or who owns it, keeps from being read."""


class SidecarFinder:
    """Finds the subtitle files beside films.

    A file belongs to the film whose name it begins with, the longest one: ``how.to.srt`` is that of
    ``how.to.mp4`` where there is one, and else that of ``how.mp4``, in Tongan.

    Args:
        folder: lists folders, once where films come in order.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._listed: tuple[str, ...] = ()
        self._owned: dict[str, list[tuple[str, str]]] = {}

    def of(self, path: str) -> tuple[Sidecar, ...]:
        """The subtitle files beside a film, in the order of their names.

        Args:
            path: where the film is, from the root.
        """
        folder, name = folder_of(path), name_of(path)
        listed = self._folder.names(folder)
        if listed is not self._listed:
            self._listed, self._owned = listed, _owned(listed)
        stem = name.rpartition(".")[0] or name
        return tuple(_examined(folder, self._owned.get(stem, ())))


def _owned(names: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """By the name of a film without its suffix, (name, language) of the files that are its own."""
    films: set[str] = set()
    texts: list[tuple[str, str]] = []
    for name in names:
        stem, point, suffix = name.rpartition(".")
        kind = f".{suffix.lower()}"
        if not point or not stem or name.startswith("._"):
            continue
        if kind in TEXT_FORMATS:
            texts.append((name, stem))
        elif kind in VIDEO_SUFFIXES:
            films.add(stem)
    owned: dict[str, list[tuple[str, str]]] = {}
    for name, stem in sorted(texts):
        parts: list[str] = []
        while stem:
            owned.setdefault(stem, []).append((name, language_of(parts) or ""))
            if stem in films:
                break
            stem, _, part = stem.rpartition(".")
            parts.insert(0, part)
            if len(parts) > _MOST_PARTS or language_of(parts) is None:
                break
    return owned


def _examined(folder: str, found: Iterable[tuple[str, str]]) -> Iterable[Sidecar]:
    languages = dict(found)
    for name, path, facts in regular_files(folder, languages, _MOST_FILES):
        form = TEXT_FORMATS[name[name.rindex(".") :].lower()]
        size, changed = facts.st_size, facts.st_mtime_ns
        yield Sidecar(path, encodable(name), size, changed, form, languages[name])


def lines_of_sidecar(sidecar: Sidecar, end_seconds: float) -> tuple[tuple[Line, ...], str]:
    """(the lines of a subtitle file, what the owner of its film should know of it or nothing).

    A drone's telemetry is no words, though it lies in such files.

    Args:
        sidecar: the file.
        end_seconds: when its film is over.

    Raises:
        UnreadSidecarError: it can't be read now.
        MediaError: it can't be used; the text says why.
    """
    text = decoded(_raw(sidecar), sidecar.language)
    begun = text.lstrip("\ufeff \t\r\n")
    if is_telemetry(begun):
        return (), ""
    form = next((form for head, form in _HEADS if begun.startswith(head)), sidecar.form)
    track = cues_of_text(begun.translate(_NO_TEXT), form)
    found = timed(track.cues, end_seconds)
    if not track.cues and not track.fault:
        raise MediaError("holds no line with a time")
    written = sidecar.language, 1.0, sidecar.name
    lines = tuple(
        Line(span.start_seconds, span.end_seconds, "subtitle", span.text, *written)
        for span in found.spans
    )
    return lines, ", ".join(filter(None, (track.fault, found.remark)))


def _raw(sidecar: Sidecar) -> bytes:
    """All bytes of a file.

    Raises:
        UnreadSidecarError, MediaError: as for :func:`lines_of_sidecar`.
    """
    if sidecar.size > MOST_BYTES:
        raise MediaError(
            f"has {sidecar.size:,} bytes, at most {MOST_BYTES:,} of a subtitle file are read"
        )
    if not sidecar.size:
        raise MediaError("is empty (0 bytes)")
    try:
        descriptor = open_carefully(sidecar.path)
        with open(descriptor, "rb") as file:  # noqa: PTH123
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise MediaError("is not a regular file")
            return file.read(MOST_BYTES)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise UnreadSidecarError(f"can't be read: {why}") from error
