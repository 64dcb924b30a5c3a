"""Text for people: paths on one line each, columns under one another, notes on stderr.

And for programs: results on stdout, whole.
"""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Callable
from typing import TextIO

import typer

from tempo_edge.errors import TempoEdgeError

__all__ = [
    "columns",
    "cut",
    "discard",
    "emit",
    "emit_bytes",
    "json_line",
    "note",
    "note_warning",
    "printable",
]


# Letters that are not seen and join or part those around them, as Persian and Hindi need them.
_JOINERS = "\u200c\u200d"


def printable(text: str) -> str:
    """The text with everything that would not stay on its line spelled out.

    File names may hold line ends, and sequences that terminals obey.
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in _JOINERS else c.encode("unicode_escape").decode() for c in text
    )


def _printable_lines(text: str) -> str:
    """The text with its line ends as they are, and each line such as :func:`printable` has it."""
    return "\n".join(map(printable, text.split("\n")))


def columns(text: str) -> int:
    """Columns that a text takes up on a terminal."""
    if text.isascii():
        return len(text)
    return sum(map(_columns_of, text))


def _columns_of(letter: str) -> int:
    if unicodedata.combining(letter) or letter in _JOINERS:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def cut(text: str, most: int) -> str:
    """The beginning of a text that takes up so many columns at most; three dots say it goes on."""
    if columns(text) <= most:
        return text
    kept, room = "", most - 1
    for letter in text:
        room -= _columns_of(letter)
        if room < 0:
            break
        kept += letter
    return kept.rstrip() + "…"


def note(text: str) -> None:
    """Write a line to stderr, and no more than a line: whatever a name in it holds is spelled out.

    That nobody reads it is no reason to stop working.
    """
    try:
        print(printable(text), file=sys.stderr, flush=True)
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
    note(f"tempo-edge: {message}")


def discard(stream: TextIO) -> None:
    """Let whatever is written to a stream from now on, or is left in it, come to nothing."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, stream.fileno())
    os.close(nothing)


def emit(text: str, *, styled: bool = False) -> None:
    """Write lines of results to stdout.

    Args:
        text: lines; whatever a name in them holds is spelled out.
        styled: there are colours in it, so that its maker has spelled out all else.

    Raises:
        typer.Exit: nobody reads them any more.
        TempoEdgeError: they can't be written.
    """
    shown = text if styled else _printable_lines(text)
    _write_results(lambda: sys.stdout.write(shown))


def emit_bytes(content: bytes) -> None:
    """Write results for programs to stdout, to the byte.

    On a terminal a person reads them: there, NUL ends a line and what a name holds is spelled out.

    Raises:
        typer.Exit: nobody reads them any more.
        TempoEdgeError: they can't be written.
    """
    if sys.stdout.isatty():
        text = content.decode("utf-8", "backslashreplace")
        emit(text.replace("\0", "\n").replace("\r\n", "\n"))
        return

    def write() -> None:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)

    _write_results(write)


def _write_results(write: Callable[[], object]) -> None:
    """A reader that has seen enough (``head``, ``less``) is no error."""
    try:
        write()
        sys.stdout.flush()
    except BrokenPipeError:
        discard(sys.stdout)  # else the interpreter complains when it can't flush
        raise typer.Exit(0) from None
    except OSError as error:
        discard(sys.stdout)
        raise TempoEdgeError(f"results can't be written to stdout: {error.strerror}") from error


def _json_escape(character: str) -> str:
    escaped = json.dumps(character)[1:-1]
    return escaped if escaped.isprintable() else f"\\u{ord(character):04x}"


def json_line(facts: object) -> str:
    """One line of JSON, with its end; what would not stay on its line is spelled as JSON does."""
    text = json.dumps(facts, ensure_ascii=False)
    if not text.isprintable():
        text = "".join(c if c.isprintable() else _json_escape(c) for c in text)
    return text + "\n"
