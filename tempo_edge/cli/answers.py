"""An answer as the command line gives it: lines for people, JSON, paths, clips."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tempo_edge._console.text import columns, emit, emit_bytes, json_line, note, printable
from tempo_edge.errors import MediaError, TempoEdgeError

if TYPE_CHECKING:
    from tempo_edge.answer import Answer
    from tempo_edge.moment import Moment

__all__ = ["cut_clips", "reachable", "show", "tell_refusal"]

# Times nearer than this read the same.
_SAME_TIME_SECONDS = 0.1


def show(answer: Answer, as_json: bool, null: bool) -> None:
    """Moments one a line, for people or as JSON; or their paths alone, each ended by a NUL byte.

    Raises:
        typer.Exit: nobody reads them any more.
        TempoEdgeError: they can't be written.
    """
    if as_json:
        emit("".join(json_line(row) for row in answer.rows()))
        return
    if null:
        _emit_paths(moment.path for moment in answer.moments)
        return
    coloured = _is_colourful()
    width = max(columns(printable(str(moment.path))) for moment in answer.moments)
    lines = [
        line + "\n"
        for moment in answer.moments
        for line in (_line(moment, width, coloured), *_also(moment))
    ]
    emit("".join(lines), styled=coloured)
    if answer.doubt:
        note(answer.doubt)


def _emit_paths(paths: Iterable[Path]) -> None:
    """Each path once, ended by a NUL byte."""
    once = dict.fromkeys(map(os.fsencode, paths))
    emit_bytes(b"".join(path + b"\0" for path in once))


def _is_colourful() -> bool:
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not plain


def tell_refusal(answer: Answer, as_json: bool) -> None:
    """Say on stderr that nothing matches, what came closest, unsure, and how to see more."""
    if as_json:
        note(json_line(answer.refusal()).rstrip("\n"))
        return
    note("nothing matches")
    closest = answer.closest
    if not closest:
        return
    width = max(columns(printable(str(moment.path))) for moment in closest)
    for moment in closest:
        note(f"unsure: {_line(moment, width, False)}")
    note(f"{answer.rejected_count} held back: to see more, add --min-confidence 0")


def _line(moment: Moment, width: int, coloured: bool) -> str:
    confidence = f"{moment.confidence:.2f}"
    if coloured:
        confidence = typer.style(confidence, fg=typer.colors.YELLOW)
    span = moment.start_seconds, moment.end_seconds
    cells = [*_place(moment.path, *span, width, coloured), confidence]
    if moment.text:
        cells.append(printable(moment.text))
    return "  ".join(cells) + _gone(moment.offline)


def _place(path: Path, begins: float, ends: float, width: int, coloured: bool) -> list[str]:
    """The cells of a file, filled up to a width, and of a span of it in seconds."""
    from tempo_edge.moment import format_timestamp

    name = printable(str(path))
    name += " " * (width - columns(name))
    cells = [name, f"{format_timestamp(begins)}–{format_timestamp(ends)}"]
    if coloured:
        colours = (typer.colors.MAGENTA, typer.colors.GREEN)
        cells = [typer.style(c, fg=f) for c, f in zip(cells, colours, strict=True)]
    return cells


def _gone(offline: bool) -> str:
    return "  (offline)" if offline else ""


def _also(moment: Moment) -> list[str]:
    """Where else the same pictures are, in one line; the time only where it is another."""
    from tempo_edge.moment import format_timestamp

    if not moment.copies:
        return []
    places = []
    for copy in moment.copies:
        place = printable(str(copy.path)) + (" (offline)" if copy.offline else "")
        if abs(copy.start_seconds - moment.start_seconds) >= _SAME_TIME_SECONDS:
            place += f" from {format_timestamp(copy.start_seconds)}"
        places.append(place)
    return [f"  also in {', '.join(places)}"]


def cut_clips(answer: Answer, folder: Path) -> None:
    """Cut every moment whose file is there into a folder; say of each how, or why not.

    Raises:
        TempoEdgeError: none is, or some can't be cut; the others are by then.
    """
    from tempo_edge.clips import cut_or_copy

    moments = reachable(answer.moments)
    failed = 0
    for moment in moments:
        try:
            clip = cut_or_copy(moment.path, moment.span, folder)
        except MediaError as error:
            if len(moments) == 1:
                raise
            failed += 1
            note(f"skipping a clip: {error}")
            continue
        how = "copied as it is" if clip.copied else "encoded again"
        note(f"wrote {clip.path} ({how})")
    if failed:
        raise TempoEdgeError(f"{failed} of {len(moments)} clips can't be cut: each line says why")


def reachable(moments: Iterable[Moment]) -> list[Moment]:
    """The moments whose files are there; of those that are offline it says so.

    Raises:
        TempoEdgeError: all of the files are offline.
    """
    asked = list(moments)
    for path in dict.fromkeys(moment.path for moment in asked if moment.offline):
        note(f"skipping {path}: it is offline")
    found = [moment for moment in asked if not moment.offline]
    if not found:
        raise TempoEdgeError("all of the files are offline: plug in the drive that holds them")
    return found
