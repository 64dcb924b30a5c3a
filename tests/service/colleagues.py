"""A door for colleagues in this process: the real app, TLS, users and an audit log."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
from door import Headers, Reply
from harness import PATIENCE
from inside import serving

from tempo_edge.service.access.audit import AuditLog
from tempo_edge.service.access.right import Right
from tempo_edge.service.access.users import Users
from tempo_edge.service.handle import Models
from tempo_edge.service.http.app import App
from tempo_edge.service.http.events import Events
from tempo_edge.service.http.search_queue import SearchQueue
from tempo_edge.service.jobs.index_supervisor import Indexing
from tempo_edge.service.transport.certificate import Certificate
from tempo_edge.service.transport.colleague_guard import ColleagueGuard

__all__ = ["HOSTS", "Pair", "Team", "issued", "team_of"]

#: What the certificate is for.
HOSTS = ("films.example", "*.team.example", "127.0.0.1")


@dataclass(frozen=True)
class Pair:
    """The files of a certificate and of its key."""

    certificate: Path
    key: Path


def issued(authority: trustme.CA, folder: Path, *hosts: str, **options: Any) -> Pair:
    """A certificate of an authority for some hosts, as files."""
    folder.mkdir(parents=True, exist_ok=True)
    made = authority.issue_cert(*hosts, **options)
    pair = Pair(folder / "chain.pem", folder / "key.pem")
    pair.certificate.write_bytes(b"".join(part.bytes() for part in made.cert_chain_pems))
    made.private_key_pem.write_to_path(pair.key)
    pair.key.chmod(0o600)
    return pair


@dataclass
class Team:
    """A door and who may come in.

    Attributes:
        guard: the door without TLS before it; ``port``: where it is, over TLS.
        tokens: of the users `reader`, `indexer` and `admin`.
        client: what a browser knows of the authority.
    """

    app: App
    guard: ColleagueGuard
    users: Users
    log: AuditLog
    pair: Pair
    port: int
    tokens: dict[str, str]
    client: ssl.SSLContext

    def ask(
        self,
        method: str,
        target: str,
        user: str | None = "reader",
        *,
        headers: Headers | None = None,
        body: bytes | None = None,
    ) -> Reply:
        """Send a request on a connection of its own, as a user, or as nobody."""
        named = {} if user is None else {"Authorization": f"Bearer {self.tokens[user]}"}
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=PATIENCE, context=self.client
        )
        try:
            connection.request(method, target, body=body, headers={**named, **(headers or {})})
            response = connection.getresponse()
            told = {name.lower(): text for name, text in response.getheaders()}
            return Reply(response.status, told, response.read())
        finally:
            connection.close()

    def connection(self) -> ssl.SSLSocket:
        """A connection that nothing was sent on."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        return self.client.wrap_socket(plain, server_hostname="127.0.0.1")

    def raw(self, request: bytes) -> bytes:
        """Everything that comes back for some bytes, until the other side closes."""
        with self.connection() as sock:
            sock.sendall(request)
            said = b""
            while part := sock.recv(65536):
                said += part
            return said

    def entries(self) -> list[dict[str, Any]]:
        """What the audit log says, oldest first."""
        return [json.loads(line) for line in self.log.path.read_text().splitlines()]


@contextmanager
def team_of(library: Path, watched: Path, folder: Path) -> Iterator[Team]:
    """A door to a library, with three users."""
    authority = trustme.CA()
    pair = issued(authority, folder / "tls", *HOSTS)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    users, log = Users(folder / "users.json"), AuditLog(folder / "audit.jsonl")
    names = {"reader": Right.READ, "indexer": Right.INDEX, "admin": Right.ADMIN}
    tokens = {name: users.add(name, right) for name, right in names.items()}
    models, events = Models(), Events()
    with ExitStack() as stack:
        searches = SearchQueue(library, models)
        stack.callback(searches.close)
        indexing = Indexing(library, [], None, lambda name, facts: None)
        app = App(library, searches, models, indexing, events, None, [watched])
        stack.callback(app.close)
        certificate = Certificate(pair.certificate, pair.key)
        guard = ColleagueGuard(app.asgi, certificate, users, log)
        port = stack.enter_context(serving(guard, 32, certificate, events.close))
        yield Team(app, guard, users, log, pair, port, tokens, client)
