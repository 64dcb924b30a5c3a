"""The signals that ask a process to end, and the end that nothing can refuse."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable

__all__ = ["ENDING", "end_at_once", "on_loop", "on_loop_by_handlers"]

if sys.platform == "win32":
    #: Those that ask this process to end: the keyboard's and, of its console, Ctrl-Break.
    ENDING: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM, signal.SIGBREAK)
else:
    #: Those that ask this process to end: the keyboard's, the system's, and a terminal that goes.
    ENDING: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# What a program that was ended by its task manager ends with.
_ENDED = 1


def end_at_once() -> None:
    """End this process here and now, whatever its threads are at."""
    if sys.platform != "win32":
        signal.raise_signal(signal.SIGKILL)
    os._exit(_ENDED)


def on_loop_by_handlers(loop: asyncio.AbstractEventLoop, end: Callable[[], None]) -> None:
    """As :func:`on_loop`, where event loops know no signals: Python's own handlers tell the loop.

    To be called on the main thread.
    """
    for number in ENDING:
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(end))


if sys.platform == "win32":
    on_loop = on_loop_by_handlers
else:

    def on_loop(loop: asyncio.AbstractEventLoop, end: Callable[[], None]) -> None:
        """Have an event loop call a function when it is asked to end."""
        for number in ENDING:
            loop.add_signal_handler(number, end)
