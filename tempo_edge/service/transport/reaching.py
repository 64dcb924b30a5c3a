"""The way to a service by the name of its socket, whether there is a socket or a note of a port."""

from __future__ import annotations

import http.client
from pathlib import Path

from tempo_edge.service.transport import places
from tempo_edge.service.transport.port_note import port_at
from tempo_edge.service.transport.unix_http import UnixConnection

__all__ = ["PortConnection", "connection_to"]


def connection_to(place: Path, seconds: float) -> http.client.HTTPConnection:
    """A connection to whoever listens at ``place``, not made yet.

    Args:
        seconds: how long to wait to get through, and for each part of an answer.

    Raises:
        TempoEdgeError: the token that has to be named can't be read.
    """
    port = port_at(place)
    if port is None:
        return UnixConnection(place, seconds)
    from tempo_edge.service.transport import token

    return PortConnection(port, token.load(places.token_path()), seconds)


class PortConnection(http.client.HTTPConnection):
    """A connection to a port of this machine, whose every request names the user's token.

    Args:
        seconds: how long to wait to get through, and for each part of an answer.
    """

    def __init__(self, port: int, token: str, seconds: float) -> None:
        super().__init__("127.0.0.1", port, timeout=seconds)
        self._token = token

    def putrequest(
        self,
        method: str,
        url: str,
        skip_host: bool = False,
        skip_accept_encoding: bool = False,
    ) -> None:
        """Begin a request."""
        super().putrequest(method, url, skip_host, skip_accept_encoding)
        self.putheader("Authorization", f"Bearer {self._token}")
