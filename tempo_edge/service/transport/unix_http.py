"""HTTP over a Unix socket."""

from __future__ import annotations

import http.client
from pathlib import Path

from tempo_edge._system import unix_sockets

__all__ = ["UnixConnection"]


class UnixConnection(http.client.HTTPConnection):
    """A connection to whoever listens at ``place``.

    Args:
        seconds: how long to wait to get through, and for each part of an answer.
    """

    def __init__(self, place: Path, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._place = place

    def connect(self) -> None:
        """Get through.

        Raises:
            OSError: nobody listens there, or not in time.
        """
        self.sock = unix_sockets.make()
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._place))
