"""Text for people: paths on one line each, columns under one another, notes on stderr."""

from __future__ import annotations

import os
import sys
import unicodedata
from typing import TextIO

__all__ = ["columns", "discard", "note", "printable"]


def printable(text: str) -> str:
    """The text with everything that would not stay on its line spelled out.

    File names may hold line ends, and sequences that terminals obey.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def columns(text: str) -> int:
    """Columns that a text takes up on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def note(text: str) -> None:
    """Write a line to stderr. That nobody reads it is no reason to stop working."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        discard(sys.stderr)


def discard(stream: TextIO) -> None:
    """Let whatever is written to a stream from now on, or is left in it, come to nothing."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, stream.fileno())
    os.close(nothing)
