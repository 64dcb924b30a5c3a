"""The clock of this machine beside that of a library's server, by which all work goes."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tempo_edge.store.queue import Shared

__all__ = ["tell_clock"]

# Clocks that differ by less are as good as the same.
_MOST_SECONDS = 60.0


def tell_clock(store: Shared, say: Callable[[str], None]) -> None:
    """Say in one line that this machine's clock differs from the server's, if it does.

    Raises:
        LibraryError: the server can't be reached.
    """
    ahead = store.clock_ahead_seconds()
    if abs(ahead) < _MOST_SECONDS:
        return
    by = timedelta(seconds=round(abs(ahead)))
    say(
        f"the clock of {socket.gethostname()} is {by} {'ahead of' if ahead > 0 else 'behind'} the "
        "server's, which all work goes by: set it, with timedatectl set-ntp true"
    )
