"""``tempo-edge worker`` and ``tempo-edge queue``: several machines index one library."""

from __future__ import annotations

import signal
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from tempo_edge._system.priority import be_nice
from tempo_edge._system.signals import ENDING
from tempo_edge.cli.command import Command
from tempo_edge.cli.options import (
    DecoderOption,
    LibraryOption,
    QuietOption,
    chosen_decoder,
    opened,
)
from tempo_edge.store.opening import open_store
from tempo_edge.store.place import library_path

__all__ = ["app", "worker"]

app = typer.Typer(
    name="queue",
    help="The queue that workers take files from; status shows what is in it.",
    rich_markup_mode=None,
)

OnlyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="KIND",
        help="Take these alone: pictures, speech or screen, with commas between; by default all "
        "that is installed.",
    ),
]
UntilEmptyOption = Annotated[
    bool, typer.Option("--until-empty", help="End once nothing waits, instead of waiting on.")
]


def worker(
    only: OnlyOption = None,
    decoder: DecoderOption = "pyav",
    until_empty: UntilEmptyOption = False,
    library: LibraryOption = None,
    quiet: QuietOption = False,
) -> None:
    """Index what index --queue and watch --queue have put in, until stopped.

    Any number may run, on any machines that have the footage. One
    that is stopped, or dies, gives back what it was at.
    """
    from tempo_edge._console.progress import Progress
    from tempo_edge.teamwork import work

    be_nice()
    stop = Event()
    for name in ENDING:
        signal.signal(name, lambda *_: stop.set())
    kinds = [kind.strip() for told in only or () for kind in told.split(",")]
    with opened(library, None) as target, Progress(quiet, lines=True) as progress:
        report = work(
            target,
            only=kinds,
            decoder=chosen_decoder(decoder),
            until_empty=until_empty,
            on_event=progress,
            on_notice=progress.notice,
            stopping=stop.is_set,
        )
        progress.summary(report)


@app.command(cls=Command)
def pause(library: LibraryOption = None) -> None:
    """Have workers take nothing more; what they are at they finish."""
    _pause(library, True)


@app.command(cls=Command)
def resume(library: LibraryOption = None) -> None:
    """Have workers go on."""
    _pause(library, False)


def _pause(library: Path | None, is_paused: bool) -> None:
    with open_store(library_path(library)).queue() as queue:
        queue.pause(is_paused)
