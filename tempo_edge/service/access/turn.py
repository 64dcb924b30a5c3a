"""A turn at a file: one process at a time, others wait."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tempo_edge._files.descriptor_lock import lock_descriptor
from tempo_edge._files.opening import open_lock

__all__ = ["turn_at"]


@contextmanager
def turn_at(path: Path) -> Iterator[None]:
    """The lock of a file's name, held for the block; whoever is killed holds it no longer.

    Raises:
        OSError: there can't be one.
    """
    place = path.with_name(f"{path.name}.lock")
    descriptor = open_lock(place, links=False)
    try:
        lock_descriptor(descriptor, wait=True)
        yield
    finally:
        os.close(descriptor)
