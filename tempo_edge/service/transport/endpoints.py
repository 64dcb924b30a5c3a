"""The service's doors: every socket that it listens on, and what is needed to pass."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from tempo_edge.service.transport import places, token
from tempo_edge.service.transport.certificate import Certificate
from tempo_edge.service.transport.listening import Listening
from tempo_edge.service.transport.sockets import UnixListener, activated, tcp

__all__ = ["Door", "open_doors"]


@dataclass(frozen=True)
class Door:
    """A socket.

    Attributes:
        token: that of the owner, needed there; None where permissions do, or colleagues' own.
        name: of the socket, or its address.
        certificate: where colleagues come in, over TLS; None elsewhere.
    """

    socket: socket.socket
    token: str | None
    name: str
    certificate: Certificate | None = None

    @property
    def is_unix(self) -> bool:
        """Whether file permissions say who may connect."""
        return self.token is None and self.certificate is None

    @property
    def port(self) -> int:
        """The TCP port; 0 for a Unix socket."""
        return 0 if self.token is None else int(self.socket.getsockname()[1])


def open_doors(
    path: Path | None,
    port: int | None,
    stack: ExitStack,
    listening: Listening | None = None,
) -> list[Door]:
    """Every socket to listen on: those of systemd, or else those that were asked for.

    Args:
        path: the Unix socket; None for the default one.
        port: on the loopback address; None for not at all.
        stack: closes them.
        listening: where colleagues come in; None for nowhere.

    Raises:
        TakenError: a service listens at the Unix socket already.
        TempoEdgeError: one can't be made.
    """
    sockets = activated()
    own = []
    # First of all: it tells whether a service runs already, which may have the port as well.
    if path is not None or all(each.family != socket.AF_UNIX for each in sockets):
        listener = UnixListener(path or places.socket_path())
        stack.callback(listener.close)
        own.append(Door(listener.socket, None, str(listener.path)))
    if port is not None:
        sockets.append(tcp(port))
    doors = []
    if listening is not None:
        certificate = Certificate(listening.certificate, listening.key)
        bound = listening.bound()
        stack.callback(bound.close)
        at = replace(listening, port=int(bound.getsockname()[1]))
        doors.append(Door(bound, None, f"https://{at}/", certificate))
    for each in sockets:
        stack.callback(each.close)
        if each.family == socket.AF_UNIX:
            doors.append(Door(each, None, os.fsdecode(each.getsockname())))
        else:
            address = f"http://127.0.0.1:{each.getsockname()[1]}/"
            doors.append(Door(each, token.load(places.token_path()), address))
    return doors + own
