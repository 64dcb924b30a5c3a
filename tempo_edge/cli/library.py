"""``tempo-edge library``: whole libraries, copied from one store into another."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tempo_edge._console.pulse import Pulse
from tempo_edge._console.text import emit, json_line, note, printable
from tempo_edge.cli.command import Command
from tempo_edge.cli.options import JsonOption, NoBarsOption
from tempo_edge.cli.values import place

if TYPE_CHECKING:
    from tempo_edge.library_copy import CopyReport

__all__ = ["app"]

app = typer.Typer(
    name="library", help="Whole libraries, and their copies in other stores.", rich_markup_mode=None
)

# Paths of each kind that are told one by one.
_TOLD = 5


@app.callback()
def _as_a_group() -> None:
    """Have ``copy`` be a command of its own, though there is no other."""


@app.command(cls=Command)
def copy(
    origin: Annotated[
        Path, typer.Argument(metavar="FROM", parser=place, help="A library; it stays as it is.")
    ],
    target: Annotated[
        Path,
        typer.Argument(
            metavar="TO", parser=place, help="Where it goes, a file or postgresql://; may exist."
        ),
    ],
    as_json: JsonOption = False,
    quiet: NoBarsOption = False,
) -> None:
    """Copy a library into another store, and compare both. Nothing is computed again.

    It can be interrupted and goes on where it was. Repeated, it brings what is
    new; nothing is taken away there.
    """
    from tempo_edge.library_copy import copy_library

    with _shown(quiet) as shown:
        report = copy_library(str(origin), str(target), on_video=shown)
    if as_json:
        emit(json_line(report.as_dict()))
    for line in _told(report, as_json=as_json):
        note(printable(line))
    if not report.is_whole:
        raise typer.Exit(1)


@contextmanager
def _shown(quiet: bool) -> Iterator[Callable[[int, int, str], None]]:
    """What is told of each video: a bar on a terminal, elsewhere a line now and then."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = TextColumn("copying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    at = ""
    is_silent = quiet or not sys.stderr.isatty()
    with (
        Pulse(lambda: "" if quiet else at, note),
        Progress(
            *columns, console=Console(stderr=True), transient=True, disable=is_silent
        ) as progress,
    ):
        task = progress.add_task("", total=None)

        def shown(done: int, videos: int, path: str) -> None:
            nonlocal at
            at = printable(f"copying {path} ({done + 1} of {videos})")
            progress.update(task, completed=done, total=videos)

        yield shown


def _told(report: CopyReport, *, as_json: bool) -> list[str]:
    """The lines of a report for people; what went wrong alone, where JSON says the rest."""
    lines = [f"not copied {path}: {why}" for path, why in report.refused]
    lines += [f"read otherwise there, and stays: {path}" for path in report.kept]
    lines += [f"on a volume that is not mounted here: {path}" for path in report.away[:_TOLD]]
    if (more := len(report.away) - _TOLD) > 0:
        lines.append(f"and {more} more on such volumes: mount them, and copy again")
    lines += [f"saved search {name!r} is there already, and stays" for name in report.saved_there]
    if not as_json:
        there = f", {report.there} were there" if report.there else ""
        searches = f", {report.saved} saved searches" if report.saved else ""
        counted = f"{report.videos} videos: {report.copied} copied{there}"
        lines.append(f"{counted}; {report.files} files{searches}; all read back and compared")
    return lines
