"""Events for whoever listens, as server-sent events (HTML Living Standard, section 9.2)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from tempo_edge.errors import ServiceError

__all__ = ["Events", "Listener"]

# Events that wait for a slow listener before it misses some.
_WAITING = 256

# A sign of life, so that a listener that is gone is noticed.
_BEAT_SECONDS = 15.0

_Queue = asyncio.Queue["bytes | None"]


class Listener(StreamingResponse):
    """A stream of events as an HTTP answer; its place is free again when it was sent.

    Args:
        stream: the events, encoded.
        leave: called at the end, however it comes.
    """

    def __init__(self, stream: AsyncIterator[bytes], leave: Callable[[], None]) -> None:
        super().__init__(stream, media_type="text/event-stream")
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()


class Events:
    """Passes events on to listeners; to be used from the event loop's thread only.

    Args:
        most: listeners at once.
    """

    def __init__(self, most: int = 32) -> None:
        self._most = most
        self._listeners: set[_Queue] = set()
        self._closed = False

    def tell(self, name: str, facts: dict[str, Any]) -> None:
        """Send an event to everyone. Who is too slow misses the oldest ones."""
        line = _encode(name, facts)
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(line)

    def listen(self, name: str, facts: dict[str, Any]) -> Listener:
        """All events from now on, as an answer; the first one is given.

        Raises:
            ServiceError: there are too many listeners already; status 503.
        """
        if self._closed or len(self._listeners) >= self._most:
            raise ServiceError(503, f"{self._most} listen already: end one of them")
        queue: _Queue = asyncio.Queue(_WAITING)
        queue.put_nowait(_encode(name, facts))
        # Counted from here on: of forty that come at once, none is being sent to yet.
        self._listeners.add(queue)
        return Listener(self._stream(queue), lambda: self._listeners.discard(queue))

    async def _stream(self, queue: _Queue) -> AsyncIterator[bytes]:
        while not self._closed:
            try:
                line = await asyncio.wait_for(queue.get(), _BEAT_SECONDS)
            except asyncio.TimeoutError:
                line = b": still here\n\n"
            if line is None:
                return
            yield line

    def close(self) -> None:
        """End all streams."""
        self._closed = True
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)


def _encode(name: str, facts: dict[str, Any]) -> bytes:
    # JSON spells line ends out, so this is one line whatever a file's name holds.
    return f"event: {name}\ndata: {json.dumps(facts)}\n\n".encode()
