"""``tempo-edge index``: videos go into the library."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from tempo_edge.cli.background import be_nice
from tempo_edge.cli.options import (
    DecoderOption,
    ExcludeOption,
    LibraryOption,
    ProfileOption,
    QuietOption,
    number,
    opened,
    place,
)
from tempo_edge.cli.use import hint

__all__ = ["index"]


def index(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", parser=place, help="Videos and folders.")
    ],
    exclude: ExcludeOption = None,
    library: LibraryOption = None,
    profile: ProfileOption = None,
    decoder: DecoderOption = "pyav",
    uniform: Annotated[
        float | None,
        typer.Option(
            "--uniform",
            metavar="FPS",
            parser=number,
            help="Baseline: decode everything and look at FPS frames a second, without SAA.",
        ),
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Index videos, so that they can be searched. Run it again to pick up changes."""
    from tempo_edge._console.progress import Progress
    from tempo_edge.indexing.footage import Sampling

    be_nice()
    # So that the bar is taken away and the cursor comes back.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with opened(library, profile) as target, Progress(quiet) as progress:
        report = target.index(
            paths,
            exclude=exclude or (),
            decoder=decoder,
            sampling=Sampling(frames_per_second=uniform),
            on_event=progress,
        )
        name = target.profile.name
    progress.summary(report)
    if not quiet:
        hint(name)
