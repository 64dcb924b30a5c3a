"""A server of a benchmark's own that it restarts, and a way to it on which connections are cut."""

from __future__ import annotations

import importlib
import selectors
import socket
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from tempo_edge._system import unix_sockets

__all__ = ["Cutter", "started_server"]

_SOCKET = ".s.PGSQL.5432"
_READ_BYTES = 1 << 16


def started_server() -> Any:
    """The PostgreSQL with pgvector of the tests, started; it ends with this process."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    return importlib.import_module("postgres_server").server()


class Cutter:
    """A socket beside a server's, through which everything goes until it is cut.

    Attributes:
        folder: where it is, to be named as a server's host.
        cuts: how many connections were cut.
    """

    def __init__(self, server: Path) -> None:
        self._target = str(server / _SOCKET)
        self._home = tempfile.TemporaryDirectory(prefix="tempo-cut-")
        self.folder = Path(self._home.name)
        self.folder.chmod(0o755)
        self.cuts = 0
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = Lock()
        self._listener = unix_sockets.make()
        self._listener.bind(str(self.folder / _SOCKET))
        self._listener.listen(64)
        Thread(target=self._listen, daemon=True).start()

    def name(self, name: str, server: Path) -> str:
        """The name of a library, by this way."""
        return name.replace(str(server), str(self.folder))

    def cut(self) -> None:
        """Cut all connections there are now."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        self.cuts += len(pairs)
        for pair in pairs:
            _end(*pair)

    def close(self) -> None:
        """Take no connection any more."""
        self._listener.close()
        self.cut()
        self._home.cleanup()

    def _listen(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = unix_sockets.make()
            try:
                far.connect(self._target)
            except OSError:  # the server is away
                near.close()
                continue
            with self._lock:
                self._pairs.add((near, far))
            Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        other = {near: far, far: near}
        with selectors.DefaultSelector() as ready, suppress(OSError, ValueError):
            for each in other:
                ready.register(each, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    read = key.fileobj
                    assert isinstance(read, socket.socket)
                    data = read.recv(_READ_BYTES)
                    if not data:
                        raise OSError
                    other[read].sendall(data)
        with self._lock:
            self._pairs.discard((near, far))
        _end(near, far)


def _end(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
