"""``tempo-edge status``: what a library holds, told to a person or as JSON."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tempo_edge._console.text import emit, json_line, printable
from tempo_edge.cli.options import LibraryOption, opened
from tempo_edge.cli.queue_lines import queue_lines
from tempo_edge.cli.values import place
from tempo_edge.moment import format_timestamp

if TYPE_CHECKING:
    from tempo_edge.library import Library

__all__ = ["describe", "format_status", "status"]

# By the kind of its lines, what the line begins with that tells how far a later pass is.
_PASSES = {"speech": "heard     ", "screen": "scanned   "}


def status(
    path: Annotated[
        Path | None,
        typer.Argument(metavar="[PATH]", parser=place, help="Only files at or under PATH."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    library: LibraryOption = None,
) -> None:
    """Say what the library holds, and what was skipped and why."""
    with opened(library, None) as target:
        target.known(path)
        facts = describe(target, path)
    emit(json_line(facts) if as_json else format_status(facts))


def describe(library: Library, under: Path | None) -> dict[str, Any]:
    """Totals, sizes on disk and skipped files of a library, or of a part of it.

    Each file counts once, under the word that ``index`` has for it: indexed, skipped or offline;
    one that is gone is what the next run of ``index`` drops.
    """
    from tempo_edge.indexing.presence import Presence

    presence = Presence()
    counts = dict.fromkeys(("indexed", "skipped", "offline", "gone"), 0)
    told: dict[str, list[Any]] = {name: [] for name in ("offline", "gone", "remarks", "skipped")}
    for row in library.each_file(under):
        place = presence.of(row)
        state = row.state if place == "here" else place
        counts[state] += 1
        if state == "skipped":
            told[state].append({"path": row.path, "reason": row.reason})
        elif state != "indexed":
            told[state].append(row.path)
        elif row.reason:
            told["remarks"].append({"path": row.path, "remark": row.reason})
    words = library.words_read(under)
    told["remarks"] += [{"path": path, "remark": remark} for path, remark in words.remarks]
    facts: dict[str, Any] = {"library": library.catalogue.name, "profile": library.profile.name}
    if under is None:
        facts.update(library.totals())
        facts["lines"] = words.counts
        facts["passes"] = {kind: asdict(totals) for kind, totals in words.passes.items()}
    facts.update({f"files_{state}": count for state, count in counts.items()})
    facts.update(told)
    sizes = library.store.sizes()
    facts["database_bytes"], facts["cache_bytes"] = sizes.database, sizes.cache
    with library.catalogue.snapshot():
        if how := library.store.how_searched(library.catalogue):
            facts["search"] = how
        if volumes := library.catalogue.volumes():
            facts["volumes"] = [{"name": e.volume.name, "path": e.root} for e in volumes]
    if (queue := library.store.queue_state()) is not None:
        facts["queue"] = asdict(queue)
    return facts


def format_status(facts: dict[str, Any]) -> str:
    """The facts of :func:`describe` for people, one line each."""
    lines = [
        f"library   {printable(facts['library'])}",
        f"profile   {facts['profile']}",
        f"files     {_counted(facts)}",
    ]
    if "hours" in facts:
        length = _length(facts["hours"] * 3600)
        lines.append(f"footage   {length}, {facts['frames']} frames looked at")
    if facts.get("lines"):
        lines.append(f"words     {_spoken(facts['lines'])}")
    for kind, totals in facts.get("passes", {}).items():
        lines.append(f"{_PASSES[kind]}{_far(totals)}")
    megabytes = (facts["database_bytes"] + facts["cache_bytes"]) / 1e6
    lines.append(f"on disk   {megabytes:.1f} MB ({facts['cache_bytes'] / 1e6:.1f} MB of it cache)")
    if facts.get("search"):
        lines.append(f"search    {facts['search']}")
    if facts.get("queue"):
        lines += queue_lines(facts["queue"])
    for volume in facts.get("volumes", ()):
        lines.append(f"volume    {printable(volume['name'])}: {_where(volume['path'])}")
    lines += [f"offline   {printable(path)}: its volume is not there" for path in facts["offline"]]
    lines += [f"gone      {printable(path)}: index again to forget it" for path in facts["gone"]]
    lines += [f"remark    {printable(row['path'])}: {row['remark']}" for row in facts["remarks"]]
    lines += [f"skipped   {printable(row['path'])}: {row['reason']}" for row in facts["skipped"]]
    return "".join(f"{line}\n" for line in lines)


def _spoken(counts: dict[str, int]) -> str:
    """How many lines of each kind have been read."""
    names = {
        "subtitle": ("line of subtitles", "lines of subtitles"),
        "speech": ("line of speech", "lines of speech"),
        "screen": ("line on the screen", "lines on the screen"),
        "chapter": ("chapter", "chapters"),
        "name": ("name", "names"),
    }
    told = {kind: counts[kind] for kind in names if kind in counts}
    return ", ".join(f"{count} {names[kind][count > 1]}" for kind, count in told.items())


def _far(totals: dict[str, float]) -> str:
    """How far a later pass is."""
    done, whole = (_length(totals[name]) for name in ("seconds_done", "seconds"))
    return f"{totals['videos_done']} of {totals['videos']} videos, {done} of {whole}"


def _where(path: str | None) -> str:
    return "not mounted here" if path is None else printable(path)


def _length(seconds: float) -> str:
    return format_timestamp(round(seconds)).removesuffix(".0")


def _counted(facts: dict[str, Any]) -> str:
    parts = [f"{facts['files_indexed']} indexed", f"{facts['files_skipped']} skipped"]
    parts += [f"{facts[f'files_{n}']} {n}" for n in ("offline", "gone") if facts[f"files_{n}"]]
    return ", ".join(parts)
