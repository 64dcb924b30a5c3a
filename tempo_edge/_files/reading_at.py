"""Bytes of an open file from somewhere in it; where the file stands for others stays as it is."""

from __future__ import annotations

import os
import sys
from threading import Lock

__all__ = ["read_at", "read_at_by_seeking"]

# A descriptor stands at one place, whoever reads: here one thread at a time moves any.
_MOVING = Lock()


def read_at_by_seeking(descriptor: int, length: int, start: int) -> bytes:
    """As :func:`read_at`, where a system can only read from where a file stands.

    It is safe beside itself in other threads, and not beside those that read the same descriptor
    in another way.
    """
    with _MOVING:
        stood = os.lseek(descriptor, 0, os.SEEK_CUR)
        try:
            os.lseek(descriptor, start, os.SEEK_SET)
            return os.read(descriptor, length)
        finally:
            os.lseek(descriptor, stood, os.SEEK_SET)


if sys.platform == "win32":
    read_at = read_at_by_seeking
else:

    def read_at(descriptor: int, length: int, start: int) -> bytes:
        """At most ``length`` bytes from ``start`` on; fewer at the end of the file.

        Raises:
            OSError: they can't be read.
        """
        return os.pread(descriptor, length, start)
