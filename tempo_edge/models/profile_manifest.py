"""The manifest of a profile, ``profile.json``: the list that it keeps of its files."""

from __future__ import annotations

import json
from pathlib import Path

from tempo_edge._files import atomic_write
from tempo_edge.models.checksum import sha256_of

__all__ = ["record_file"]


def record_file(folder: Path, name: str) -> None:
    """Record the size and SHA-256 of a file in the manifest of the profile in ``folder``."""
    path = folder / "profile.json"
    profile = json.loads(path.read_text(encoding="utf-8"))
    file = folder / name
    profile["files"][name] = {"sha256": sha256_of(file), "bytes": file.stat().st_size}
    with atomic_write(path) as draft:
        draft.write_text(json.dumps(profile, indent=2) + "\n", encoding="utf-8")
