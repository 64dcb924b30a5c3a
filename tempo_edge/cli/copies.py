"""``tempo-edge copies``: what is there twice, and what of it could go; it deletes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tempo_edge._console.text import emit, json_line, note, printable
from tempo_edge.cli.options import LibraryOption
from tempo_edge.cli.sizes import size_of
from tempo_edge.cli.values import place
from tempo_edge.moment import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tempo_edge.copy_groups import CopiedFile, CopyGroup

__all__ = ["copies"]


def copies(
    scope: Annotated[
        Path | None,
        typer.Option("--in", metavar="PATH", parser=place, help="Only files at or under PATH."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, for each group.")
    ] = False,
    library: LibraryOption = None,
) -> None:
    """Show files with the same footage, and what could go. It deletes nothing.

    Exit status 1 when nothing is there twice. Pictures are compared, sound is not.
    """
    from tempo_edge.holdings import Holdings
    from tempo_edge.store.place import library_path

    with Holdings(library_path(library)) as held:
        groups = held.copies(scope, on_remark=note)
    if not groups:
        note("nothing is there twice")
        raise typer.Exit(1)
    emit("".join(json_line(group.as_dict()) if as_json else _told(group) for group in groups))
    note(_total(groups))


def _told(group: CopyGroup) -> str:
    """A group for people: the file to keep, and below it those that could go."""
    lines = [f"keep      {_file(group.kept)}  ({group.why})"]
    lines += [f"could go  {_file(other)}  ({other.kind})" for other in group.others]
    return "".join(f"{line}\n" for line in (*lines, ""))


def _file(copied: CopiedFile) -> str:
    video = copied.listed
    length = format_timestamp(round(video.duration_seconds)).removesuffix(".0")
    facts = f"{video.width}x{video.height}, {video.codec}, {size_of(video.file.size)}, {length}"
    return f"{printable(video.file.path)}  {facts}"


def _total(groups: Sequence[CopyGroup]) -> str:
    files = sum(len(group.others) for group in groups)
    freed = size_of(sum(group.freed_bytes for group in groups))
    named = "1 group" if len(groups) == 1 else f"{len(groups)} groups"
    could = "1 file could go" if files == 1 else f"{files} files could go"
    return f"{named}: {could}, which frees {freed}; nothing was deleted"
