"""The process: sockets, models, indexing and servers, wired together and ended together."""

from __future__ import annotations

import asyncio
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

from starlette.types import ASGIApp

from tempo_edge._console.progress import Progress
from tempo_edge._console.text import note, printable
from tempo_edge._system.signals import on_loop
from tempo_edge.errors import TempoEdgeError
from tempo_edge.indexing.exclusion import Exclusion
from tempo_edge.indexing.word_choice import check_words, readers_of
from tempo_edge.service.access.audit import AuditLog
from tempo_edge.service.access.users import Users
from tempo_edge.service.browser import door_file, forget_door, open_running, show, with_token
from tempo_edge.service.client import ask_address, is_same
from tempo_edge.service.handle import Models
from tempo_edge.service.http.app import App
from tempo_edge.service.http.events import Events
from tempo_edge.service.http.search_queue import SearchQueue
from tempo_edge.service.jobs.index_supervisor import Indexing
from tempo_edge.service.jobs.throttle import Throttle
from tempo_edge.service.transport import places
from tempo_edge.service.transport.announcement import announce
from tempo_edge.service.transport.colleague_guard import ColleagueGuard
from tempo_edge.service.transport.descriptors import connections_per_socket, raise_limit
from tempo_edge.service.transport.endpoints import Door, open_doors
from tempo_edge.service.transport.guard import Guard
from tempo_edge.service.transport.listening import Listening
from tempo_edge.service.transport.server import Server
from tempo_edge.service.transport.sockets import TakenError

__all__ = ["Settings", "serve"]

# Pages that are told of progress at once, where colleagues may have some open.
_TABS = 192


@dataclass(frozen=True)
class Settings:
    """What to serve, and where.

    Attributes:
        library: the database file.
        socket: the Unix socket; by default :func:`tempo_edge.service.transport.places.socket_path`.
        port: on the loopback address as well; None for not at all, 0 for any free one.
        watched: folders to follow.
        exclude: patterns of what is left out.
        always: index on battery and on a busy machine too.
        quiet: no line for every file that was indexed.
        open: open the page in the person's browser; of the service that runs already, if one does.
        words: which words to read, of :data:`tempo_edge.indexing.word_choice.WORDS`.
        listening: where colleagues come in; None for nowhere.
    """

    library: Path
    socket: Path | None = None
    port: int | None = None
    watched: list[Path] = field(default_factory=list)
    exclude: list[str] = field(default_factory=list)
    always: bool = False
    quiet: bool = False
    open: bool = False
    words: str = "subtitles"
    listening: Listening | None = None


def serve(settings: Settings) -> None:
    """Serve until told to end by SIGINT or SIGTERM.

    Raises:
        MissingExtraError: what reads the words that are asked for is not installed.
        TempoEdgeError: it can't listen, a folder to watch is none, a pattern matches nothing,
            there are no such words, or nobody may come in where colleagues would.
    """
    for folder in settings.watched:
        if not folder.is_dir():
            raise TempoEdgeError(f"{folder} is not a folder that can be watched")
    Exclusion(settings.exclude, settings.watched)
    check_words(settings.words)
    for reader in readers_of(settings.words):  # said now, and not by the process that indexes
        reader.close()
    if settings.listening is not None and not Users(places.users_path(settings.library)).all():
        raise TempoEdgeError(
            f"nobody may come in at {settings.listening} yet: "
            "tempo-edge users add NAME --right read adds somebody"
        )
    with ExitStack() as stack:
        try:
            doors = open_doors(settings.socket, settings.port, stack, settings.listening)
            place = next(door.place for door in doors if door.place is not None)
            announce(settings.library, place, stack)
        except TakenError as error:
            if settings.open and open_running(settings.library, error.path):
                return
            raise _taken(settings.library, error) from error
        stack.callback(forget_door, settings.socket)
        asyncio.run(_Process(settings, doors).run())


def _taken(library: Path, error: TakenError) -> TempoEdgeError:
    """Where the service is that runs already, for whoever starts another one."""
    said = ask_address(error.path)
    if said is None:
        return error
    where = f"a service of {said['library']} listens at {error.path} already"
    instead = "end it first" if is_same(library, said["library"]) else "use another --socket"
    if said["address"] is None:
        return TempoEdgeError(f"{where}, without a page: {instead}")
    seen = with_token(said["address"]) if sys.stderr.isatty() else said["address"]
    return TempoEdgeError(f"{where}, its page is {seen}: use that, or {instead}")


class _Process:
    """Everything that lives as long as the event loop does."""

    def __init__(self, settings: Settings, doors: list[Door]) -> None:
        self._settings = settings
        self._doors = doors
        self._connections = connections_per_socket(raise_limit(), len(doors))

    async def run(self) -> None:
        settings = self._settings
        models, events = Models(), Events(*([] if settings.listening is None else [_TABS]))
        searches = SearchQueue(settings.library, models)
        throttle = None if settings.always else Throttle()
        told = Progress(settings.quiet, lines=True)
        indexing = Indexing(
            settings.library,
            settings.watched,
            throttle,
            events.tell,
            told,
            settings.exclude,
            told.notice,
            settings.words,
        )
        app = App(
            *(settings.library, searches, models, indexing, events, self._address),
            settings.watched,
        )
        servers = [self._server(app, door, events) for door in self._doors]
        self._obey_signals(servers)
        serving = [asyncio.create_task(server.serve()) for server in servers]
        try:
            for server, task in zip(servers, serving, strict=True):
                await _listening(server, task)
            for door in self._doors:
                note(f"listening on {_address(door)}")
            if settings.open:
                self._open_page()
            searches.warm()
            background = asyncio.create_task(indexing.run())
            await asyncio.gather(*serving)
            await indexing.close()
            await background
        finally:
            for server in servers:
                server.should_exit = True
            await asyncio.gather(*serving, return_exceptions=True)
            app.close()
            searches.close()

    @property
    def _address(self) -> str | None:
        """Where a browser finds the page; None where there is no port."""
        return next((door.name for door in self._doors if door.token is not None), None)

    def _open_page(self) -> None:
        """Open the page, on a thread of its own: some browsers are waited for until they end."""
        if self._address is not None:
            arguments = (with_token(self._address), door_file(self._settings.socket))
            Thread(target=show, args=arguments, daemon=True).start()

    def _server(self, app: App, door: Door, events: Events) -> Server:
        guard: ASGIApp = Guard(app.asgi, door.token, door.port)
        if door.certificate is not None:
            library = self._settings.library
            users, log = Users(places.users_path(library)), AuditLog(places.audit_path(library))
            guard = ColleagueGuard(app.asgi, door.certificate, users, log)
        ends = events.close
        return Server(guard, door.socket, self._connections, ends, door.certificate)

    def _obey_signals(self, servers: list[Server]) -> None:
        def end() -> None:
            for server in servers:
                server.should_exit = True

        on_loop(asyncio.get_running_loop(), end)


async def _listening(server: Server, task: asyncio.Task[None]) -> None:
    """Wait until a server listens.

    Raises:
        TempoEdgeError: it can't.
    """
    ready = asyncio.create_task(server.ready.wait())
    either: set[asyncio.Future[Any]] = {ready, task}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    if task.done():
        await task


def _address(door: Door) -> str:
    """Where it listens; with the token only where a person sees it, and no journal keeps it."""
    if door.token is None or not sys.stderr.isatty():
        return printable(door.name)
    return f"{door.name}?token={door.token}"
