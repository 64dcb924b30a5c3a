"""Taking in connections: no more than there is room for, and none is waited for in vain."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from tempo_edge._console.text import note
from tempo_edge.errors import TempoEdgeError
from tempo_edge.service.transport.certificate import Certificate
from tempo_edge.service.transport.connection import Connection
from tempo_edge.service.transport.descriptors import SHORTAGES

__all__ = ["Acceptor"]

# Connections that the kernel keeps until they are taken in.
_BACKLOG = 1024

# Between two looks for room while every connection has a request under way.
_LOOK_SECONDS = 0.05

# For a handshake, and of all connections the share that may be at theirs at once.
_HANDSHAKE_SECONDS, _HANDSHAKES = 10.0, 0.25

# Before the next try where descriptors are short, and between two lines that say so.
_PAUSE_SECONDS, _SAYING_SECONDS = 1.0, 60.0


class Acceptor:
    """Takes in the connections to one listening socket.

    Where as many are open as may be, the one that has been idle for longest makes room: whoever
    connects and asks nothing keeps nobody out. Where none is idle, newcomers wait in the kernel.

    Args:
        listening: the socket, bound.
        limit: connections at once.
        certificate: to be shown, where TLS is spoken; its handshakes are nobody else's delay.
    """

    def __init__(
        self, listening: socket.socket, limit: int, certificate: Certificate | None = None
    ) -> None:
        self._listening = listening
        self._limit = limit
        self._certificate = certificate
        # In order: the oldest one makes room.
        self._handshakes: dict[asyncio.Task[None], None] = {}
        self._open: set[Connection] = set()
        self._task: asyncio.Task[None] | None = None
        self._said = -_SAYING_SECONDS

    def start(self, make: Callable[[], Connection], connections: set[Connection]) -> None:
        """Listen.

        Args:
            make: gives the protocol of a new connection.
            connections: those that are open, kept up to date by the protocols themselves.

        Raises:
            TempoEdgeError: the socket can't be listened on.
        """
        self._open = connections
        try:
            self._listening.setblocking(False)
            self._listening.listen(_BACKLOG)
        except OSError as error:
            name = self._listening.getsockname()
            raise TempoEdgeError(
                f"socket {name} can't be listened on ({error.strerror}): use another"
            ) from error
        self._task = asyncio.create_task(self._run(make))

    def check(self) -> None:
        """Raise what ended it, if anything did: a service must not go deaf in silence."""
        if self._task is not None and self._task.done():
            self._task.result()

    async def close(self) -> None:
        """Stop listening. Open connections stay."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        for each in list(self._handshakes):
            each.cancel()
        self._listening.close()

    async def _run(self, make: Callable[[], Connection]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            while len(self._open) >= self._limit and not self._idle():
                await asyncio.sleep(_LOOK_SECONDS)
            try:
                accepted, _ = await loop.sock_accept(self._listening)
            except OSError as error:
                if error.errno in SHORTAGES:
                    await self._pause(error)
                continue  # else it was gone before it was taken in
            if len(self._open) >= self._limit:
                self._make_room()
            if self._certificate is None:
                await self._take_in(make, accepted, None)
                continue
            while len(self._handshakes) >= max(1, self._limit * _HANDSHAKES):
                oldest = next(iter(self._handshakes))
                del self._handshakes[oldest]
                oldest.cancel()
            shaking = loop.create_task(self._take_in(make, accepted, self._certificate.context))
            self._handshakes[shaking] = None
            shaking.add_done_callback(partial(self._shaken, accepted))

    async def _take_in(
        self,
        make: Callable[[], Connection],
        accepted: socket.socket,
        context: ssl.SSLContext | None,
    ) -> None:
        loop = asyncio.get_running_loop()
        seconds = None if context is None else _HANDSHAKE_SECONDS
        try:
            await loop.connect_accepted_socket(
                make, accepted, ssl=context, ssl_handshake_timeout=seconds
            )
        except OSError:  # of a handshake, too
            accepted.close()

    def _shaken(self, accepted: socket.socket, task: asyncio.Task[None]) -> None:
        self._handshakes.pop(task, None)
        if task.cancelled():
            accepted.close()

    def _idle(self) -> list[Connection]:
        return [each for each in self._open if each.idle]

    def _make_room(self) -> None:
        """End the connection that has been idle for longest, if one is."""
        oldest = min(self._idle(), key=lambda each: each.idle_since, default=None)
        if oldest is not None:
            oldest.end()

    async def _pause(self, error: OSError) -> None:
        """Wait for descriptors: asked again at once, the kernel would say the same."""
        now = asyncio.get_running_loop().time()
        if now - self._said >= _SAYING_SECONDS:
            self._said = now
            note(f"no connection can be taken in for now: {error.strerror}")
        self._make_room()
        await asyncio.sleep(_PAUSE_SECONDS)
