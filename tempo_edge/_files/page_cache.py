"""The system's cache of a file's pages: what is in it, and what need not be kept there.

Only Linux is asked. Elsewhere nothing is known, and nothing is lost by that but time.
"""

from __future__ import annotations

import os
import sys

__all__ = ["CAN_TELL", "drop", "expect_random", "read_cached"]

if sys.platform == "linux":
    #: Whether the system tells what is in its cache.
    CAN_TELL = hasattr(os, "RWF_NOWAIT")

    def expect_random(descriptor: int) -> None:
        """Say that nothing need be read ahead.

        Raises:
            OSError: that can't be said of such a file.
        """
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)

    def read_cached(descriptor: int, buffer: bytearray, start: int) -> int:
        """Fill a buffer with what is in the cache from a byte on; gives how much that is.

        Raises:
            BlockingIOError: nothing is.
            OSError: such a file can't be asked.
        """
        return os.preadv(descriptor, [buffer], start, os.RWF_NOWAIT)

    def drop(descriptor: int, start: int, length: int) -> None:
        """Say that a stretch need not be kept.

        Raises:
            OSError: that can't be said of such a file.
        """
        os.posix_fadvise(descriptor, start, length, os.POSIX_FADV_DONTNEED)

else:
    CAN_TELL = False

    def expect_random(descriptor: int) -> None:
        """Nothing: this system is not told."""

    def read_cached(descriptor: int, buffer: bytearray, start: int) -> int:
        """Nothing is known of a cache here.

        Raises:
            BlockingIOError: always.
        """
        raise BlockingIOError

    def drop(descriptor: int, start: int, length: int) -> None:
        """Nothing: this system is not told."""
