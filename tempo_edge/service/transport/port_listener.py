"""The way in where there are no Unix sockets: a port, a note that tells it, and the token."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack, suppress
from pathlib import Path

from tempo_edge._files import make_private
from tempo_edge.errors import TempoEdgeError
from tempo_edge.service.transport.port_note import port_in, write_note
from tempo_edge.service.transport.sockets import check_free, held, tcp

__all__ = ["PortListener"]


class PortListener:
    """A socket on the loopback address, and the note that tells where; the note goes with it.

    Args:
        path: the note's name. Its folder is made if need be, closed to others.
        port: 0 for any that is free.

    Raises:
        TakenError: a service listens there already.
        TempoEdgeError: it can't be made.
    """

    def __init__(self, path: Path, port: int = 0) -> None:
        self.path = path
        with ExitStack() as undoing:
            try:
                make_private(path.parent)
                self._lock = held(path)
                undoing.callback(os.close, self._lock)
                check_free(path)
                self.socket: socket.socket = undoing.enter_context(tcp(port))
                path.unlink(missing_ok=True)
                self.port = int(self.socket.getsockname()[1])
                write_note(path, self.port)
            except OSError as error:
                raise TempoEdgeError(
                    f"note {path} can't be written ({error.strerror or error}): "
                    "use another --socket"
                ) from error
            undoing.pop_all()

    def close(self) -> None:
        """Stop listening, and take the note away if it is still this one's."""
        self.socket.close()
        with suppress(OSError):
            if port_in(self.path) == self.port:
                self.path.unlink()
        os.close(self._lock)
