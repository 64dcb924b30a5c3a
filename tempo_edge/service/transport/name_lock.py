"""The lock that stands for a name, held for as long as whoever listens there lives."""

from __future__ import annotations

import os
from pathlib import Path

from tempo_edge._files.descriptor_lock import lock_descriptor
from tempo_edge._files.opening import open_carefully, open_lock

__all__ = ["is_held", "lock_of", "locked"]


def lock_of(path: Path) -> Path:
    """The file whose lock stands for a name."""
    return path.with_name(path.name + ".lock")


def locked(path: Path) -> int:
    """A descriptor that holds the lock of a name for as long as it is open.

    Raises:
        BlockingIOError: another process holds it.
        OSError: there can't be one.
    """
    descriptor = open_lock(lock_of(path))
    try:
        lock_descriptor(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def is_held(path: Path) -> bool:
    """Whether a process holds the lock of a name; others may ask at the same time."""
    try:
        lock = open_carefully(lock_of(path), os.O_RDWR, waiting=True)
    except OSError:
        return False
    try:
        lock_descriptor(lock, shared=True)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
