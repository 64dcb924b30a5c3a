"""A profile while it is made: a folder that takes its place when all of it is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tempo_edge._files import atomic_dir
from tempo_edge.errors import ExportError
from tempo_edge.models.profile_manifest import write_manifest
from tempo_edge.models.registry import Profile, read_profile

__all__ = ["drafted", "finish"]


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
    write_manifest(folder, facts)
    return read_profile(folder)
