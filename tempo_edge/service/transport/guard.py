"""The guard before the door: who may ask, how much, and what every answer forbids a browser."""

from __future__ import annotations

import re
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tempo_edge.errors import ServiceError
from tempo_edge.example import LARGEST_SENT
from tempo_edge.service.access.right import OWNER, enter
from tempo_edge.service.transport.denial import refuse
from tempo_edge.service.transport.token import equal

__all__ = ["COOKIE", "FOREIGN", "LARGEST_BODY", "Guard", "check_size", "named_tokens", "telling"]

COOKIE = "tempo_edge_token"

LARGEST_BODY = 64 << 10

# Where a body may be a picture.
_PICTURE_PATH = "/v1/find"

# Of the query string, in bytes: a thousand characters may take twelve bytes each.
_LONGEST_QUERY = 16 << 10

#: What a browser says of a request that another site, or another port, has caused.
FOREIGN = ("cross-site", "same-site")

# Leads to the page.
# It names an icon, as every page here does: else a browser asks for one that nothing names.
_ONWARD = (
    b"<!doctype html><html lang=en><meta charset=utf-8><title>tempo-edge</title>"
    b'<link rel=icon href="data:,">'
    b'<meta http-equiv=refresh content="0; url=/"></html>'
)

_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)


class Guard:
    """Passes on what may pass, and adds what every answer must say.

    Args:
        app: what is guarded.
        token: None on a Unix socket, whose file permissions say who may connect. Elsewhere every
            request has to name it, and to be meant for this machine and this port.
        port: where it is reached over TCP.
    """

    def __init__(self, app: ASGIApp, token: str | None = None, port: int = 0) -> None:
        self._app = app
        self._token = token
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        told = telling(send)
        try:
            entering = self._check(scope)
        except ServiceError as error:
            await refuse(receive, told, error, Headers(scope=scope))
            return
        if entering:
            await self._let_in(told, Headers(scope=scope))
            return
        await self._app(enter(scope, OWNER), receive, told)

    def _check(self, scope: Scope) -> bool:
        """Refuse what may not pass; True for someone who comes to the page with the token."""
        headers = Headers(scope=scope)
        check_size(scope, headers)
        if self._token is None:
            return False
        self._check_host(headers)
        if scope["path"] == "/" and scope["method"] == "GET" and scope["query_string"]:
            given = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("token")
            if given is not None:
                self._check_token([given])
                return True
        if headers.get("sec-fetch-site") in FOREIGN:
            raise ServiceError(403, "a request from another site is not answered")
        self._check_token(named_tokens(headers, COOKIE))
        return False

    def _check_host(self, headers: Headers) -> None:
        """Only names of this machine: else any site could point its own name here and ask."""
        hosts = headers.getlist("host")
        own = {f"{name}:{self._port}" for name in ("localhost", "127.0.0.1")}
        bare = {"localhost", "127.0.0.1"}
        if len(hosts) != 1 or hosts[0].lower() not in own | bare:
            raise ServiceError(403, "Host must be localhost or 127.0.0.1")
        origins = headers.getlist("origin")
        if origins and (
            len(origins) != 1 or origins[0].lower() not in {f"http://{o}" for o in own}
        ):
            raise ServiceError(403, "Origin must be the service's own")

    def _check_token(self, given: list[str]) -> None:
        assert self._token is not None
        right = [equal(each, self._token) for each in given[:4]]
        if not any(right):
            what = "is wrong" if given else "is missing"
            raise ServiceError(401, f"the token {what}: send Authorization: Bearer TOKEN")

    async def _let_in(self, send: Send, asked: Headers) -> None:
        """Keep the token in a cookie, and take it out of the address."""
        cookie = f"{COOKIE}={self._token}; HttpOnly; SameSite=Strict; Path=/"
        headers = [(b"set-cookie", cookie.encode())]
        status, body = 303, b""
        if asked.get("sec-fetch-site") in FOREIGN:
            # To a browser what it is redirected to is still asked for by the page that led here,
            # which has no part in the cookie. What a page of the service's own leads to is not.
            status, body = 200, _ONWARD
            headers.append((b"content-type", b"text/html; charset=utf-8"))
        else:
            headers.append((b"location", b"/"))
        headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def check_size(scope: Scope, headers: Headers) -> None:
    """Refuse a query or a body that is too long, as far as the head says so.

    Raises:
        ServiceError: one is; status 413.
    """
    if len(scope["query_string"]) > _LONGEST_QUERY:
        raise ServiceError(413, f"the query has more than {_LONGEST_QUERY} bytes")
    most = LARGEST_SENT if scope["path"] == _PICTURE_PATH else LARGEST_BODY
    length = headers.get("content-length")
    if length is not None and (not re.fullmatch("[0-9]{1,9}", length) or int(length) > most):
        raise ServiceError(413, f"the body must have at most {most} bytes")


def named_tokens(headers: Headers, cookie: str) -> list[str]:
    """Every token that a request names, by itself or in a cookie of a name."""
    tokens = []
    for line in headers.getlist("authorization"):
        scheme, _, given = line.partition(" ")
        if scheme.lower() == "bearer":
            tokens.append(given.strip())
    for line in headers.getlist("cookie"):
        try:
            morsel = SimpleCookie(line).get(cookie)
        except CookieError:
            continue
        if morsel is not None:
            tokens.append(morsel.value)
    return tokens


def telling(send: Send) -> Send:
    """Adds to every answer what a browser must not do with it."""

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["content-security-policy"] = _POLICY
            headers["x-content-type-options"] = "nosniff"
            headers["cross-origin-resource-policy"] = "same-origin"
            headers.setdefault("referrer-policy", "no-referrer")
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return told
