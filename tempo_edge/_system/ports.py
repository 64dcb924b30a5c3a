"""Ports of this machine, which one program has at a time."""

from __future__ import annotations

import socket
import sys

__all__ = ["hold_alone"]

if sys.platform == "win32":

    def hold_alone(made: socket.socket) -> None:
        """Before a socket is bound: nobody else may bind its port.

        What lets others take over a port that was just left lets them take it from its holder here.
        """
        made.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)

else:

    def hold_alone(made: socket.socket) -> None:
        """Before a socket is bound: its port may be one that was just left."""
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
