"""``tempo-edge forget``: a file or a folder leaves the library."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tempo_edge._console.text import note
from tempo_edge.cli.options import LibraryOption, opened
from tempo_edge.cli.values import place

__all__ = ["forget"]


def forget(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH", parser=place, help="File or folder to drop from the library."
        ),
    ],
    library: LibraryOption = None,
) -> None:
    """Drop a file or folder from the library. The files themselves stay as they are."""
    with opened(library, None) as target:
        count = target.forget(path)
    note(f"forgot {count} file{'s' if count != 1 else ''}")
