"""Options that several commands have, and what they stand for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tempo_edge.errors import TempoEdgeError

if TYPE_CHECKING:
    from tempo_edge.library import Library

__all__ = [
    "DecoderOption",
    "ExcludeOption",
    "LibraryOption",
    "NoBarsOption",
    "ProfileOption",
    "QuietOption",
    "SourceOption",
    "WordsOption",
    "chosen_decoder",
    "number",
    "opened",
    "place",
    "seconds",
]

_AMOUNT = r"([0-9]+(?:\.[0-9]+)?)"
_TIME = re.compile(rf"(?:{_AMOUNT}h)?\s*(?:{_AMOUNT}m)?\s*(?:{_AMOUNT}s?)?")


def place(text: str) -> Path:
    """A file or a folder, as an option or an argument takes it.

    What a script left empty is none: elsewhere that would be the folder one happens to be in.

    Raises:
        TempoEdgeError: it is empty.
    """
    if not text:
        raise TempoEdgeError("the path '' is empty: name a file or a folder")
    return Path(text)


LibraryOption = Annotated[
    Path | None,
    typer.Option(
        "--library",
        envvar="TEMPO_EDGE_LIBRARY",
        show_envvar=False,
        metavar="FILE",
        parser=place,
        help="Library to use; by default $TEMPO_EDGE_LIBRARY, or one in your data folder.",
    ),
]
ProfileOption = Annotated[
    str | None, typer.Option("--profile", metavar="NAME", help="Model profile; nano is built in.")
]
SourceOption = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="DIR",
        parser=place,
        help="Folder with its files, in place of the hub.",
    ),
]
NoBarsOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bars.")]
DecoderOption = Annotated[
    str,
    typer.Option(
        "--decoder",
        metavar="NAME",
        show_default=False,
        help="pyav (the default), decord, or hardware where that is faster (see doctor).",
    ),
]
ExcludeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="GLOB",
        help="Leave out files and folders, as a gitignore file would; may be given repeatedly.",
    ),
]
WordsOption = Annotated[
    str,
    typer.Option(
        "--words",
        metavar="KIND",
        show_default=False,
        help="subtitles (the default: those, chapters and names), speech (those and what is said), "
        "screen (those and what stands in the picture), all, or none.",
    ),
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress and no summary; errors and skips only.")
]


def opened(library: Path | None, profile: str | None) -> Library:
    """The library that was asked for, with its profile; the caller closes it."""
    from tempo_edge.library import Library

    return Library.open(library, profile=profile)


def chosen_decoder(name: str) -> str:
    """The decoder that was asked for; where no device is faster here, a line says so once."""
    if name != "hardware":
        return name
    from tempo_edge._console.text import note
    from tempo_edge.media.devices import why_off

    why = why_off()
    if not why:
        return name
    note(f"hardware decoding is off: {why}")
    return "pyav"


def number(text: str) -> float:
    """A number, as an option takes it.

    Raises:
        TempoEdgeError: it is none.
    """
    try:
        return float(text)
    except ValueError:
        raise TempoEdgeError(f"{text!r} must be a number, such as 0.5") from None


def seconds(text: str) -> float:
    """A time in seconds, as an option takes it: ``30``, ``30s``, ``1m30s`` or ``2h``.

    Raises:
        TempoEdgeError: it is none.
    """
    found = _TIME.fullmatch(text.strip().lower())
    if found is None or not any(found.groups()):
        raise TempoEdgeError(f"{text!r} must be a time, such as 30s or 1m30s")
    hours, minutes, rest = (float(each or 0) for each in found.groups())
    return 3600 * hours + 60 * minutes + rest
