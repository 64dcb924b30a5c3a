"""A refusal before the door: one line of JSON, or a small page where a browser shows it."""

from __future__ import annotations

import asyncio
import html
import json
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import Receive, Send

from tempo_edge.errors import ServiceError

__all__ = ["DRAINED", "refuse"]

#: Bytes of a body that are read and thrown away before it is refused: whoever still sends would
#: find the connection reset in place of the answer.
DRAINED = 32 << 20

# How long that may take, and the longest pause in it.
_DRAINING_SECONDS, _PAUSE_SECONDS = 5.0, 0.5

_PAGE = """<!doctype html>
<html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">
<meta name=color-scheme content="light dark"><title>{title} · tempo-edge</title>
<link rel=icon href="data:,">
<h1>{title}</h1>
<p>{advice}</p>
<p><small>{status}: {text}</small></p>
</html>
"""

_SIGN_IN = (
    "Type <code>tempo-edge serve --open</code> in a terminal, or open the address that "
    "<code>tempo-edge serve --address</code> prints there: it holds your token."
)

_FORM = (
    "Paste the token that the owner of this service gave you."
    "<form method=post action=/sign-in><label>Token <input name=token type=password required "
    "autofocus autocomplete=current-password maxlength=200></label> <button>Sign in</button></form>"
)


async def refuse(
    receive: Receive,
    send: Send,
    error: ServiceError,
    asked: Headers,
    *,
    is_signing_in: bool = False,
    is_drained: bool = True,
) -> None:
    """Answer a request that may not pass, and end its connection.

    Args:
        asked: the request's headers, which say whether a browser shows the answer to a person.
        is_signing_in: whether a person may sign in there with a token of their own.
        is_drained: whether what comes of a body is waited for, so that the answer arrives.
    """
    if is_drained:
        await _drain(receive, asked)
    wants_page = "text/html" in asked.get("accept", "")
    body = _page(error, is_signing_in) if wants_page else json.dumps({"error": str(error)}).encode()
    kind = b"text/html; charset=utf-8" if wants_page else b"application/json"
    headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body))]
    if error.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
        # Else what the form sends would come from nowhere, as what another site's sends.
        headers.append((b"referrer-policy", b"same-origin"))
    if error.status in (429, 503):
        headers.append((b"retry-after", b"5"))
    # Who may not pass has no use for the connection, and could keep it from others.
    headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _drain(receive: Receive, asked: Headers) -> None:
    """Read what comes of a body, up to a size and for a while, and keep nothing of it."""
    if "expect" in asked:
        return  # it is sent only once somebody says that it may be
    loop = asyncio.get_running_loop()
    ends, size = loop.time() + _DRAINING_SECONDS, 0
    with suppress(asyncio.TimeoutError):
        while size <= DRAINED and loop.time() < ends:
            told = await asyncio.wait_for(receive(), _PAUSE_SECONDS)
            size += len(told.get("body", b""))
            if not told.get("more_body", False):
                return


def _page(error: ServiceError, is_signing_in: bool) -> bytes:
    title, advice = "This is not answered", "Open the page from its own address."
    if error.status == 401:
        title, advice = "This page needs your token", _FORM if is_signing_in else _SIGN_IN
    text = html.escape(str(error))
    return _PAGE.format(title=title, advice=advice, status=error.status, text=text).encode()
