"""Work with a server that goes on when the server was away for a while."""

from __future__ import annotations

import time
from collections.abc import Callable

from tempo_edge.errors import LibraryError

__all__ = ["persevere"]

# Seconds after which a server that is away is looked for again, at first and at most.
_FIRST_SECONDS, _MOST_SECONDS = 0.5, 30.0

_LOOK_SECONDS = 0.05


def persevere(
    work: Callable[[Callable[[], None]], None],
    check_stop: Callable[[], None],
    on_notice: Callable[[str], None],
) -> None:
    """Do work to its end, and begin it anew each time that the library is lost.

    Args:
        work: is given what it calls once it has begun in earnest.
        check_stop: called while it waits; whatever it raises ends it.
        on_notice: told in a line why it waits, once for each time.

    Raises:
        LibraryError: it never began.
    """
    has_begun = False
    pause = 0.0

    def begun() -> None:
        nonlocal has_begun, pause
        has_begun, pause = True, 0.0

    while True:
        try:
            return work(begun)
        except LibraryError as error:
            if not has_begun:
                raise
            if not pause:
                on_notice(f"{error} (it is tried again)")
        pause = min(max(_FIRST_SECONDS, 2 * pause), _MOST_SECONDS)
        ends = time.monotonic() + pause
        while time.monotonic() < ends:
            check_stop()
            time.sleep(_LOOK_SECONDS)
