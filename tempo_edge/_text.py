"""Text for people: paths on one line each, columns under one another, notes on stderr.

And for programs: results on stdout, whole.
"""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from typing import TextIO

import typer

from tempo_edge.errors import TempoEdgeError

__all__ = ["columns", "discard", "emit", "json_line", "note", "note_warning", "printable"]


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


def note_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """A warning as a line like any other, in the place of :func:`warnings.showwarning`.

    Where in the code it arose helps nobody who reads a terminal.
    """
    note(f"tempo-edge: {printable(str(message))}")


def discard(stream: TextIO) -> None:
    """Let whatever is written to a stream from now on, or is left in it, come to nothing."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, stream.fileno())
    os.close(nothing)


def emit(text: str) -> None:
    """Write results to stdout. A reader that has seen enough (``head``, ``less``) is no error.

    Raises:
        typer.Exit: nobody reads them any more.
        TempoEdgeError: they can't be written.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        discard(sys.stdout)  # else the interpreter complains when it can't flush
        raise typer.Exit(0) from None
    except OSError as error:
        discard(sys.stdout)
        raise TempoEdgeError(f"results can't be written to stdout: {error.strerror}") from error


def json_line(facts: object) -> str:
    """One line of JSON, with its end."""
    return json.dumps(facts, ensure_ascii=False) + "\n"
