"""Enters a file into the list that a profile keeps of its files."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path


def enter_file(folder: Path, name: str) -> None:
    """Enter the size and checksum of a file of a profile into its `profile.json`."""
    content = (folder / name).read_bytes()
    path = folder / "profile.json"
    profile = json.loads(path.read_text(encoding="utf-8"))
    digest = hashlib.sha256(content).hexdigest()
    profile["files"][name] = {"sha256": digest, "bytes": len(content)}
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(json.dumps(profile, indent=2) + "\n", encoding="utf-8")
    partial.replace(path)
