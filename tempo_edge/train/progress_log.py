"""Tells how a long run goes on, and since when."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["ProgressLog", "Say"]

#: A reporter of one line, given without its end.
Say = Callable[[str], None]


class ProgressLog:
    """A reporter that puts the minutes and seconds since its making before each line."""

    def __init__(self, write: Say) -> None:
        """`write` takes the lines."""
        self._write = write
        self._started = time.monotonic()

    def __call__(self, line: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self._started), 60)
        self._write(f"[{minutes:02d}:{seconds:02d}] {line}")
