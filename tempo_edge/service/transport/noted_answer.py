"""An answer that is in the audit log before its head is sent."""

from __future__ import annotations

import json
import time
from typing import Any

from starlette.types import Message, Send

from tempo_edge._console.text import note
from tempo_edge.service.access.audit import AuditLog

__all__ = ["NotedAnswer"]

# Between two lines that say that nothing can be noted.
_SAYING_SECONDS = 60.0


class NotedAnswer:
    """An answer on its way; where it can't be noted, another says so in its place, status 503.

    Args:
        send: sends it.
        log: notes it.
        entry: what is noted, with its status; it may grow until then.

    Attributes:
        is_begun: whether its head was sent.
        is_noted: whether it is to be; if not, the next one that is says how many were not.
    """

    def __init__(self, send: Send, log: AuditLog, entry: dict[str, Any]) -> None:
        self._send = send
        self._log = log
        self._entry = entry
        self.is_begun = False
        self.is_noted = True
        self._is_replaced = False

    async def __call__(self, message: Message) -> None:
        if self._is_replaced:
            return
        if message["type"] == "http.response.start":
            self.is_begun = True
            if not self._note(status=message["status"]):
                await self._replace()
                return
        await self._send(message)

    def cut(self, why: str) -> None:
        """Note that an answer was ended before it was whole."""
        self._note(cut=why)

    def _note(self, **facts: object) -> bool:
        """Note it; gives whether that succeeded."""
        if not self.is_noted:
            self._log.left_out += 1
            return True
        try:
            self._log.write({**self._entry, **facts})
        except OSError as error:
            now = time.monotonic()
            if now - self._log.complained >= _SAYING_SECONDS:
                self._log.complained = now
                why = error.strerror or error
                note(f"audit log {self._log.path} can't be written ({why}): nobody is answered")
            return False
        return True

    async def _replace(self) -> None:
        self._is_replaced = True
        text = "nothing is answered that can't be noted: the service's log says why"
        body = json.dumps({"error": text})
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"retry-after", b"10"),
            (b"connection", b"close"),
        ]
        await self._send({"type": "http.response.start", "status": 503, "headers": headers})
        await self._send({"type": "http.response.body", "body": body.encode()})
