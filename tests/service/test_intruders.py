"""Whoever would break in at the colleagues' door: what they send, and what they don't."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from colleagues import Team, team_of
from harness import PATIENCE

from tempo_edge.service.access.budget import Budget
from tempo_edge.service.transport import connection, sign_in


@pytest.fixture(scope="module")
def world(built: Path, originals: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with team_of(built, originals, tmp_path_factory.mktemp("team")) as team:
        yield team


@pytest.fixture
def team(world: Team) -> Team:
    world.guard._turned_away = Budget(1000, 1)
    return world


def head(team: Team, line: str, *headers: str, user: str | None = "admin") -> bytes:
    """The head of a request, as it is sent."""
    named = [] if user is None else [f"Authorization: Bearer {team.tokens[user]}"]
    lines = [f"{line} HTTP/1.1", "Host: films.example", *named, *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../../../etc/passwd",
        "/static/..%2f..%2f..%2fetc%2fpasswd",
        "/static/%2e%2e/%2e%2e/service/process.py",
        "/static//etc/passwd",
        "/static/index.html%00.js",
        "/v1/videos/../../etc/passwd",
        "/v1/videos/1%2f..%2f2/file",
        "/v1/videos/-1/file",
        "/v1/videos/1e0/file",
        "/v1/videos/%D9%A1/file",
        "//etc/passwd",
        "/v1/../v1/nothing",
    ],
)
def test_paths_that_lead_elsewhere(team: Team, path: str) -> None:
    said = team.raw(head(team, f"GET {path}", "Connection: close"))
    assert said.startswith(b"HTTP/1.1 404"), said[:200]
    assert b"root:" not in said and b"import" not in said


@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Length: 3", "Transfer-Encoding: chunked"],
        ["Content-Length: 3", "Content-Length: 4"],
        ["Content-Length: +3"],
        ["Transfer-Encoding: identity, chunked"],
        ["Transfer-Encoding: xchunked"],
        ["Transfer-Encoding : chunked"],
        ["X: a\x00b"],
        ["Host: evil.example"],
    ],
)
def test_a_request_within_a_request(team: Team, headers: list[str]) -> None:
    """What one reader takes for a body another may take for a request: neither is answered."""
    inner = head(team, "POST /v1/pause")
    team.log.path.unlink(missing_ok=True)
    said = team.raw(head(team, "POST /v1/resume", *headers) + b"0\r\n\r\n" + inner)
    assert said.count(b"HTTP/1.1 ") == 1 and said.split(b" ")[1] == b"400", said
    if team.log.path.exists():
        assert [each["status"] for each in team.entries()] == [400]


def test_nobody_says_who_he_is(team: Team) -> None:
    claims = [
        *("X-Forwarded-For: 127.0.0.1", "X-Forwarded-User: admin", "Forwarded: for=127.0.0.1"),
        *("X-Real-IP: 127.0.0.1", "Remote-User: admin", "X-Forwarded-Host: films.example"),
        *("X-HTTP-Method-Override: POST", "X-Original-URL: /v1/status"),
    ]
    said = team.raw(head(team, "GET /v1/status", *claims, user=None))
    assert said.startswith(b"HTTP/1.1 401")
    assert team.entries()[-1]["user"] is None


def test_a_wrong_token_beside_a_right_one(team: Team) -> None:
    """Four of them are looked at, so nobody has the service look at thousands."""
    right = f"Authorization: Bearer {team.tokens['reader']}"
    wrong = ["Authorization: Bearer te_" + "x" * 43] * 4
    assert b" 200 " in team.raw(
        head(team, "GET /v1/openapi.json", wrong[0], right, "Connection: close", user=None)
    )
    assert b" 401 " in team.raw(head(team, "GET /v1/openapi.json", *wrong, right, user=None))


@pytest.mark.parametrize(
    "cookie",
    [
        "__Host-tempo_edge_token",
        "__Host-tempo_edge_token=",
        "__host-tempo_edge_token={token}",
        "tempo_edge_token={token}",
        'x="__Host-tempo_edge_token={token}"',
        "__Host-tempo_edge_token={token}x",
    ],
)
def test_cookies_that_let_nobody_in(team: Team, cookie: str) -> None:
    named = {"Cookie": cookie.replace("{token}", team.tokens["admin"])}
    assert team.ask("GET", "/v1/status", None, headers=named).status == 401


@pytest.mark.parametrize("path", ["/sign-in", "/v1/index", "/v1/find"])
def test_a_body_from_a_stranger_is_not_kept(team: Team, path: str) -> None:
    """It is refused by what its head says, and not waited for."""
    huge = head(team, f"POST {path}", "Content-Length: 999999999", user=None)
    assert team.raw(huge + b"x" * 4096).split(b" ")[1] in (b"413", b"401")
    # The rest never comes, and the answer does; of what the form sends there is a bound.
    chunked = head(team, f"POST {path}", "Transfer-Encoding: chunked", user=None)
    assert team.raw(chunked + b"800\r\n" + b"x" * 0x800).split(b" ")[1] in (b"413", b"401")


def test_a_form_that_never_comes_to_its_end(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "_FORM_SECONDS", 0.2)
    said = team.raw(head(team, "POST /sign-in", "Content-Length: 100", user=None) + b"token=")
    assert said.startswith(b"HTTP/1.1 408")


def test_a_head_that_never_comes_to_its_end(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_HEAD_SECONDS", 0.3)
    with team.connection() as slow:
        slow.sendall(b"GET / HTTP/1.1\r\n")
        ended = time.monotonic() + PATIENCE
        with suppress(OSError):
            while slow.recv(1):
                assert time.monotonic() < ended
    assert time.monotonic() < ended


def test_more_connections_than_there_is_room_for(team: Team) -> None:
    with ExitStack() as stack:
        for _ in range(40):  # of 32, each with its handshake done and nothing asked
            stack.enter_context(team.connection())
        assert team.ask("GET", "/v1/openapi.json").status == 200


def test_who_does_not_read_what_was_asked_for_keeps_nobody_out(team: Team) -> None:
    """So many answers of one user may be under way, and no more."""
    asking = head(team, "GET /v1/events", user="reader")
    with ExitStack() as stack:
        for _ in range(24):
            sock = stack.enter_context(team.connection())
            sock.sendall(asking)
            assert b" 200 " in sock.recv(4096)[:20]
        assert team.ask("GET", "/v1/openapi.json", "reader").status == 429
        assert team.ask("GET", "/v1/openapi.json", "indexer").status == 200


def test_bytes_that_are_no_tls(team: Team) -> None:
    for sent in (b"\x16\x03\x01\xff\xff" + b"\0" * 64, b"\x00" * 1024, b"GET / HTTP/1.0\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", team.port), PATIENCE) as plain:
            plain.sendall(sent)
            plain.shutdown(socket.SHUT_WR)
            with suppress(ConnectionResetError):
                while plain.recv(4096):
                    continue
    assert team.ask("GET", "/v1/openapi.json").status == 200


def test_nobody_ends_the_search_of_somebody_else(team: Team) -> None:
    """A newer search ends an older one of the same client: of the same user, that is."""
    kept: list[str | None] = []
    real = team.app._searches.find

    def noted(asked: object) -> object:
        kept.append(asked.client)  # type: ignore[attr-defined]
        return real(asked)  # type: ignore[arg-type]

    team.app._searches.find = noted  # type: ignore[assignment, method-assign]
    try:
        for user in ("reader", "admin"):
            assert team.ask("GET", "/v1/find?q=a&client=me&retrieval=1", user).status == 200
    finally:
        team.app._searches.find = real  # type: ignore[method-assign]
    assert kept == ["reader me", "admin me"]
