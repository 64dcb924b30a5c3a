"""An answer as the command line gives it: lines for people, JSON, paths, clips."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tempo_edge._console.text import (
    columns,
    cut,
    emit,
    emit_bytes,
    json_line,
    note,
    printable,
)
from tempo_edge.errors import MediaError, TempoEdgeError

if TYPE_CHECKING:
    from tempo_edge.answer import Answer
    from tempo_edge.cli.stills import Stills
    from tempo_edge.moment import Moment

__all__ = ["cut_clips", "reachable", "show", "tell_refusal"]

# Times nearer than this read the same.
_SAME_TIME_SECONDS = 0.1

# A line of words that has fewer columns of a terminal beside its moment stands below it.
_LEAST_COLUMNS = 24


def show(
    answer: Answer,
    as_json: bool,
    null: bool,
    *,
    dated: bool = False,
    stills: Stills | None = None,
) -> None:
    """Moments one a line, for people or as JSON; or their paths alone, each ended by a NUL byte.

    Args:
        dated: people are told when each was taken.
        stills: shows people the still of each below its line.

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
    coloured, room = _is_colourful(), _room()
    width = max(columns(printable(str(moment.path))) for moment in answer.moments)
    shown = [
        "".join(
            line + "\n"
            for line in (
                *_lines(moment, width, coloured, room),
                *(_taken(moment) if dated else ()),
                *_also(moment),
            )
        )
        for moment in answer.moments
    ]
    if stills is None:
        emit("".join(shown), styled=coloured)
    else:
        evidence = answer.evidence or [None] * len(shown)
        for moment, candidate, lines in zip(answer.moments, evidence, shown, strict=True):
            emit(lines, styled=coloured)
            stills.show(moment, candidate)
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
    for term in answer.missing:
        note(f'nothing matches "{printable(term)}", and without that nothing matches the whole')
    closest = answer.closest
    if not closest:
        return
    width = max(columns(printable(str(moment.path))) for moment in closest)
    for moment in closest:
        (line,) = _lines(moment, width, False, None)
        note(f"unsure: {line}")
    note(f"{answer.rejected_count} held back: to see more, add --min-confidence 0")


def _room() -> int | None:
    """Columns of the terminal that reads; None where none does, which is told all there is."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _lines(moment: Moment, width: int, coloured: bool, room: int | None) -> Iterator[str]:
    """A moment on a line, and the words that it was found by: last, or below where it is narrow.

    Args:
        width: columns of the longest path.
        room: columns of the terminal, which long words are cut to; None for no end of them.
    """
    cells = _cells(moment, width)
    used = columns("  ".join(cells)) + len(_gone(moment.offline))
    if coloured:
        colours = (typer.colors.MAGENTA, typer.colors.GREEN, typer.colors.YELLOW)
        cells = [typer.style(c, fg=f) for c, f in zip(cells, colours, strict=True)]
    line = "  ".join(cells) + _gone(moment.offline)
    text = printable(moment.text)
    if not text:
        yield line
    elif room is None:
        yield f"{line}  {text}"
    elif room - used - 2 >= _LEAST_COLUMNS:
        yield f"{line}  {cut(text, room - used - 2)}"
    else:
        yield line
        yield f"  {cut(text, max(_LEAST_COLUMNS, room - 2))}"


def _cells(moment: Moment, width: int) -> list[str]:
    """The file, filled up to a width, the span, and how likely the moment is."""
    from tempo_edge.moment import format_timestamp

    name = printable(str(moment.path))
    name += " " * (width - columns(name))
    span = f"{format_timestamp(moment.start_seconds)}–{format_timestamp(moment.end_seconds)}"
    return [name, span, f"{moment.confidence:.2f}"]


def _gone(offline: bool) -> str:
    return "  (offline)" if offline else ""


def _taken(moment: Moment) -> list[str]:
    """When and where a moment was taken, in one line, if that is known."""
    capture = moment.capture
    if capture is None or capture.instant is None:
        return []
    clock = capture.instant.text.replace("T", " ").replace("Z", " UTC")
    source = "" if capture.taken_from != "file" else " (time of the file)"
    place = f", {printable(capture.place)}" if capture.place else ""
    return [f"  taken {clock}{source}{place}"]


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
