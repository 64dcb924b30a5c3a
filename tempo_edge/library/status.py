"""What a library holds, told to a person or as JSON."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tempo_edge._api import Library

__all__ = ["describe", "print_status"]


def describe(library: Library, under: Path | None) -> dict[str, Any]:
    """Totals, sizes on disk and skipped files of a library, or of a part of it."""
    files = library.files(under)
    skipped = [{"path": row.path, "reason": row.reason} for row in files if row.state == "skipped"]
    offline = [
        row.path for row in files if row.state == "indexed" and not os.path.exists(row.path)
    ]
    facts: dict[str, Any] = {"library": str(library.path), "profile": library.profile.name}
    if under is None:
        facts.update(library.catalogue.totals())
    else:
        facts["files_indexed"] = len(files) - len(skipped)
        facts["files_skipped"] = len(skipped)
    facts["offline"] = offline
    facts["skipped"] = skipped
    facts["database_bytes"] = _size(library.path)
    facts["cache_bytes"] = sum(
        _size(path) for path in library.path.with_suffix(".vectors").glob("*")
    )
    return facts


def print_status(facts: dict[str, Any]) -> None:
    """The same for people."""
    print(f"library   {facts['library']}")
    print(f"profile   {facts['profile']}")
    print(f"files     {facts['files_indexed']} indexed, {facts['files_skipped']} skipped")
    if "hours" in facts:
        print(f"footage   {facts['hours']:.2f} hours, {facts['frames']} frames looked at")
    megabytes = (facts["database_bytes"] + facts["cache_bytes"]) / 1e6
    print(f"on disk   {megabytes:.1f} MB ({facts['cache_bytes'] / 1e6:.1f} MB of it cache)")
    for path in facts["offline"]:
        print(f"offline   {path}")
    for row in facts["skipped"]:
        print(f"skipped   {row['path']}: {row['reason']}")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
