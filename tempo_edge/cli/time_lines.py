"""``find --export``: the moments as a time line, to a file or to stdout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tempo_edge._console.text import emit_bytes, note
from tempo_edge._files import atomic_write
from tempo_edge.cli.answers import reachable
from tempo_edge.cli.values import place
from tempo_edge.errors import TempoEdgeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tempo_edge.moment import Moment

__all__ = ["ExportOption", "OutputOption", "check_export", "export_moments"]

ExportOption = Annotated[
    str | None,
    typer.Option(
        "--export",
        metavar="FORMAT",
        help="Write a time line for editors: edl, fcpxml, otio, csv, m3u, json, llc, or zip: an "
        "llc for each video.",
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output", metavar="FILE", parser=place, help="Where --export writes; by default stdout."
    ),
]


def check_export(format: str | None, output: Path | None) -> None:
    """Refuse what can't be written before anything is searched.

    Raises:
        TempoEdgeError: there is no such format, or nothing to write to the file.
    """
    if format is None:
        if output is not None:
            raise TempoEdgeError("--output needs --export FORMAT: say what to write")
        return
    from tempo_edge.timeline import check_format

    check_format(format)


def export_moments(found: Sequence[Moment], format: str, output: Path | None) -> None:
    """Write the moments whose files are there.

    Raises:
        TempoEdgeError: none is, the format can't hold them, or it can't be written.
    """
    from tempo_edge.timeline import write

    content = write(reachable(found), format, on_remark=note)
    if output is None:
        emit_bytes(content)
    else:
        _to_file(output.expanduser(), content)
        note(f"wrote {output}")


def _to_file(path: Path, content: bytes) -> None:
    """The whole file or none of it; a pipe or a device is written to, not replaced."""
    try:
        with atomic_write(path) as draft:
            draft.write_bytes(content)
    except OSError as error:
        raise TempoEdgeError(f"{path} can't be written: {error.strerror}") from error
