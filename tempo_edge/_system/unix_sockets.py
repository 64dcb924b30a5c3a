"""Unix sockets, which file permissions guard: there on Linux and macOS.

Python knows none on Windows. Where a folder can't hold them, as some shares can't, a person may do
without them as well: ``TEMPO_EDGE_UNIX_SOCKETS=no``.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping

__all__ = ["SWITCH", "are_used", "is_one", "make"]

#: The variable that says "no" where there are to be none.
SWITCH = "TEMPO_EDGE_UNIX_SOCKETS"

_NO = frozenset({"no", "0", "off"})

if sys.platform == "win32":

    def make() -> socket.socket:
        """None can be made here.

        Raises:
            OSError: always.
        """
        raise OSError("there are no Unix sockets here")

    def is_one(made: socket.socket) -> bool:
        """False: there are none here."""
        return False

else:

    def make() -> socket.socket:
        """A new socket, neither bound nor connected."""
        return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def is_one(made: socket.socket) -> bool:
        """Whether a socket is one of them."""
        return made.family == socket.AF_UNIX


def are_used(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a service in some environment listens at one, where it may choose."""
    return sys.platform != "win32" and environment.get(SWITCH, "").lower() not in _NO
