"""Where a clip goes: beside those of other moments, in the place of an earlier one of its own."""

from __future__ import annotations

import hashlib
import os
from itertools import count
from pathlib import Path

import av

from tempo_edge._files import publish
from tempo_edge.media._container import open_container
from tempo_edge.moment import Span

__all__ = ["mark_of", "put"]


def mark_of(source: Path, span: Span) -> str:
    """What a clip keeps as its comment, so that it is known again: it tells nothing of the source.

    Files of one stem, and spans that look alike once they are rounded, have different marks.
    """
    bounds = f"{span.start_seconds!r} {span.end_seconds!r}".encode()
    meant = os.fsencode(source.absolute()) + b"\0" + bounds
    return f"tempo-edge {hashlib.sha256(meant).hexdigest()[:32]}"


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
