"""Where a clip goes: beside those of other moments, in the place of an earlier one of its own."""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path

import av

from tempo_edge._files import publish
from tempo_edge._files.file_system import longest_name
from tempo_edge._files.names import portable
from tempo_edge.media.container import open_container
from tempo_edge.moment import Span

__all__ = ["mark_of", "name_of", "put"]

# Bytes that a name may have where the file system does not say.
_LONGEST_NAME = 255

# What comes behind a clip's name at most: a number and the suffix.
_LONGEST_END = len(".99999.mp4")


def mark_of(source: Path, span: Span) -> str:
    """What a clip keeps as its comment, so that it is known again: it tells nothing of the source.

    Files of one stem, and spans that look alike once they are rounded, have different marks.
    """
    bounds = f"{span.start_seconds!r} {span.end_seconds!r}".encode()
    meant = os.fsencode(source.absolute()) + b"\0" + bounds
    return f"tempo-edge {hashlib.sha256(meant).hexdigest()[:32]}"


def name_of(
    source: Path, span: Span, folder: Path, *, for_any: bool = sys.platform == "win32"
) -> str:
    """``STEM.START-END``, short enough for the folder with what comes behind it.

    Of a stem that is too long the beginning stays, and a hash of the whole tells it from others.

    Args:
        for_any: it is a name on every system, as Windows needs it of files that others named.
    """
    bounds = f".{span.start_seconds:.2f}-{span.end_seconds:.2f}"
    longest = _LONGEST_NAME
    above = (folder.absolute(), *folder.absolute().parents)
    with suppress(OSError, ValueError):  # a file system that can't say
        longest = longest_name(next(place for place in above if place.exists()))
    stem = os.fsencode(portable(source.stem) if for_any else source.stem)
    room = longest - len(bounds) - _LONGEST_END
    if len(stem) > room:
        tag = f"~{hashlib.sha256(stem).hexdigest()[:8]}".encode()
        end = max(0, room - len(tag))
        while end and stem[end] & 0xC0 == 0x80:  # in the middle of a letter
            end -= 1
        stem = stem[:end] + tag
    return os.fsdecode(stem) + bounds


def put(draft: Path, folder: Path, name: str, mark: str) -> Path:
    """Move a finished draft to ``NAME.mp4``, ``NAME.2.mp4``, ...: the first free, or its own.

    Raises:
        OSError: the folder can't be written to.
    """
    for number in count(1):
        place = folder / (f"{name}.mp4" if number == 1 else f"{name}.{number}.mp4")
        try:
            publish(draft, place, replace=False)
        except FileExistsError:
            if _read_mark(place) != mark:
                continue
            publish(draft, place)
        return place
    raise AssertionError("numbers never end")


def _read_mark(path: Path) -> str | None:
    try:
        with open_container(path) as container:
            comment: str | None = container.metadata.get("comment")
    except (av.error.FFmpegError, OSError, ValueError):
        return None
    return comment
