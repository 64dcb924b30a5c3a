"""Who may ask over TCP, and how much anyone may ask."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest
from door import UNIX, Service, send_raw
from shown import Footage

from tempo_edge.errors import TempoEdgeError
from tempo_edge.service.http.paths import is_there
from tempo_edge.service.transport import token as tokens


def knock(service: Service, target: str = "/v1/status", **headers: str) -> int:
    """The status for a request over TCP; `_` stands for `-` in names."""
    given = {name.replace("_", "-"): text for name, text in headers.items() if text}
    return service.ask("GET", target, headers=given, tcp=True).status


def bearer(service: Service) -> str:
    return f"Bearer {service.token}"


@pytest.mark.parametrize(
    "target", ["/", "/static/index.html", "/v1/status", "/v1/videos/1/file", "/v1/nothing", "/x"]
)
def test_nothing_without_the_token(service: Service, target: str) -> None:
    reply = service.ask("GET", target, tcp=True)
    assert reply.status == 401 and "missing" in reply.error
    assert reply.headers["www-authenticate"] == "Bearer"
    assert knock(service, target, Authorization="Bearer " + "x" * 43) == 401
    assert knock(service, target, Cookie="tempo_edge_token=" + "x" * 43) == 401
    assert knock(service, target, Authorization=f"Basic {service.token}") == 401
    assert knock(service, target, Authorization=f"Bearer {service.token[:-1]}") == 401
    assert knock(service, target, Authorization=f"Bearer {service.token}x") == 401
    assert knock(service, target, Authorization="Bearer ") == 401
    assert knock(service, f"{target}?token={'x' * 43}") == 401


def test_with_the_token(service: Service) -> None:
    assert knock(service, Authorization=bearer(service)) == 200
    assert knock(service, Cookie=f"a=b; tempo_edge_token={service.token}") == 200
    # In an address it counts where a person opens the page, and nowhere else.
    assert knock(service, f"/v1/status?token={service.token}") == 401


def test_opening_the_page(service: Service) -> None:
    reply = service.ask("GET", f"/?token={service.token}", tcp=True)
    assert (reply.status, reply.headers["location"]) == (303, "/")
    cookie = reply.headers["set-cookie"]
    assert re.fullmatch(r"tempo_edge_token=\S+; HttpOnly; SameSite=Strict; Path=/", cookie)
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert knock(service, "/", Cookie=cookie.partition(";")[0]) == 200
    assert knock(service, "/?token=wrong") == 401


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        ("/", {"Accept": "text/html"}, 401),
        ("/?token={token}", {"Sec-Fetch-Site": "cross-site"}, 200),
    ],
)
def test_a_page_before_the_door_names_its_icon(
    service: Service, target: str, headers: dict[str, str], status: int
) -> None:
    """Else a browser asks for one, and its console tells of an error that is none."""
    given = target.format(token=service.token)
    reply = service.ask("GET", given, headers=headers, tcp=True)
    assert reply.status == status and b"<link rel=icon href=" in reply.body


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "localhost.evil.example", "127.0.0.1.nip.io:{port}",
     "127.0.0.1:1", "localhost:{port}0", "0.0.0.0:{port}", "[::1]:{port}", "169.254.169.254",
     "localhost:{port}@evil.example", "LOCALHOST.:{port}"],
)  # fmt: skip
def test_a_name_that_was_pointed_here(service: Service, host: str) -> None:
    """DNS rebinding: the browser thinks that it talks to another site."""
    name = host.replace("{port}", str(service.port))
    assert knock(service, Host=name, Authorization=bearer(service)) == 403
    assert knock(service, f"/?token={service.token}", Host=name) == 403


def test_own_names(service: Service) -> None:
    for host in (
        "localhost",
        "127.0.0.1",
        f"localhost:{service.port}",
        f"127.0.0.1:{service.port}",
    ):
        assert knock(service, Host=host, Authorization=bearer(service)) == 200


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://localhost:1", "https://localhost:{port}",
     "http://127.0.0.1", "file://", "http://localhost:{port}.evil.example"],
)  # fmt: skip
def test_a_page_from_elsewhere(service: Service, origin: str) -> None:
    origin = origin.replace("{port}", str(service.port))
    assert knock(service, Origin=origin, Authorization=bearer(service)) == 403


def test_the_pages_own_requests(service: Service) -> None:
    for name in ("localhost", "127.0.0.1"):
        reply = service.ask(
            "GET",
            "/v1/status",
            headers={
                "Origin": f"http://{name}:{service.port}",
                "Authorization": bearer(service),
                "Sec-Fetch-Site": "same-origin",
            },
            tcp=True,
        )
        assert reply.status == 200
        assert not any(each.startswith("access-control") for each in reply.headers)


def test_pictures_in_another_page(service: Service) -> None:
    """A page of another port is of the same site: the browser sends the cookie along."""
    for site in ("cross-site", "same-site"):
        assert knock(service, Sec_Fetch_Site=site, Authorization=bearer(service)) == 403
    reply = service.get("/v1/status")
    assert reply.headers["cross-origin-resource-policy"] == "same-origin"


def test_two_hosts_are_no_host(service: Service) -> None:
    request = (
        f"GET /v1/status HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n"
        f"Authorization: Bearer {service.token}\r\nConnection: close\r\n\r\n"
    )
    said = send_raw(service, request.encode(), tcp=True)
    assert said.split(b" ")[1] in (b"400", b"403")


@UNIX
def test_over_the_socket_permissions_are_the_token(service: Service) -> None:
    assert service.get("/v1/status").status == 200
    facts = service.socket.stat()
    assert stat.S_ISSOCK(facts.st_mode) and stat.S_IMODE(facts.st_mode) == 0o600


def test_the_token_is_its_users_alone(service: Service) -> None:
    path = service.folder / ".local/share/tempo-edge/token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert service.token not in service.said, "a journal is read by others, too"


# -- how much ----------------------------------------------------------------------------------


def post(service: Service, body: bytes, *, chunked: bool = False) -> bytes:
    """Everything that comes back for a body."""
    head = b"POST /v1/index HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    if chunked:
        head += b"Transfer-Encoding: chunked\r\n\r\n"
        parts = (body[at : at + 8192] for at in range(0, len(body), 8192))
        return send_raw(
            service,
            head + b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts) + b"0\r\n\r\n",
        )
    return send_raw(service, head + b"Content-Length: %d\r\n\r\n" % len(body) + body)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_long(service: Service, chunked: bool) -> None:
    assert b" 413 " in post(service, b"x" * (64 * 1024 + 1), chunked=chunked)[:20]
    assert b" 400 " in post(service, b"x" * (64 * 1024), chunked=chunked)[:20]
    assert service.get("/v1/status").status == 200


def test_a_picture_that_is_too_large_is_told_so_and_not_cut_off(service: Service) -> None:
    """The answer comes although whoever asks sends all of it before listening."""
    for path, size in (("/v1/find", 12 << 20), ("/v1/pause", 1 << 20)):
        reply = service.ask("POST", path, body=bytes(size))
        assert reply.status == 413 and "the body must have at most" in reply.error, path


def test_a_body_without_end(service: Service) -> None:
    said = post(service, b"x" * (8 << 20), chunked=True)
    assert not said or b" 413 " in said[:20]
    assert service.get("/v1/status").status == 200


def test_a_length_that_is_none(service: Service) -> None:
    for length in (b"-1", b"1e3", b"99999999999999999999", b"0x10", b"1, 2"):
        said = send_raw(
            service,
            b"POST /v1/pause HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
            + length
            + b"\r\n\r\n",
        )
        assert said.split(b" ")[1] in (b"400", b"413"), length


def test_a_query_that_is_too_long(service: Service) -> None:
    assert service.ask("GET", "/v1/find?q=" + "%C3%A9" * 1000 + "&min_confidence=0").status == 200
    assert service.ask("GET", "/v1/find?q=a&x=" + "x" * (17 << 10)).status == 413
    assert b" 400 " in send_raw(service, b"GET /" + b"x" * (200 << 10) + b" HTTP/1.1\r\n\r\n")[:20]


def test_headers_without_end(service: Service) -> None:
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 50_000
    said = send_raw(service, request)
    assert not said or b" 400 " in said[:20], "it may close before all was sent"
    assert service.get("/v1/status").status == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"paths": []}', b'{"paths": "/a"}', b'{"paths": [1]}', b'{"paths": ["a"]}',
     b'{"paths": ["~root"]}', b'{"paths": ["/a\\u0000b"]}', b'{"paths": ["/\\ud800"]}', b"\xff\xfe",
     b"[" * 60_000, b'{"paths": [' + b'"/a",' * 101 + b'"/a"]}', b"null", b"NaN"],
)  # fmt: skip
def test_bodies_that_name_no_paths(service: Service, body: bytes) -> None:
    reply = service.ask("POST", "/v1/index", body=body)
    assert reply.status == 400
    assert reply.error


def test_a_path_that_is_mistyped(service: Service) -> None:
    reply = service.post("/v1/index", {"paths": ["/no/such/film\n.mp4"]})
    assert reply.status == 404 and "/no/such/film" in reply.error


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/" + "a" * 5000, 400),
        ("/" + "é" * 2047 + "/aa", 400),
        ("/" + "b" * 300, 404),
        ("/c" * 2000, 404),
        ("~/" + "d" * 300, 404),
        ("/etc/passwd/e", 404),
    ],
)
def test_a_path_that_no_file_can_have(service: Service, path: str, status: int) -> None:
    reply = service.post("/v1/index", {"paths": [path]})
    assert (reply.status, bool(reply.error)) == (status, True)
    reply = service.find(within=path)
    assert reply.status == 400 and reply.error


def test_a_folder_that_is_shut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(path: object, **choices: object) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("pathlib.Path.stat", refuse)
    monkeypatch.setattr("os.stat", refuse)
    assert not is_there("/root/secret") and not is_there("/a\0b")


def test_home_is_that_of_who_runs_the_service(empty: Service, named: Footage) -> None:
    (empty.folder / "films").symlink_to(named.folder)
    for path in ("~/none", "~/films/none.mp4"):
        reply = empty.post("/v1/index", {"paths": [path]})
        assert reply.status == 404 and str(empty.folder) in reply.error
    assert empty.post("/v1/index", {"paths": ["~/films/plain.mp4"]}).status == 202
    empty.settle(1)
    (video,) = empty.get("/v1/videos").json
    assert video["path"] == str(empty.folder / "films" / "plain.mp4")
    assert len(empty.find(within="~/films").json["moments"]) == 1
    assert len(empty.find(within="~").json["moments"]) == 1


# -- the token's file --------------------------------------------------------------------------


def test_a_token_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "own" / "token"
    first = tokens.load(path)
    assert tokens.load(path) == first and len(first) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]
    path.chmod(0o644)
    assert tokens.load(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "short", "x" * 31, "spaces in it" * 5, "ü" * 40])
def test_a_file_that_holds_no_token(tmp_path: Path, text: str) -> None:
    path = tmp_path / "token"
    path.write_text(text)
    with pytest.raises(TempoEdgeError, match="holds no token"):
        tokens.load(path)
    assert path.read_text() == text


def test_a_token_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("x" * 43)
    (tmp_path / "token").symlink_to("real")
    with pytest.raises(TempoEdgeError, match="can't be used"):
        tokens.load(tmp_path / "token")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(TempoEdgeError, match="not a file of your own"):
        tokens.load(tmp_path / "pipe")


def test_a_token_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever put it there knows it."""
    path = tmp_path / "token"
    kept = tokens.load(path)
    own = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: own + 1)
    with pytest.raises(TempoEdgeError, match="token is not a file of your own: move it away"):
        tokens.load(path)
    assert path.read_text().strip() == kept


def test_tokens_that_are_not_text() -> None:
    assert tokens.equal("a" * 40, "a" * 40)
    assert not tokens.equal("\udcff", "a" * 40) and not tokens.equal("", "a" * 40)
