"""Folders that nobody takes for what they are to become, until all of it is there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["clear", "room", "take_place"]


@contextmanager
def room(store: Path) -> Iterator[Path]:
    """A new folder below ``store``, gone afterwards unless it took a place.

    Raises:
        OSError: it can't be made.
    """
    folder = store / f".{os.getpid()}.partial"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def take_place(folder: Path, place: Path) -> None:
    """Let a folder take a place, whose former one comes back if that fails.

    Raises:
        OSError: it fails.
    """
    former = place.with_name(f".{place.name}.{os.getpid()}.former")
    if place.exists():
        place.replace(former)
    try:
        folder.replace(place)
    except OSError:
        if former.exists():
            former.replace(place)
        raise
    shutil.rmtree(former, ignore_errors=True)


def clear(folder: Path, about: str) -> None:
    """Remove a folder, the file that says what it is first.

    Without that what is left is nothing, even if the rest can't be removed.

    Raises:
        OSError: it can't be removed.
    """
    (folder / about).unlink()
    shutil.rmtree(folder)
