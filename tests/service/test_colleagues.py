"""The door that colleagues come in by: TLS, tokens, sign-in, what is noted, and what ends."""

from __future__ import annotations

import json
import re
import shutil
import socket
import ssl
import stat
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from colleagues import Team, issued, team_of
from door import running
from harness import PATIENCE, wait_until

from tempo_edge.service.access.budget import Budget
from tempo_edge.service.access.right import Right
from tempo_edge.service.access.users import Users
from tempo_edge.service.transport import colleague_guard, places
from tempo_edge.service.transport.sign_in import COOKIE


@pytest.fixture(scope="module")
def world(built: Path, originals: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with team_of(built, originals, tmp_path_factory.mktemp("team")) as team:
        yield team


@pytest.fixture
def team(world: Team) -> Team:
    """The door, with nothing noted of it yet, and everybody's patience as new."""
    world.log.path.unlink(missing_ok=True)
    world.log.left_out = 0
    guard = world.guard
    guard._turned_away = Budget(20, 1 / 3)
    guard._requests = Budget(600, 30)
    return world


def test_a_colleague_searches_over_tls(team: Team) -> None:
    reply = team.ask("GET", "/v1/find?q=a+beach&min_confidence=0")
    assert reply.status == 200 and reply.json["moments"]
    assert team.ask("GET", "/v1/find?q=a+beach", None).status == 401
    status = team.ask("GET", "/v1/status").json
    assert (status["right"], status["player"], status["address"]) == ("read", False, None)
    video = reply.json["moments"][0]["video"]
    part = team.ask("GET", f"/v1/videos/{video}/file", headers={"Range": "bytes=0-9"})
    assert part.status == 206 and len(part.body) == 10


def test_nothing_is_said_without_tls(team: Team) -> None:
    with socket.create_connection(("127.0.0.1", team.port), timeout=PATIENCE) as plain:
        plain.sendall(b"GET /v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        said = b""
        try:
            while part := plain.recv(4096):
                said += part
        except ConnectionResetError:
            pass
    assert b"HTTP/" not in said
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", team.port), timeout=PATIENCE) as plain,
        pytest.raises((ssl.SSLError, OSError)),
    ):
        old.wrap_socket(plain)


def test_handshakes_that_never_end_keep_nobody_out(team: Team) -> None:
    crowd = [socket.create_connection(("127.0.0.1", team.port), PATIENCE) for _ in range(64)]
    try:
        assert team.ask("GET", "/v1/openapi.json").status == 200
    finally:
        for each in crowd:
            each.close()


def test_signing_in_with_a_browser(team: Team) -> None:
    page = team.ask("GET", "/", None, headers={"Accept": "text/html"})
    assert page.status == 401 and b"<form method=post action=/sign-in>" in page.body
    # Else a browser would say of what the form sends that it comes from nowhere.
    assert page.headers["referrer-policy"] == "same-origin"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    form |= {"Origin": f"https://127.0.0.1:{team.port}", "Sec-Fetch-Site": "same-origin"}
    sent = f"token=%20{team.tokens['reader']}+".encode()
    reply = team.ask("POST", "/sign-in", None, headers=form, body=sent)
    assert (reply.status, reply.headers["location"]) == (303, "/")
    cookie = reply.headers["set-cookie"]
    wanted = rf"{COOKIE}=te_[\w-]{{43}}; Secure; HttpOnly; SameSite=Strict; Path=/"
    assert re.fullmatch(wanted, cookie) and COOKIE.startswith("__Host-")
    named = {"Cookie": cookie.partition(";")[0]}
    assert b"<script" in team.ask("GET", "/", None, headers=named).body
    assert team.ask("GET", "/v1/status", None, headers=named).status == 200
    wrong = team.ask("POST", "/sign-in", None, headers=form, body=b"token=te_" + b"x" * 43)
    assert wrong.status == 401 and "set-cookie" not in wrong.headers


def test_another_site_signs_nobody_in_and_asks_nothing(team: Team) -> None:
    token = team.tokens["admin"]
    body = f"token={token}".encode()
    evil = {"Origin": "https://evil.example"}
    assert team.ask("POST", "/sign-in", None, headers=evil, body=body).status == 403
    cookie = {"Cookie": f"{COOKIE}={token}"}
    for foreign in (
        evil,
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1:1"},
        {"Origin": f"http://127.0.0.1:{team.port}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        assert team.ask("POST", "/v1/pause", None, headers={**cookie, **foreign}).status == 403


def test_a_link_from_elsewhere_leads_on(team: Team) -> None:
    """Of that browsers name no cookie; the page that asks again has one."""
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    link["Sec-Fetch-Dest"] = "document"
    reply = team.ask("GET", "/?q=boat", None, headers=link)
    assert reply.status == 200 and b"http-equiv=refresh content=0>" in reply.body
    assert team.ask("GET", "/v1/status", None, headers=link).status == 403
    framed = {**link, "Sec-Fetch-Dest": "iframe"}
    assert team.ask("GET", "/", None, headers=framed).status == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:{port}", 200),
        ("127.0.0.1:443", 200),
        ("FILMS.example", 200),
        ("a.team.example:8443", 200),
        ("a.b.team.example", 403),
        ("team.example", 403),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("127.0.0.1:443@evil.example", 403),
        ("localhost", 403),
        ("[::1]:8443", 403),
        ("", 403),
    ],
)
def test_only_what_the_certificate_is_for(team: Team, host: str, status: int) -> None:
    reply = team.ask(
        "GET", "/v1/openapi.json", headers={"Host": host.replace("{port}", str(team.port))}
    )
    assert reply.status == status


def test_a_token_is_taken_from_no_address(team: Team) -> None:
    token = team.tokens["admin"]
    for target in (
        f"/?token={token}",
        f"/v1/status?token={token}",
        f"/{token}",
        f"/?TOKEN={token}",
    ):
        assert team.ask("GET", target, None).status == 401
    team.ask("GET", f"/v1/find?q={token}&limit=0")
    team.ask("GET", f"/v1/find?q=my+{token[:30]}&limit=0")
    team.ask("GET", "/v1/status", None, headers={"Authorization": f"Bearer {token}x"})
    # As it is spelled in percents, and once more.
    hidden = "".join(f"%{ord(letter):02x}" for letter in token)
    team.ask("GET", f"/v1/find?q={hidden}&limit=0")
    team.ask("GET", f"/{hidden}")
    noted = str(team.entries())
    assert len(team.entries()) == 9
    assert token[3:30] not in noted and noted.count("te_…") == 5


def test_what_is_noted(team: Team) -> None:
    team.ask("GET", "/v1/find?q=a%0Abeach&also=sea&also=sand&min_confidence=2")
    team.ask("POST", "/v1/index", "indexer", body=b'{"paths": ["/etc/passwd"]}')
    team.ask("GET", "/v1/nothing", None, headers={"X-Forwarded-For": "192.0.2.7"})
    asked, index, nothing = team.entries()
    when = asked.pop("time")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", when)
    assert asked == {
        "user": "reader",
        "from": "127.0.0.1",
        "method": "GET",
        "path": "/v1/find",
        "asked": {"q": ["a\nbeach"], "also": ["sea", "sand"], "min_confidence": ["2"]},
        "status": 400,
    }
    assert (index["status"], index["asked"]) == (403, {"paths": ["/etc/passwd"]})
    # Nobody says for himself where he comes from.
    assert (nothing["user"], nothing["from"], nothing["status"]) == (None, "127.0.0.1", 401)
    assert stat.S_IMODE(team.log.path.stat().st_mode) == 0o600


def test_what_can_not_be_noted_is_not_answered(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    team.log.path.mkdir()
    try:
        reply = team.ask("GET", "/v1/videos")
    finally:
        team.log.path.rmdir()
    assert reply.status == 503 and "can't be noted" in reply.error
    assert "originals" not in reply.body.decode()
    said = capsys.readouterr().err
    assert said.startswith(f"audit log {team.log.path} can't be written (Is a directory)")
    assert team.ask("GET", "/v1/videos").status == 200


def test_strangers_are_turned_away_and_users_are_not(team: Team) -> None:
    team.guard._turned_away = Budget(20, 1 / 3, lambda: 0.0)
    wrong = {"Authorization": "Bearer te_" + "x" * 43}
    said = [team.ask("GET", "/v1/status", None, headers=wrong).status for _ in range(40)]
    assert said == [401] * 20 + [429] * 20
    assert team.ask("GET", "/v1/openapi.json").status == 200, "of the same address"
    form = f"token={team.tokens['reader']}".encode()
    assert team.ask("POST", "/sign-in", None, body=form).status == 303, "beside a stale tab, too"
    assert team.ask("POST", "/sign-in", None, body=b"token=te_x").status == 429
    # They do not fill the log.
    left_out = [each.get("left_out_before") for each in team.entries()]
    assert left_out == [None] * 20 + [20, None]


def test_a_user_who_asks_too_often(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    team.guard._requests = Budget(2, 0.01)
    said = [team.ask("GET", "/v1/openapi.json") for _ in range(3)]
    assert [reply.status for reply in said] == [200, 200, 429]
    assert "too many requests" in said[-1].error and "retry-after" in said[-1].headers
    assert team.ask("GET", "/v1/openapi.json", "admin").status == 200
    team.guard._requests = Budget(600, 30)
    monkeypatch.setattr(colleague_guard, "_UNDER_WAY", 1)
    with stream(team, "indexer") as streaming:
        streaming.recv(4096)
        assert "under way" in team.ask("GET", "/v1/status", "indexer").error
    wait_until(lambda: team.ask("GET", "/v1/openapi.json", "indexer").status == 200)


def stream(team: Team, user: str) -> ssl.SSLSocket:
    """A connection on which events come in."""
    sock = team.connection()
    token = team.tokens[user]
    sock.sendall(
        b"GET /v1/events HTTP/1.1\r\nHost: films.example\r\n"
        b"Authorization: Bearer " + token.encode() + b"\r\n\r\n"
    )
    return sock


def test_a_revoked_token_ends_what_is_open(team: Team) -> None:
    team.tokens["gone"] = team.users.add("gone", Right.READ)
    with stream(team, "gone") as streaming, team.connection() as idle:
        assert b"200 OK" in streaming.recv(4096)
        request = (
            b"GET /v1/openapi.json HTTP/1.1\r\nHost: films.example\r\n"
            b"Authorization: Bearer " + team.tokens["gone"].encode() + b"\r\n\r\n"
        )
        idle.sendall(request)
        said = idle.recv(4096)
        assert b"200 OK" in said
        team.users.revoke("gone")
        rest = b""
        while part := streaming.recv(4096):  # until the other side closes
            rest += part
        assert not rest.endswith(b"0\r\n\r\n"), "it was cut, and did not come to its end"
        idle.sendall(request)
        while not said.endswith(b'Bearer TOKEN"}'):
            part = idle.recv(4096)
            assert part, said[-200:]
            said += part
        assert b"401 Unauthorized" in said
    assert [each["cut"] for each in team.entries() if "cut" in each] == ["the token was revoked"]


def test_a_right_that_is_taken_away_counts_at_once(team: Team) -> None:
    team.tokens["changing"] = team.users.add("changing", Right.INDEX)
    assert team.ask("POST", "/v1/resume", "changing").status == 200
    facts = json.loads(team.users.path.read_text())
    for each in facts["users"]:
        if each["name"] == "changing":
            each["right"] = "read"
    draft = team.users.path.with_name("draft")
    draft.write_text(json.dumps(facts))
    draft.chmod(0o600)
    draft.replace(team.users.path)
    assert team.ask("POST", "/v1/resume", "changing").status == 403
    team.users.revoke("changing")


def test_users_that_can_not_be_read_let_nobody_in(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    team.users.path.chmod(0o644)
    try:
        reply = team.ask("GET", "/v1/status")
    finally:
        team.users.path.chmod(0o600)
    assert reply.status == 503
    assert f"users {team.users.path} is open to others: chmod 600 it" in capsys.readouterr().err
    assert team.ask("GET", "/v1/openapi.json").status == 200


def test_indexing_stays_in_folders_that_are_followed(
    team: Team, originals: Path, tmp_path: Path
) -> None:
    def index(user: str, path: Path | str) -> int:
        body = json.dumps({"paths": [str(path)]}).encode()
        return team.ask("POST", "/v1/index", user, body=body).status

    (originals / "beside").symlink_to(tmp_path)
    try:
        assert index("indexer", originals / "beside") == 403
        assert index("indexer", originals / ".." / "..") == 403
        assert index("indexer", f"{originals}-too") == 403
        assert index("indexer", tmp_path / "none.mp4") == index("indexer", tmp_path) == 403
    finally:
        (originals / "beside").unlink()
    assert index("indexer", originals / "none.mp4") == 404
    assert index("admin", tmp_path / "none.mp4") == 404
    assert index("reader", originals) == 403


def test_what_acts_on_the_machine_is_off_from_afar(team: Team) -> None:
    for deed in ({"webhook": "http://127.0.0.1:1/x"}, {"run": "env"}):
        body = json.dumps({"name": "x", "find": {"q": "a"}, **deed}).encode()
        assert team.ask("POST", "/v1/saved", "admin", body=body).status in (400, 403)
    reply = team.ask("POST", "/v1/videos/1/play", "admin")
    assert reply.status == 403 and "the service's own machine" in reply.error


def test_a_real_service_with_every_door(
    built: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """By the command line: colleagues over TLS, the owner by the socket and the loopback port."""
    authority, folder = trustme.CA(), Path(tempfile.mkdtemp(prefix="te-", dir="/tmp"))
    pair = issued(authority, tmp_path, "127.0.0.1")
    data = folder / ".local" / "share" / "tempo-edge"
    users = Users(data / "users" / places.users_path(built).name)
    token = users.add("ann", Right.READ)
    listening = ["--listen", "127.0.0.1:0", "--certificate", str(pair.certificate)]
    listening += ["--key", str(pair.key), "--port", "0"]
    client = ssl.create_default_context()
    authority.configure_trust(client)
    try:
        with running(built, environment, *listening, folder=folder) as service:
            wait_until(lambda: "listening on https://" in service.said)
            (address,) = re.findall(r"listening on (https://127\.0\.0\.1:\d+/)\n", service.said)
            request = urllib.request.Request(f"{address}v1/status")
            request.add_header("Authorization", f"Bearer {token}")
            with urllib.request.urlopen(request, timeout=PATIENCE, context=client) as reply:
                said = json.load(reply)
            assert (said["right"], said["address"], said["videos"]) == ("read", None, 3)
            assert service.get("/v1/status").json["right"] == "admin"
            # The owner's token is no colleague's, nor the other way round.
            request.add_header("Authorization", f"Bearer {service.token}")
            with pytest.raises(urllib.error.HTTPError, match="401"):
                urllib.request.urlopen(request, timeout=PATIENCE, context=client)
            theirs = {"Authorization": f"Bearer {token}"}
            assert service.ask("GET", "/v1/status", headers=theirs, tcp=True).status == 401
            assert token not in service.said
        (log,) = (data / "audit").glob("*.jsonl")
        entries = [json.loads(line) for line in log.read_text().splitlines()]
        assert [(each["user"], each["status"]) for each in entries] == [("ann", 200), (None, 401)]
    finally:
        shutil.rmtree(folder)
