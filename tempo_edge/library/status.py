"""What a library holds, told to a person or as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tempo_edge._text import printable

if TYPE_CHECKING:
    from tempo_edge._api import Library

__all__ = ["describe", "format_status"]


def describe(library: Library, under: Path | None) -> dict[str, Any]:
    """Totals, sizes on disk and skipped files of a library, or of a part of it."""
    files = library.files(under)
    skipped = [{"path": row.path, "reason": row.reason} for row in files if row.state == "skipped"]
    offline = [r.path for r in files if r.state == "indexed" and not Path(r.path).exists()]
    facts: dict[str, Any] = {"library": str(library.path), "profile": library.profile.name}
    if under is None:
        facts.update(library.totals())
    else:
        facts["files_indexed"] = len(files) - len(skipped)
        facts["files_skipped"] = len(skipped)
    facts["offline"] = offline
    facts["skipped"] = skipped
    log = library.path.with_name(library.path.name + "-wal")
    facts["database_bytes"] = _size(library.path) + _size(log)
    facts["cache_bytes"] = sum(_size(path) for path in library.cache_folder.glob("*"))
    return facts


def format_status(facts: dict[str, Any]) -> str:
    """The same for people, one line a fact."""
    lines = [
        f"library   {printable(facts['library'])}",
        f"profile   {facts['profile']}",
        f"files     {facts['files_indexed']} indexed, {facts['files_skipped']} skipped",
    ]
    if "hours" in facts:
        lines.append(f"footage   {facts['hours']:.2f} hours, {facts['frames']} frames looked at")
    megabytes = (facts["database_bytes"] + facts["cache_bytes"]) / 1e6
    lines.append(f"on disk   {megabytes:.1f} MB ({facts['cache_bytes'] / 1e6:.1f} MB of it cache)")
    lines += [f"offline   {printable(path)}" for path in facts["offline"]]
    lines += [f"skipped   {printable(row['path'])}: {row['reason']}" for row in facts["skipped"]]
    return "".join(f"{line}\n" for line in lines)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
