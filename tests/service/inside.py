"""Requests to applications in this process, without a server between or with one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from door import Reply
from harness import PATIENCE
from starlette.types import ASGIApp

from tempo_edge.service.access.right import OWNER, enter
from tempo_edge.service.transport import sockets
from tempo_edge.service.transport.certificate import Certificate
from tempo_edge.service.transport.server import Server

__all__ = ["Receive", "ask", "get", "serving", "stays"]

Receive = Callable[[], Awaitable[dict[str, Any]]]


async def stays() -> dict[str, Any]:
    """Somebody who waits for an answer."""
    await asyncio.Event().wait()
    raise AssertionError


async def ask(
    app: ASGIApp,
    path: str,
    query: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    receive: Receive = stays,
    method: str = "GET",
) -> Reply:
    """What is answered to a request."""
    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(n.lower().encode(), v.encode()) for n, v in (headers or {}).items()],
        "client": None,
        "server": ("localhost", 80),
    }
    scope = enter(scope, OWNER)
    await asyncio.wait_for(app(scope, receive, send), PATIENCE)
    begun, *parts = said
    told = {name.decode(): text.decode("latin-1") for name, text in begun["headers"]}
    return Reply(begun["status"], told, b"".join(part.get("body", b"") for part in parts))


def get(app: ASGIApp, path: str, query: str = "", **headers: str) -> Reply:
    """The same from outside an event loop; `_` stands for `-` in names of headers."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return asyncio.run(ask(app, path, query, headers=named))


@contextmanager
def serving(
    app: ASGIApp,
    limit: int = 8,
    certificate: Certificate | None = None,
    end_streams: Callable[[], None] = lambda: None,
) -> Iterator[int]:
    """The port of a server in this process, over TLS where it has a certificate."""
    listening = sockets.tcp(0)
    port = int(listening.getsockname()[1])
    servers: list[Server] = []
    up = threading.Event()

    async def run() -> None:
        server = Server(app, listening, limit, end_streams, certificate)
        servers.append(server)
        task = asyncio.create_task(server.serve())
        await server.ready.wait()
        up.set()
        await task

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        assert up.wait(PATIENCE)
        yield port
    finally:
        servers[0].should_exit = True
        thread.join(PATIENCE)
        listening.close()
    assert not thread.is_alive()
