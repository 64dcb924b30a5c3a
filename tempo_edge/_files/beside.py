"""What lies in a folder, beside a film: names, and the files of some of them."""

# Strings and `os` instead of `Path`: a library may have many files.
# ruff: noqa: PTH116

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator

__all__ = ["names_in", "regular_files"]


def names_in(folder: str) -> list[str]:
    """The names of all that lies in a folder, in no order; none where it can't be listed.

    Who walks over the folder says that it can't be.
    """
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries]
    except OSError:
        return []


def regular_files(
    folder: str, names: Iterable[str], most: int
) -> Iterator[tuple[str, str, os.stat_result]]:
    """(name, path, facts) of those names that are files, and `most` of these at most."""
    taken = 0
    for name in names:
        path = f"{folder}/{name}"
        try:
            facts = os.stat(path)
        except OSError:
            continue  # a link to nowhere
        if stat.S_ISREG(facts.st_mode) and taken < most:
            taken += 1
            yield name, path, facts
