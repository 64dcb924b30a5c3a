"""The library of a user who names none."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["default_library_path", "library_path"]


def default_library_path() -> Path:
    """Where the library is kept when none is named: ``$TEMPO_EDGE_LIBRARY`` or the user's data."""
    named = os.environ.get("TEMPO_EDGE_LIBRARY")
    if named:
        return Path(named).expanduser()
    from platformdirs import user_data_path

    return user_data_path("tempo-edge") / "library.db"


def library_path(named: str | Path | None) -> Path:
    """Where the library that somebody named is kept; the default one where nobody named any."""
    return default_library_path() if named is None else Path(named).expanduser()
