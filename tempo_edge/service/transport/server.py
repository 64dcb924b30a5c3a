"""The HTTP server of one socket."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import uvicorn
from starlette.types import ASGIApp

from tempo_edge.service.transport.acceptor import Acceptor
from tempo_edge.service.transport.certificate import Certificate
from tempo_edge.service.transport.connection import Connection

__all__ = ["Server"]

# Of a request's line and headers together, in bytes.
_LONGEST_HEAD = 32 << 10

# For answers under way, once the service is asked to end.
_ENDING_SECONDS = 3


# Between two looks whether the certificate was renewed: half a minute.
_LOOK_TICKS = 300


class Server(uvicorn.Server):
    """A server that takes in its connections itself, and leaves signals to the process.

    Args:
        app: what answers.
        listening: the socket, bound.
        connections: how many may be open at once.
        end_streams: called at the end, or streams without one would be waited for.
        certificate: to be shown, where it speaks TLS.

    Attributes:
        ready: set once it listens.
    """

    def __init__(
        self,
        app: ASGIApp,
        listening: socket.socket,
        connections: int,
        end_streams: Callable[[], None],
        certificate: Certificate | None = None,
    ) -> None:
        # What goes wrong is told in one line or as a traceback by the app itself.
        logging.getLogger("uvicorn").addHandler(logging.NullHandler())
        logging.getLogger("uvicorn").propagate = False
        config = uvicorn.Config(
            app,
            http=Connection,
            loop="asyncio",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=_ENDING_SECONDS,
            h11_max_incomplete_event_size=_LONGEST_HEAD,
        )
        super().__init__(config)
        self.servers = []
        self.ready = asyncio.Event()
        self._end_streams = end_streams
        self._certificate = certificate
        self._acceptor = Acceptor(listening, connections, certificate)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._acceptor.start(
            self._connection, cast("set[Connection]", self.server_state.connections)
        )
        self.started = True
        self.ready.set()

    def _connection(self) -> Connection:
        return Connection(self.config, self.server_state, {})

    async def on_tick(self, counter: int) -> bool:
        self._acceptor.check()
        if self._certificate is not None and counter % _LOOK_TICKS == 0:
            self._certificate.renew()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end_streams()
        await self._acceptor.close()
        await super().shutdown()
