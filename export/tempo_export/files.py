"""Files that are there whole or not at all."""

from __future__ import annotations

from pathlib import Path

from tempo_edge._files import atomic_write

__all__ = ["write_whole"]


def write_whole(path: Path, contents: bytes) -> None:
    """Write a file in one step; what was there before is replaced when all is written.

    Raises:
        OSError: it can't be written.
    """
    with atomic_write(path) as draft:
        draft.write_bytes(contents)
