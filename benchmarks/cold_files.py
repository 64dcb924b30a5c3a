"""Files of which the system holds nothing in memory, as after a restart."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

__all__ = ["forget", "write_all"]


def write_all() -> None:
    """Bring everything that waits for it onto the disks, where a system can be told to."""
    if sys.platform != "win32":
        os.sync()


def forget(files: Iterable[Path]) -> None:
    """Have the system forget what it holds of files; those that aren't there are passed over.

    Raises:
        SystemExit: this system can't be told to.
    """
    if sys.platform != "linux":
        raise SystemExit("files can be forgotten by Linux alone: measure there")
    else:
        for path in files:
            with suppress(FileNotFoundError), path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
