"""What is derived from rows, brought up now and then while a long run goes on."""

from __future__ import annotations

import time
from collections.abc import Callable

from tempo_edge.indexing.report import IndexEvent

__all__ = ["kept_up"]

# Between two looks whether the vector cache has fallen behind.
_KEEP_UP_SECONDS = 30.0


def kept_up(
    refresh: Callable[[], None], on_event: Callable[[IndexEvent], None] | None
) -> Callable[[IndexEvent], None]:
    """Passes events on, and now and then has the vector cache brought up.

    Otherwise every search during a long run had to do so for itself.

    Args:
        refresh: brings it up.
        on_event: told of every event.
    """
    due = time.monotonic() + _KEEP_UP_SECONDS

    def told(event: IndexEvent) -> None:
        nonlocal due
        if on_event is not None:
            on_event(event)
        if event.kind == "indexed" and time.monotonic() >= due:
            refresh()
            due = time.monotonic() + _KEEP_UP_SECONDS

    return told
