"""What long work says every half minute to whoever has no bar to look at."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from types import TracebackType

__all__ = ["EVERY_SECONDS", "Pulse", "clock", "narrated"]

# The longest silence of long work where stderr is no terminal.
EVERY_SECONDS = 30.0


class Pulse:
    """A thread that says what work is at whenever half a minute has passed in silence.

    Nothing is said on a terminal.

    Args:
        at: what the work is at; nothing while there is nothing to say.
        say: takes a line.
    """

    def __init__(self, at: Callable[[], str], say: Callable[[str], None]) -> None:
        self._at = at
        self._say = say
        self._ended = Event()
        self._spoke = time.monotonic()
        self._thread: Thread | None = None

    def __enter__(self) -> Pulse:
        if not sys.stderr.isatty():
            self._thread = Thread(target=self._beat, name="tempo-pulse", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def spoke(self) -> None:
        """A line was said: the next one is due half a minute from now."""
        self._spoke = time.monotonic()

    def _beat(self) -> None:
        while not self._ended.wait(max(0.01, self._spoke + EVERY_SECONDS - time.monotonic())):
            if time.monotonic() - self._spoke >= EVERY_SECONDS:
                self.spoke()
                if line := self._at():
                    self._say(line)


@contextmanager
def narrated(say: Callable[[str], None]) -> Iterator[Callable[[str], None]]:
    """A way to say what work is at; where lines are far apart, the last is said again meanwhile."""
    began = time.monotonic()
    latest = ""

    def at() -> str:
        passed = clock(time.monotonic() - began)
        return f"still at work after {passed}" + (f": {latest}" if latest else "")

    with Pulse(at, say) as pulse:

        def speak(line: str) -> None:
            nonlocal latest
            latest = line
            pulse.spoke()
            say(line)

        yield speak


def clock(seconds: float) -> str:
    """Hours, minutes and seconds, as in 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
