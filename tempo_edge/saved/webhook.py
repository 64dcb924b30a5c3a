"""The webhook of a saved search: JSON by POST, to this machine and no other."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Timer
from urllib.parse import urlsplit

from tempo_edge.errors import QueryError
from tempo_edge.saved.told_moment import ToldMoment

__all__ = ["check_webhook", "post"]

# For one try, and before each next one.
_LIMIT_SECONDS = 5.0
_WAITS_SECONDS = (0.0, 0.5, 2.0)

_LONGEST = 2000


def check_webhook(address: str) -> tuple[str, int, str]:
    """(host, port, target) of an address.

    Raises:
        QueryError: it is no address of HTTP, or of another machine.
    """
    must = QueryError.naming(
        "{webhook} {!r} must be as http://127.0.0.1:8000/path, of this machine", address[:80]
    )
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:
        raise must from None
    if not (address.isascii() and address.isprintable() and " " not in address):
        raise must
    if parts.scheme != "http" or parts.username or parts.fragment or len(address) > _LONGEST:
        raise must
    # A name could be another machine's tomorrow; this one is nobody's.
    host = "127.0.0.1" if host == "localhost" else host
    try:
        is_here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_here = False
    if not is_here:
        raise must
    return host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def post(
    address: str,
    told: ToldMoment,
    sent: Callable[[], None] = lambda: None,
    *,
    limit_seconds: float = _LIMIT_SECONDS,
    waits_seconds: tuple[float, ...] = _WAITS_SECONDS,
) -> str:
    """Tell a moment; gives nothing, or what went wrong in all tries.

    Only an answer of 200 to 299 will do. Redirects are not followed, and no proxy is asked.

    Args:
        sent: called whenever it was sent, before it is known what becomes of it.
    """
    trouble = ""
    for wait in waits_seconds:
        time.sleep(wait)
        trouble = _try(address, told, sent, limit_seconds)
        if not trouble:
            return ""
    return f"{address} {trouble}"


def _try(address: str, told: ToldMoment, sent: Callable[[], None], limit_seconds: float) -> str:
    host, port, target = check_webhook(address)
    connection = http.client.HTTPConnection(host, port, timeout=limit_seconds)

    def end() -> None:
        with suppress(OSError, AttributeError):
            connection.sock.shutdown(socket.SHUT_RDWR)

    # A limit on each read alone would let an answer come in byte by byte for ever.
    timer = Timer(limit_seconds, end)
    timer.daemon = True
    timer.start()
    try:
        headers = {"Content-Type": "application/json", "Idempotency-Key": told.facts["id"]}
        connection.request("POST", target, told.as_text().encode(), headers)
        sent()
        status = connection.getresponse().status
        return "" if 200 <= status < 300 else f"answered with status {status}"
    except (OSError, http.client.HTTPException) as error:
        return f"can't be reached: {error or type(error).__name__}"
    finally:
        timer.cancel()
        connection.close()
