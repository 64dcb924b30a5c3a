"""``find --sheet``: a contact sheet of the moments, written to a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tempo_edge._console.text import note
from tempo_edge.cli.values import place

if TYPE_CHECKING:
    from tempo_edge.answer import Answer

__all__ = ["SheetOption", "write_sheet"]

SheetOption = Annotated[
    Path | None,
    typer.Option(
        "--sheet",
        metavar="FILE",
        parser=place,
        help="Write a picture of each moment to a .jpg, .png or .html.",
    ),
]


def write_sheet(path: Path | None, query: str, answer: Answer) -> None:
    """Write the sheet that was asked for, or say why there is none."""
    if path is None:
        return
    if not answer.moments:
        note(f"no sheet is written to {path}: there is nothing to show")
        return
    from tempo_edge import sheet

    sheet.write_sheet(path.expanduser(), query, answer, note)
    note(f"wrote {path}")
