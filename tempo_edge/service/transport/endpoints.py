"""The service's doors: every socket that it listens on, and what is needed to pass."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from tempo_edge._system import unix_sockets
from tempo_edge.service.transport import places, token
from tempo_edge.service.transport.certificate import Certificate
from tempo_edge.service.transport.listening import Listening
from tempo_edge.service.transport.port_listener import PortListener
from tempo_edge.service.transport.sockets import UnixListener, activated, tcp

__all__ = ["Door", "open_doors"]


@dataclass(frozen=True)
class Door:
    """A socket.

    Attributes:
        token: that of the owner, needed there; None where permissions do, or colleagues' own.
        name: of the socket, or its address.
        certificate: where colleagues come in, over TLS; None elsewhere.
        place: the name by which its user's programs find it; None where they come another way.
    """

    socket: socket.socket
    token: str | None
    name: str
    certificate: Certificate | None = None
    place: Path | None = None

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
        path: the Unix socket; None for the default one. Without Unix sockets it is the name of a
            note that tells a port.
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
    if path is not None or not any(map(unix_sockets.is_one, sockets)):
        own.append(_own_door(path or places.socket_path(), port, stack))
        if own[0].port:
            port = None  # which is this door's by now
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
        if unix_sockets.is_one(each):
            name = os.fsdecode(each.getsockname())
            doors.append(Door(each, None, name, place=Path(name)))
        else:
            doors.append(_port_door(each))
    return doors + own


def _own_door(place: Path, port: int | None, stack: ExitStack) -> Door:
    """The door for its user's own programs, by a name: a Unix socket, or else a port."""
    if unix_sockets.are_used():
        unix = UnixListener(place)
        stack.callback(unix.close)
        return Door(unix.socket, None, str(unix.path), place=unix.path)
    listener = PortListener(place, port or 0)
    stack.callback(listener.close)
    return replace(_port_door(listener.socket), place=listener.path)


def _port_door(listening: socket.socket) -> Door:
    """A door on the loopback address, which only the token opens."""
    address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    return Door(listening, token.load(places.token_path()), address)
