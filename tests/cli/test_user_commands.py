"""`tempo-edge users`: who is added, listed and revoked; and when `serve --listen` is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Said

from tempo_edge.service.access.right import Right
from tempo_edge.service.access.users import Users
from tempo_edge.service.transport import places

Tempo = Callable[..., Said]


def test_a_colleague_is_added_listed_and_revoked(tempo: Tempo, library_path: Path) -> None:
    assert tempo("users", "list") == Said(0, "", "")
    added = tempo("users", "add", "ann", "--right", "index")
    assert added.err == "added ann, who may index: the token is shown this once\n"
    token = added.out.strip()
    assert re.fullmatch(r"te_[\w-]{43}", token)
    user = Users(places.users_path(library_path)).by_token(token)
    assert user is not None and (user.name, user.right) == ("ann", Right.INDEX)
    assert tempo("users", "add", "bob").status == 0
    listed = tempo("users", "list").out
    assert re.fullmatch(r"ann  index  20\S+\nbob  read  20\S+\n", listed)
    assert token not in listed + tempo("users", "list", "--json").out
    assert tempo("users", "revoke", "ann") == Said(0, "", "revoked ann\n")
    assert tempo("users", "revoke", "ann").error == "there is no user 'ann': bob"
    assert Users(places.users_path(library_path)).by_token(token) is None
    noted = places.audit_path(library_path).read_text()
    assert token[3:] not in noted
    deeds = [json.loads(line) for line in noted.splitlines()]
    assert [each.get("added") or each.get("revoked") for each in deeds] == ["ann", "bob", "ann"]
    assert all(each["from"].endswith(", by the command line") for each in deeds)


def test_users_are_those_of_one_library(tempo: Tempo, tmp_path: Path) -> None:
    other = ("--library", "postgresql://films@server/films")
    assert tempo("users", "add", "ann", *other).status == 0, "no server is asked"
    assert tempo("users", "list").out == ""
    assert tempo("users", "list", *other).out.startswith("ann  read  ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "ann", "--right", "root"], "--right 'root' must be one of read, index, admin"),
        (["add", "a b"], "name 'a b' must have 1 to 64 letters, digits and . @ + - _, as ann or"),
        (["add"], "Missing argument 'NAME': see tempo-edge users add --help"),
        (["revoke", "ann"], "there is no user 'ann': there is none"),
    ],
)
def test_what_is_refused(tempo: Tempo, arguments: list[str], said: str) -> None:
    assert tempo("users", *arguments).error.startswith(said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--listen", "0.0.0.0"], "--listen 0.0.0.0 needs TLS: add --certificate FILE --key FILE"),
        (
            ["--listen", "127.0.0.1"],
            "--listen 127.0.0.1 needs TLS: add --certificate FILE --key FILE, or for this machine "
            "alone use --port N",
        ),
        (["--listen", "films"], "--listen 'films' must be an address of this machine and a port"),
        (["--key", "/k"], "--certificate and --key are for --listen ADDRESS: name that, too"),
        (
            ["--listen", "0.0.0.0", "--certificate", "/c", "--key", "/k"],
            "nobody may come in at 0.0.0.0:8443 yet: tempo-edge users add NAME --right read",
        ),
    ],
)
def test_what_lets_nobody_in_does_not_listen(tempo: Tempo, arguments: list[str], said: str) -> None:
    refused = tempo("serve", *arguments)
    assert refused.status == 2 and refused.error.startswith(said)


def test_a_certificate_that_is_not_there(tempo: Tempo, tmp_path: Path) -> None:
    tempo("users", "add", "ann")
    listening = ("--listen", "127.0.0.1:0", "--certificate", tmp_path / "c", "--key", "/k")
    refused = tempo("serve", "--socket", tmp_path / "s", *listening)
    assert refused.error == f"certificate {tmp_path / 'c'} is not a file: name one as PEM"
