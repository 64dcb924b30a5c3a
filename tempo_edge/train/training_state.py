"""Checkpoints: tensors and plain values, written in one step and read without running code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from tempo_edge._files import atomic_write
from tempo_edge.train.data.archives import DataError


def save(path: Path, state: dict[str, Any]) -> None:
    """Write `state` to `path`; a reader sees the old file or the new one, never a part.

    Raises:
        DataError: it can't be written.
    """
    try:
        with atomic_write(path) as draft:
            torch.save(state, draft)
    except (OSError, RuntimeError) as error:  # the latter is how torch says that a disk is full
        raise DataError(f"{path} can't be written: {' '.join(str(error).split())}") from error


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint; raises DataError naming a file that is none."""
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a broken file makes of the reader
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise DataError(f"{path} is not a readable checkpoint: {reason}") from error
    return state
