"""Work in the background: commands that run for long and let everything else go first."""

from __future__ import annotations

import os

__all__ = ["be_nice"]


def be_nice() -> None:
    """Indexing is background work: let whatever the person is doing go first."""
    try:
        os.nice(5)
    except OSError:
        return
