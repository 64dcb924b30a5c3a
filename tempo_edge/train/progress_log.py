"""Tells how a long run goes on, and since when."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """Writes lines with the minutes since the start before them."""

    def __init__(self, write: Callable[[str], None]) -> None:
        """`write` takes a line without its end."""
        self._write = write
        self._started = time.monotonic()

    def __call__(self, line: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self._started), 60)
        self._write(f"[{minutes:02d}:{seconds:02d}] {line}")
