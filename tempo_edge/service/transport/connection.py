"""One HTTP connection: it ends where a request's head does not come in time."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["Connection"]

# From a connection's beginning, or from a later request's first byte, to the end of its head.
_HEAD_SECONDS = 10.0


class Connection(H11Protocol):
    """A connection that knows whether it is idle, and since when.

    Attributes:
        idle_since: when the connection began or its last answer ended, by the loop's clock.
    """

    idle_since = 0.0
    _expiry: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> bool:
        """Whether no request is under way and nothing is left to send: ending it loses nothing."""
        if self.transport.get_write_buffer_size():
            return False
        if self.transport.is_closing():  # over TLS until the other side has said so, too
            return True
        return self.cycle is None or self.cycle.response_complete

    def end(self) -> None:
        """Close at once."""
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.idle_since = self.loop.time()
        self._time_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._time_head()

    def on_response_complete(self) -> None:
        self.idle_since = self.loop.time()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timing()
        super().connection_lost(exc)

    def _time_head(self) -> None:
        """See to it that a head which has begun, or should have, comes to its end."""
        under_way = self.cycle is not None and not self.cycle.response_complete
        if under_way or self.transport.is_closing():
            self._stop_timing()
        elif self._expiry is None:
            self._expiry = self.loop.call_later(_HEAD_SECONDS, self.end)

    def _stop_timing(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
