"""Problems of a file that may be gone at the next run: it moves while it is read, above all."""

# Strings and `os` instead of `Path`: a library may have many files.
# ruff: noqa: PTH116

from __future__ import annotations

import os

from tempo_edge.errors import MediaError
from tempo_edge.indexing.walk import LAST_NS, FoundFile

__all__ = ["CHANGED", "PassingError", "check_facts", "check_still", "unread"]

CHANGED = "changed while it was read: index it again when it is still"


class PassingError(MediaError):
    """A reason that may be gone at the next run though the file stays as it is."""


def check_still(found: FoundFile) -> None:
    """Refuse a file that changed under the decoder: its frames may be of two videos.

    Raises:
        PassingError: it did, or is gone.
    """
    try:
        facts = os.stat(found.path)
    except OSError as error:
        raise PassingError("vanished while it was read") from error
    check_facts(facts, found)


def check_facts(facts: os.stat_result, found: FoundFile) -> None:
    """Refuse a file whose size or time are not as they were found.

    Raises:
        PassingError: one of them is not.
    """
    if (facts.st_size, min(facts.st_mtime_ns, LAST_NS)) != (found.size, found.mtime_ns):
        raise PassingError(CHANGED)


def unread(error: OSError) -> PassingError:
    """The problem of a file that a disk, or who owns it, keeps from being read."""
    return PassingError(f"can't be read: {(error.strerror or str(error)).lower()}")
