"""The manifest of a profile, ``profile.json``: what it says of itself, and of each of its files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tempo_edge._files import atomic_write
from tempo_edge.models.checksum import sha256_of

__all__ = ["MANIFEST", "record_file", "write_calibration", "write_manifest"]

#: The name of the manifest in a profile's folder; without it a folder is no profile.
MANIFEST = "profile.json"


def write_manifest(folder: Path, facts: dict[str, Any]) -> None:
    """Write the manifest of all that lies in ``folder``.

    Args:
        facts: all that it says, but for the list of files with their sizes and SHA-256.
    """
    files = {
        path.name: _entry(path)
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != MANIFEST
    }
    _write(folder / MANIFEST, {**facts, "files": files})


def record_file(folder: Path, name: str) -> None:
    """Record the size and SHA-256 of a file in the manifest of the profile in ``folder``."""
    path = folder / MANIFEST
    profile = json.loads(path.read_text(encoding="utf-8"))
    profile["files"][name] = _entry(folder / name)
    _write(path, profile)


def write_calibration(folder: Path, contents: dict[str, Any]) -> None:
    """Write ``calibration.json`` of the profile in ``folder``, and record it in its manifest."""
    text = json.dumps(contents, indent=1) + "\n"
    with atomic_write(folder / "calibration.json") as draft:
        draft.write_text(text, encoding="utf-8")
    record_file(folder, "calibration.json")


def _entry(file: Path) -> dict[str, str | int]:
    return {"sha256": sha256_of(file), "bytes": file.stat().st_size}


def _write(path: Path, manifest: dict[str, Any]) -> None:
    with atomic_write(path) as draft:
        draft.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
