"""The guard of the door that colleagues come in by, over TLS: each has a token and a right.

What every request has to pass, in this order: it names a user's token, or else its address has not
been turned away too often; it is framed in one way only; it is meant for a host that the
certificate is for, and no other site caused it; its user has not asked too often. What is answered
is in the audit log before its first byte leaves.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter
from contextlib import suppress
from math import ceil
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from tempo_edge._console.text import note
from tempo_edge.errors import ServiceError, TempoEdgeError
from tempo_edge.service.access.audit import AuditLog, begin_entry
from tempo_edge.service.access.budget import Budget
from tempo_edge.service.access.right import Caller, enter
from tempo_edge.service.access.users import User, Users
from tempo_edge.service.transport.certificate import Certificate
from tempo_edge.service.transport.denial import refuse
from tempo_edge.service.transport.guard import FOREIGN, check_size, named_tokens, telling
from tempo_edge.service.transport.noted_answer import NotedAnswer
from tempo_edge.service.transport.sign_in import COOKIE, SIGN_IN, lead_on, let_in, token_of

__all__ = ["ColleagueGuard"]

# Requests of one user: at once, a second after that, and under way at the same time.
_REQUESTS, _REQUESTS_PER_SECOND, _UNDER_WAY = 600, 30.0, 24

# Requests of one address, and of all, that name nobody's token: at once, and a second after that.
_TURNED_AWAY, _TURNED_AWAY_PER_SECOND = 20, 1 / 3
_ALL_TURNED_AWAY, _ALL_TURNED_AWAY_PER_SECOND = 500, 10.0

# Forms that are read at once; some never come to their end.
_FORMS = 32

# Between two looks whether who is being answered is still a user, in seconds.
_LOOK_SECONDS = 1.0

# Tokens of one request that are looked at.
_MOST_TOKENS = 4


class ColleagueGuard:
    """Passes on what a colleague may ask, as whoever it is; rights are looked at behind it.

    Args:
        app: what is guarded.
        certificate: says what the service is called.
        users: who may ask.
        log: keeps what was asked.
    """

    def __init__(self, app: ASGIApp, certificate: Certificate, users: Users, log: AuditLog) -> None:
        self._app = app
        self._certificate = certificate
        self._users = users
        self._log = log
        self._requests = Budget(_REQUESTS, _REQUESTS_PER_SECOND)
        self._turned_away = Budget(_TURNED_AWAY, _TURNED_AWAY_PER_SECOND)
        self._all_turned_away = Budget(_ALL_TURNED_AWAY, _ALL_TURNED_AWAY_PER_SECOND)
        self._under_way: Counter[str] = Counter()
        self._forms = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers, address, user = Headers(scope=scope), _address(scope), None
        entry = _entry(scope, address)
        answer = NotedAnswer(send, self._log, entry)
        told = telling(answer)
        try:
            if scope["path"] == SIGN_IN and scope["method"] == "POST":
                found, token = await self._signing_in(scope, headers, receive, answer)
                entry["user"] = found.name
                await let_in(told, token)
                return
            tokens = named_tokens(headers, COOKIE)
            user = self._user(tokens, address, answer)
            if user is not None:
                entry["user"] = user.name
            self._check(scope, headers)
            if user is None and headers.get("sec-fetch-site") in FOREIGN:
                await lead_on(told)
                return
            if user is None:
                what = "is wrong" if tokens else "is missing"
                raise ServiceError(401, f"the token {what}: send Authorization: Bearer TOKEN")
            self._check_patience(user, answer)
            await self._pass_on(user, begin_entry(scope, entry), receive, told, answer)
        except ServiceError as error:
            # For a stranger's body nobody waits: it could come for ever, on every connection.
            known = user is not None
            await refuse(receive, told, error, headers, is_signing_in=True, is_drained=known)

    async def _signing_in(
        self, scope: Scope, headers: Headers, receive: Receive, answer: NotedAnswer
    ) -> tuple[User, str]:
        """Whoever sent the form, with the token in it.

        Raises:
            ServiceError: it is nobody's (status 401), or no form that may be sent from there.
        """
        address = _address(scope)
        try:
            self._check(scope, headers)
            if self._forms >= _FORMS:
                raise ServiceError(429, f"{_FORMS} are signing in: ask again")
            self._forms += 1
            try:
                token = await token_of(receive)
            finally:
                self._forms -= 1
        except ServiceError:
            self._check_stranger(address, answer)
            raise
        user = self._user([token], address, answer)
        if user is None:
            raise ServiceError(401, "the token is wrong: paste it whole")
        return user, token

    def _user(self, tokens: list[str], address: str, answer: NotedAnswer) -> User | None:
        """The user of one of some tokens, if one is a user's.

        Raises:
            ServiceError: none is, too often for an address (status 429); or the file of the users
                can't be read (503).
        """
        try:
            found = [self._users.by_token(each) for each in tokens[:_MOST_TOKENS]]
        except TempoEdgeError as error:
            self._check_stranger(address, answer)
            note(str(error))
            why = "nobody can be let in for now: the service's log says why"
            raise ServiceError(503, why) from error
        user = next((each for each in found if each is not None), None)
        if user is None:
            self._check_stranger(address, answer)
        return user

    def _check_stranger(self, address: str, answer: NotedAnswer) -> None:
        """Turn an address away that was turned away too often, and keep no more of that.

        A user of the same address is not kept out: others there may be behind the same router. No
        token is guessed in this way or any other; what is saved is the log, which somebody could
        fill until what matters has left it.

        Raises:
            ServiceError: it was; status 429.
        """
        wait = self._turned_away.take(_neighbourhood(address)) or self._all_turned_away.take("")
        if wait:
            answer.is_noted = False
            raise ServiceError(429, f"too many requests without a token: wait {ceil(wait)} seconds")

    def _check_patience(self, user: User, answer: NotedAnswer) -> None:
        """Refuse a user who asks too often, or too much at once; the former fills no log, either.

        Raises:
            ServiceError: it is so; status 429.
        """
        wait = self._requests.take(user.digest)
        if wait:
            answer.is_noted = False
            raise ServiceError(429, f"too many requests: wait {ceil(wait)} seconds")
        if self._under_way[user.digest] >= _UNDER_WAY:
            raise ServiceError(429, f"{_UNDER_WAY} requests are under way: wait for one of them")

    def _check(self, scope: Scope, headers: Headers) -> None:
        """Refuse what is framed in two ways, or was not meant for this service by its user."""
        if "transfer-encoding" in headers and "content-length" in headers:
            raise ServiceError(400, "Transfer-Encoding and Content-Length exclude each other")
        check_size(scope, headers)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or not self._certificate.is_for(_host(hosts[0])):
            names = ", ".join(sorted(self._certificate.hosts))
            raise ServiceError(403, f"Host must be what the certificate is for: {names}")
        if origins and origins != [f"https://{hosts[0]}"]:
            raise ServiceError(403, "Origin must be the service's own")
        if headers.get("sec-fetch-site") in FOREIGN and not _is_visit(scope, headers):
            raise ServiceError(403, "a request from another site is not answered")

    async def _pass_on(
        self, user: User, scope: Scope, receive: Receive, send: Send, answer: NotedAnswer
    ) -> None:
        """Answer a user, for as long as it is one: of a revoked one the answer ends where it is.

        Raises:
            ServiceError: it has not begun by then; status 401.
        """
        caller = Caller(user.name, user.right)
        self._under_way[user.digest] += 1
        task = asyncio.ensure_future(self._app(enter(scope, caller), receive, send))
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=_LOOK_SECONDS)
                if not task.done() and not self._still_has(user):
                    break
            if task.done():
                await task
        finally:
            self._under_way -= Counter([user.digest])
            if not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        if not task.cancelled():
            return
        if not answer.is_begun:
            raise ServiceError(401, "the token was revoked")
        answer.cut("the token was revoked")

    def _still_has(self, user: User) -> bool:
        try:
            return self._users.still_has(user)
        except TempoEdgeError:
            return False


def _address(scope: Scope) -> str:
    """The address that a request came from; of one by IPv4 never as IPv6 spells it."""
    host = str((scope.get("client") or ("",))[0]).partition("%")[0]
    with suppress(ValueError):
        address = ipaddress.ip_address(host)
        mapped = getattr(address, "ipv4_mapped", None)
        return str(mapped or address)
    return host


def _neighbourhood(address: str) -> str:
    """What one machine has all of: an address of IPv4, 2⁶⁴ of IPv6."""
    return str(ipaddress.ip_network((address, 64), strict=False)) if ":" in address else address


def _host(text: str) -> str:
    """The host of a header, in lower case, without its port and an address's brackets."""
    text = text.lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host, _, port = text.partition(":")
    return host if port.isdecimal() or not port else ""


def _is_visit(scope: Scope, headers: Headers) -> bool:
    """Whether a browser opens the page itself by a link from elsewhere.

    It names no cookie then, and is only told to ask again.
    """
    return (
        scope["method"] == "GET"
        and scope["path"] == "/"
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )


def _entry(scope: Scope, address: str) -> dict[str, Any]:
    """What the audit log says of a request, so far."""
    asked: dict[str, list[str]] = {}
    query = scope["query_string"].decode("latin-1")
    with suppress(ValueError):
        for name, value in parse_qsl(query, keep_blank_values=True, max_num_fields=200):
            asked.setdefault(name, []).append("…" if name.lower() == "token" else value)
    return {
        "user": None,
        "from": address,
        "method": scope["method"],
        "path": scope["path"],
        "asked": asked,
    }
