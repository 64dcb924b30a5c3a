"""The marker of a volume: a small hidden file at its root, by which every machine knows it.

It is written where a user names a volume, beside footage and never over anything.
"""

from __future__ import annotations

import json
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from tempo_edge._files import atomic_write
from tempo_edge._files.opening import open_carefully

__all__ = ["MARKER", "Marker", "read_marker", "write_marker"]

#: The name of the file.
MARKER = ".tempo-edge-volume"

# Bytes of the longest file that is taken for one.
_MOST_BYTES = 4096

_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Marker:
    """What a marker says: the volume's ``id``, and the ``name`` that it was given at first."""

    id: str
    name: str


def read_marker(root: str) -> Marker | None:
    """What the marker of a folder says; None where there is none, or one that can't be read."""
    try:
        held = open_carefully(f"{root.rstrip('/')}/{MARKER}", links=False)
    except OSError:
        return None
    try:
        is_file = stat.S_ISREG(os.fstat(held).st_mode)
        facts = json.loads(os.read(held, _MOST_BYTES) if is_file else b"")
        known, name = facts["volume"], facts.get("name", "")
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return None
    finally:
        os.close(held)
    is_one = isinstance(known, str) and _ID.fullmatch(known) and isinstance(name, str)
    return Marker(known, name) if is_one else None


def write_marker(root: str, marker: Marker) -> None:
    """Put a marker into a folder that has none.

    Raises:
        FileExistsError: there is a file of that name.
        OSError: it can't be written, for the volume is read-only, say.
    """
    facts = {"about": "tempo-edge knows this volume by this file", "volume": marker.id}
    text = json.dumps({**facts, "name": marker.name}, ensure_ascii=False, indent=1) + "\n"
    with atomic_write(Path(root) / MARKER, new_mode=0o644, replace=False) as draft:
        draft.write_text(text, encoding="utf-8")
