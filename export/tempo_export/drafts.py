"""A profile while it is made: a folder that takes its place when all of it is there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tempo_edge._files import atomic_dir
from tempo_edge.errors import ExportError
from tempo_edge.models.checksum import sha256_of
from tempo_edge.models.registry import Profile, read_profile
from tempo_export.files import write_whole

__all__ = ["drafted", "finish"]

_ABOUT = "profile.json"


@contextmanager
def drafted(destination: Path, *, replace: bool = False) -> Iterator[Path]:
    """A new folder beside ``destination``, which it becomes if nothing is raised.

    Raises:
        ExportError: there is something in ``destination`` already and may not be replaced, or it
            can't be written.
    """
    if destination.exists() and not replace:
        raise ExportError(f"{destination} is there already: remove it, or say --replace")
    try:
        with atomic_dir(destination, replace=replace) as folder:
            yield folder
    except OSError as error:
        raise ExportError(f"{destination} can't be written: {error}") from error


def finish(folder: Path, facts: dict[str, Any]) -> Profile:
    """Write ``profile.json``, the manifest of what lies in a folder, and read it again.

    Args:
        facts: all that it says, but for the list of files with their sizes and SHA-256.

    Raises:
        ProfileError: what was written is no profile.
    """
    files = {
        path.name: {"sha256": sha256_of(path), "bytes": path.stat().st_size}
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != _ABOUT
    }
    text = json.dumps({**facts, "files": files}, indent=2) + "\n"
    write_whole(folder / _ABOUT, text.encode())
    return read_profile(folder)
