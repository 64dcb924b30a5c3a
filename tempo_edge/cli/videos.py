"""``tempo-edge list``: what is indexed, a line a file, told as it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tempo_edge._console.text import emit, json_line, note, printable
from tempo_edge.cli.filter_options import ScopeOptions
from tempo_edge.cli.option_groups import with_groups
from tempo_edge.cli.options import JsonOption, LibraryOption
from tempo_edge.cli.sizes import size_of
from tempo_edge.cli.values import place, whole_number
from tempo_edge.moment import format_timestamp

if TYPE_CHECKING:
    from tempo_edge.store.listing import ListedVideo

__all__ = ["list_videos"]

# Lines that are written at once: a reader of many thousands need not wait for the last.
_AT_ONCE = 256

# Of the kinds that a later pass reads, what is said of a video that it is done with.
_PASSES = {"speech": "heard", "screen": "scanned"}

_HEADING = f"{'length':>8}  {'picture':>9}  {'size':>8}  {'frames':>6}  {'lines':>5}  "
_HEADING += f"{'heard':>5}  {'scanned':>7}  {'indexed':16}  file\n"


@with_groups
def list_videos(
    which: ScopeOptions,
    under: Annotated[
        Path | None,
        typer.Option("--in", metavar="PATH", parser=place, help="Only files at or under PATH."),
    ] = None,
    order: Annotated[
        str,
        typer.Option(
            "--sort",
            metavar="BY",
            show_default=False,
            help="name (the default), time (indexed last first), length or size (most first).",
        ),
    ] = "name",
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", metavar="N", parser=whole_number, help="Most files to list."),
    ] = None,
    as_json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """List what is indexed. Exit status 1 when nothing is."""
    from tempo_edge.holdings import Holdings
    from tempo_edge.rereading import outdated_profile
    from tempo_edge.scope import ALL
    from tempo_edge.store.place import library_path

    scope = which.scope
    outdated = outdated_profile(library)
    with Holdings(library_path(library)) as held:
        listed = held.videos(under, order=order, limit=limit, scope=scope)
        first = next(listed, None)
        if first is None:
            where = "" if under is None else f" at or under {under}"
            if scope != ALL:
                note(f"nothing that is indexed{where} is as asked for: ask for less")
            elif under is None:
                note("nothing is indexed: run `tempo-edge index PATH` first")
            else:
                note(f"nothing is indexed{where}: tempo-edge status PATH says why")
            raise typer.Exit(1)
        rows = _rows(chain([first], listed), as_json, outdated)
        while lines := list(islice(rows, _AT_ONCE)):
            emit("".join(lines))
    if outdated is not None:
        note(f"read with another version of {outdated}: tempo-edge index reads all of it again")


def _rows(listed: Iterable[ListedVideo], as_json: bool, outdated: str | None) -> Iterator[str]:
    """A line a file; for people below a heading. Each is looked for where it should be."""
    from tempo_edge.indexing.presence import Presence

    presence = Presence()
    if not as_json:
        yield _HEADING
    for video in listed:
        state = presence.of(video.file)
        yield json_line(_facts(video, state, outdated)) if as_json else _line(video, state)


def _facts(video: ListedVideo, state: str, outdated: str | None) -> dict[str, Any]:
    """What ``--json`` says of a file."""
    at = video.indexed_seconds
    return {
        "path": video.file.path,
        "video": video.file.video_id,
        "duration_seconds": round(video.duration_seconds, 3),
        "width": video.width,
        "height": video.height,
        "codec": video.codec,
        "size": video.file.size,
        "indexed": None if at is None else datetime.fromtimestamp(at, timezone.utc).isoformat(),
        "frames": video.frames,
        "lines": dict(video.lines),
        "passes": {
            kind: {"done": share.is_done, "until_seconds": round(share.until_seconds, 3)}
            for kind, share in video.passes.items()
        },
        "state": state,
        "remark": video.file.reason,
        "outdated_profile": outdated,
    }


def _line(video: ListedVideo, state: str) -> str:
    """A file for people. Its path comes last, so that no column waits for the longest one."""
    at = video.indexed_seconds
    day = "-" if at is None else f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M}"  # as clocks here go
    heard, scanned = (_share(video, kind) for kind in _PASSES)
    length = format_timestamp(round(video.duration_seconds)).removesuffix(".0")
    picture = f"{video.width}x{video.height}"
    lines = sum(count for kind, count in video.lines.items() if kind != "name")
    where = "" if state == "here" else f"  ({state})"
    return (
        f"{length:>8}  {picture:>9}  {size_of(video.file.size):>8}  {video.frames:>6}  {lines:>5}  "
        f"{heard:>5}  {scanned:>7}  {day:16}  {printable(video.file.path)}{where}\n"
    )


def _share(video: ListedVideo, kind: str) -> str:
    """How far a pass is with a video: yes, a share of it, or nothing yet."""
    if (share := video.passes.get(kind)) is None:
        return "-"
    if share.is_done:
        return "yes"
    return f"{min(99, int(100 * share.until_seconds / max(video.duration_seconds, 1e-9)))} %"
