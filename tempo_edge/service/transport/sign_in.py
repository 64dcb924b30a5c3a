"""Signing in with a browser: a token is pasted into a form, and kept in a cookie of the browser.

It is never taken from an address, which browsers remember, and people send to one another.
"""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl

from starlette.types import Receive, Send

from tempo_edge.errors import ServiceError

__all__ = ["COOKIE", "SIGN_IN", "lead_on", "let_in", "token_of"]

#: The cookie. By this beginning of its name browsers take it over TLS only, and from no neighbour.
COOKIE = "__Host-tempo_edge_token"

#: Where the form is sent to.
SIGN_IN = "/sign-in"

# Asks for the same address once more.
_ONWARD = (
    b"<!doctype html><html lang=en><meta charset=utf-8><title>tempo-edge</title>"
    b'<link rel=icon href="data:,"><meta http-equiv=refresh content=0></html>'
)

# Of what the form sends, in bytes, and how long it may take.
_LARGEST_FORM, _FORM_SECONDS = 1024, 10.0


async def token_of(receive: Receive) -> str:
    """The token that a form was sent with; empty where there is none.

    Raises:
        ServiceError: it is too long (status 413), or does not come to its end (408).
    """
    try:
        sent = await asyncio.wait_for(_body(receive), _FORM_SECONDS)
    except asyncio.TimeoutError:
        raise ServiceError(408, "the form did not come to its end in time") from None
    return dict(parse_qsl(sent.decode("latin-1"))).get("token", "").strip()


async def _body(receive: Receive) -> bytes:
    sent = b""
    while True:
        told = await receive()
        sent += bytes(told.get("body", b""))
        if len(sent) > _LARGEST_FORM:
            raise ServiceError(413, f"the form must have at most {_LARGEST_FORM} bytes")
        if not told.get("more_body", False):
            return sent


async def let_in(send: Send, token: str) -> None:
    """Lead to the page, with the token in a cookie."""
    cookie = f"{COOKIE}={token}; Secure; HttpOnly; SameSite=Strict; Path=/"
    headers = [(b"set-cookie", cookie.encode()), (b"location", b"/"), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def lead_on(send: Send) -> None:
    """Have a browser ask again that comes from another site: only then it names its cookie."""
    length = b"%d" % len(_ONWARD)
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", length)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": _ONWARD})
