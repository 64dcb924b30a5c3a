"""``tempo-edge watch``: the library follows folders."""

from __future__ import annotations

import signal
from pathlib import Path
from threading import Event
from typing import Annotated, Any

import typer

from tempo_edge._system.priority import be_nice
from tempo_edge._system.signals import ENDING
from tempo_edge.cli.options import (
    DecoderOption,
    ExcludeOption,
    LibraryOption,
    ProfileOption,
    QueueOption,
    QuietOption,
    WordsOption,
    chosen_decoder,
    opened,
)
from tempo_edge.cli.values import place

__all__ = ["watch"]


def watch(
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR...", parser=place, help="Folders to follow.")
    ],
    exclude: ExcludeOption = None,
    polling: Annotated[
        bool, typer.Option("--polling", help="List folders instead of being notified.")
    ] = False,
    decoder: DecoderOption = "pyav",
    words: WordsOption = "subtitles",
    library: LibraryOption = None,
    profile: ProfileOption = None,
    queue: QueueOption = False,
    quiet: QuietOption = False,
) -> None:
    """Index folders, then keep the library up to date until stopped."""
    from tempo_edge import teamwork
    from tempo_edge._console.progress import Progress
    from tempo_edge.rereading import reread_outdated

    be_nice()
    stop = Event()
    for name in ENDING:
        signal.signal(name, lambda *_: stop.set())
    how: dict[str, Any] = {
        "exclude": exclude or (),
        "decoder": chosen_decoder(decoder),
        "words": words,
    }
    with Progress(quiet, lines=True) as progress:
        if queue:
            with opened(library, profile) as target:
                teamwork.watch(
                    target,
                    folders,
                    exclude=exclude or (),
                    words=words,
                    polling=polling,
                    stop=stop,
                    on_event=progress,
                    on_notice=progress.notice,
                )
            return
        reread_outdated(library, folders, on_event=progress, stopping=stop.is_set, **how)
        with opened(library, profile) as target:
            target.watch(
                folders,
                polling=polling,
                stop=stop,
                on_event=progress,
                on_notice=progress.notice,
                **how,
            )
