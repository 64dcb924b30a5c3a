"""The process: sockets, models, indexing and servers, wired together and ended together."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn

from tempo_edge._progress import Progress
from tempo_edge._text import note, printable
from tempo_edge.errors import TempoEdgeError
from tempo_edge.service import places, token
from tempo_edge.service.app import App
from tempo_edge.service.engine import Engine
from tempo_edge.service.events import Events
from tempo_edge.service.guard import Guard
from tempo_edge.service.handle import Models
from tempo_edge.service.indexing import Indexing
from tempo_edge.service.listen import UnixListener, activated, tcp
from tempo_edge.service.manners import Manners

__all__ = ["Settings", "serve"]

# Connections to one socket at once.
_CONNECTIONS = 256

# Of a request's line and headers together, in bytes.
_LONGEST_HEAD = 32 << 10

# For answers under way, once the service is asked to end.
_ENDING_SECONDS = 3


@dataclass(frozen=True)
class Settings:
    """What to serve, and where.

    Attributes:
        library: the database file.
        socket: the Unix socket; by default :func:`tempo_edge.service.places.socket_path`.
        port: on the loopback address as well; None for not at all, 0 for any free one.
        watched: folders to follow.
        always: index on battery and on a busy machine too.
        quiet: no line for every file that was indexed.
    """

    library: Path
    socket: Path | None = None
    port: int | None = None
    watched: list[Path] = field(default_factory=list)
    always: bool = False
    quiet: bool = False


def serve(settings: Settings) -> None:
    """Serve until told to end by SIGINT or SIGTERM.

    Raises:
        TempoEdgeError: it can't listen, or a folder to watch is none.
    """
    for folder in settings.watched:
        if not folder.is_dir():
            raise TempoEdgeError(f"{folder} is not a folder that can be watched")
    with ExitStack() as stack:
        doors = _doors(settings, stack)
        asyncio.run(_Process(settings, doors).run())


@dataclass(frozen=True)
class _Door:
    """A socket, the token that is needed there (None where permissions do), and its name."""

    socket: socket.socket
    token: str | None
    name: str

    @property
    def port(self) -> int:
        return 0 if self.token is None else int(self.socket.getsockname()[1])


def _doors(settings: Settings, stack: ExitStack) -> list[_Door]:
    """Every socket to listen on: those of systemd, or else those that were asked for."""
    sockets = activated()
    if settings.port is not None:
        sockets.append(tcp(settings.port))
    doors = []
    for each in sockets:
        stack.callback(each.close)
        if each.family == socket.AF_UNIX:
            doors.append(_Door(each, None, os.fsdecode(each.getsockname())))
        else:
            address = f"http://127.0.0.1:{each.getsockname()[1]}/"
            doors.append(_Door(each, token.load(places.token_path()), address))
    if settings.socket is not None or all(door.token for door in doors):
        listener = UnixListener(settings.socket or places.socket_path())
        stack.callback(listener.close)
        doors.append(_Door(listener.socket, None, str(listener.path)))
    return doors


class _Server(uvicorn.Server):
    """A server that leaves signals to the process, and ends streams before it waits for them."""

    events: Events

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.events.close()
        await super().shutdown(sockets)


class _Process:
    """Everything that lives as long as the event loop does."""

    def __init__(self, settings: Settings, doors: list[_Door]) -> None:
        self._settings = settings
        self._doors = doors

    async def run(self) -> None:
        settings = self._settings
        models, events = Models(), Events()
        engine = Engine(settings.library, models)
        manners = None if settings.always else Manners()
        told = Progress(settings.quiet, lines=True)
        indexing = Indexing(settings.library, settings.watched, manners, events.tell, told)
        app = App(settings.library, engine, models, indexing, events)
        servers = [self._server(app, door, events) for door in self._doors]
        self._obey_signals(servers)
        engine.warm()
        background = asyncio.create_task(indexing.run())
        serving = [
            asyncio.create_task(server.serve(sockets=[door.socket]))
            for server, door in zip(servers, self._doors, strict=True)
        ]
        for door in self._doors:
            note(f"listening on {_address(door)}")
        await asyncio.gather(*serving)
        await indexing.close()
        await background
        app.close()
        engine.close()

    def _server(self, app: App, door: _Door, events: Events) -> _Server:
        # What goes wrong is told in one line or as a traceback by the app itself.
        logging.getLogger("uvicorn").addHandler(logging.NullHandler())
        logging.getLogger("uvicorn").propagate = False
        config = uvicorn.Config(
            Guard(app.asgi, door.token, door.port),
            http="h11",
            loop="asyncio",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=_CONNECTIONS,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=_ENDING_SECONDS,
            h11_max_incomplete_event_size=_LONGEST_HEAD,
        )
        server = _Server(config)
        server.events = events
        return server

    def _obey_signals(self, servers: list[_Server]) -> None:
        def end() -> None:
            for server in servers:
                server.should_exit = True

        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(name, end)


def _address(door: _Door) -> str:
    """Where it listens; with the token only where a person sees it, and no journal keeps it."""
    if door.token is None or not sys.stderr.isatty():
        return printable(door.name)
    return f"{door.name}?token={door.token}"
