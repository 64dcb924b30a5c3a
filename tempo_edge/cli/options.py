"""Options that several commands have, and what they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tempo_edge.cli.values import place
from tempo_edge.errors import TempoEdgeError

if TYPE_CHECKING:
    from tempo_edge.library import Library

__all__ = [
    "DecoderOption",
    "ExcludeOption",
    "JsonOption",
    "LibraryOption",
    "NoBarsOption",
    "ProfileOption",
    "QueueOption",
    "QuietOption",
    "SourceOption",
    "WordsOption",
    "check_exclusive",
    "chosen_decoder",
    "opened",
]

LibraryOption = Annotated[
    Path | None,
    typer.Option(
        "--library",
        envvar="TEMPO_EDGE_LIBRARY",
        show_envvar=False,
        metavar="LIBRARY",
        parser=place,
        help="A file, or postgresql://USER@HOST/DATABASE; by default $TEMPO_EDGE_LIBRARY, or a "
        "file in your data folder.",
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
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
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
QueueOption = Annotated[
    bool,
    typer.Option(
        "--queue", help="Leave what is due to tempo-edge worker; for a library on a server."
    ),
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress and no summary; errors and skips only.")
]


def opened(library: Path | None, profile: str | None) -> Library:
    """The library that was asked for, with its profile; the caller closes it."""
    from tempo_edge.library import Library

    return Library.open(library, profile=profile)


def check_exclusive(asked: Mapping[str, object]) -> None:
    """Refuse options that can't be had together.

    Args:
        asked: what was typed, by option.

    Raises:
        TempoEdgeError: more than one is asked for.
    """
    names = [name for name, value in asked.items() if value]
    if len(names) > 1:
        raise TempoEdgeError(f"{' and '.join(names)} exclude each other: choose one")


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
