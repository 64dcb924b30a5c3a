"""Enters a file into the list that a profile keeps of its files."""

from __future__ import annotations

import json
from pathlib import Path

from tempo_edge._files import atomic_write
from tempo_edge.models.checksum import sha256_of


def enter_file(folder: Path, name: str) -> None:
    """Enter the size and checksum of a file of a profile into its `profile.json`."""
    path = folder / "profile.json"
    profile = json.loads(path.read_text(encoding="utf-8"))
    file = folder / name
    profile["files"][name] = {"sha256": sha256_of(file), "bytes": file.stat().st_size}
    with atomic_write(path) as draft:
        draft.write_text(json.dumps(profile, indent=2) + "\n", encoding="utf-8")
