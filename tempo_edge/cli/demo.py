"""``tempo-edge demo``: a first look.

A few real clips are indexed, and asked for things that are there and for one that isn't.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tempo_edge._console.text import note
from tempo_edge.cli.values import place
from tempo_edge.moment import format_timestamp
from tempo_edge.sample_clips import sample_clips

if TYPE_CHECKING:
    from tempo_edge.library import Library

__all__ = ["demo"]

_QUERIES = (
    "a bicycle",
    "cars on a city street",
    "a man in a suit",
    "a plate of sushi on a table",
)


def demo(
    library: Annotated[
        Path | None,
        typer.Option(
            "--library", metavar="FILE", parser=place, help="Keep the demo's library here."
        ),
    ] = None,
) -> None:
    """Try it on a few real clips; one of the searches is refused."""
    from tempo_edge._console.progress import Progress
    from tempo_edge.library import Library

    clips = sample_clips()
    with (
        tempfile.TemporaryDirectory(prefix="tempo-edge-demo-") as scratch,
        Library.open(library or Path(scratch) / "library.db") as opened,
    ):
        note(f"$ tempo-edge index {clips[0].parent}")
        with Progress(quiet=False) as progress:
            report = opened.index(clips, on_event=progress)
        progress.summary(report)
        for query in _QUERIES:
            _ask(opened, query)
    print('\nNow your own:  tempo-edge index ~/Videos && tempo-edge find "dog jumps"')


def _ask(library: Library, query: str) -> None:
    print(f'\n$ tempo-edge find "{query}"')
    answer = library.find(query, limit=3)
    for moment in answer:
        start, end = format_timestamp(moment.start_seconds), format_timestamp(moment.end_seconds)
        print(f"{moment.path.name:<22}  {start}–{end}  {moment.confidence:.2f}")
    if not answer.moments:
        print("nothing matches")
