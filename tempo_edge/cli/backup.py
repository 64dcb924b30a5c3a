"""``tempo-edge backup``: the library goes into a file, whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tempo_edge._console.text import note
from tempo_edge.cli.options import LibraryOption
from tempo_edge.cli.values import place

__all__ = ["backup"]


def backup(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", parser=place, help="Where the copy goes.")
    ],
    library: LibraryOption = None,
) -> None:
    """Copy the library to a file, whole, even while something writes it."""
    from tempo_edge.store.opening import open_store
    from tempo_edge.store.place import library_path

    store = open_store(library_path(library))
    copy = store.back_up(file.expanduser())
    wrote = f"wrote {file}, {copy.size / 1e6:.1f} MB"
    if copy.fault:
        note(f"tempo-edge: error: {wrote}, but {copy.fault}")
        raise typer.Exit(2)
    note(wrote)
