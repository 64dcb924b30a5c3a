"""The files of users and of what they ask, and budgets: what they hold, and what they survive."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from tempo_edge.errors import TempoEdgeError
from tempo_edge.service.access.audit import AuditLog
from tempo_edge.service.access.budget import Budget
from tempo_edge.service.access.right import Right
from tempo_edge.service.access.users import Users


def test_a_token_is_known_by_its_digest_alone(tmp_path: Path) -> None:
    users = Users(tmp_path / "kept" / "users.json")
    assert users.all() == () and users.by_token("te_") is None
    token = users.add("ann", Right.INDEX)
    assert users.add("ännchen@films", Right.READ) != token
    found = Users(users.path).by_token(token)
    assert found is not None and (found.name, found.right) == ("ann", Right.INDEX)
    for wrong in ("", token[:-1], f"{token}x", token.upper(), found.digest, "\udcff", "é"):
        assert users.by_token(wrong) is None
    text = users.path.read_text()
    assert token not in text and token[3:20] not in text
    assert stat.S_IMODE(users.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(users.path.parent.stat().st_mode) == 0o700


def test_what_is_changed_elsewhere_counts_at_once(tmp_path: Path) -> None:
    here, there = Users(tmp_path / "users.json"), Users(tmp_path / "users.json")
    token = there.add("ann", Right.READ)
    found = here.by_token(token)
    assert found is not None and here.still_has(found)
    assert there.revoke("ann") == found
    assert here.by_token(token) is None and not here.still_has(found)
    again = there.add("ann", Right.READ)
    assert again != token and not here.still_has(found), "another token"


@pytest.mark.parametrize(
    "name", ["", "a b", "a\nb", "-x", "x" * 65, "a/b", "../a", "\u202ea", 'a"', "\udcff"]
)
def test_names_that_are_none(tmp_path: Path, name: str) -> None:
    users = Users(tmp_path / "users.json")
    with pytest.raises(TempoEdgeError, match="must have 1 to 64 letters"):
        users.add(name, Right.READ)
    assert not users.path.exists()


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    users = Users(tmp_path / "users.json")
    token = users.add("ann", Right.READ)
    with pytest.raises(TempoEdgeError, match="already: tempo-edge users revoke ann first"):
        users.add("ann", Right.ADMIN)
    assert users.by_token(token) is not None
    with pytest.raises(TempoEdgeError, match="there is no user 'bob': ann"):
        users.revoke("bob")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"users": [{}]}', '{"users": null}', "\0" * 9, "[" * 9999, '{"users": [1]}',
     '{"users": [{"name": "a", "right": "root", "digest": "%s", "added": ""}]}' % ("0" * 64),
     '{"users": [{"name": "a", "right": "admin", "digest": "", "added": ""}]}',
     '{"users": [{"name": "a", "right": "admin", "digest": "é", "added": "", "x": 1}]}'],
)  # fmt: skip
def test_a_file_that_holds_no_users(tmp_path: Path, text: str) -> None:
    path = tmp_path / "users.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(TempoEdgeError, match="holds no users"):
        Users(path).by_token("te_x")
    with pytest.raises(TempoEdgeError, match="holds no users"):
        Users(path).add("ann", Right.READ)
    assert path.read_text() == text, "nothing of it is lost"


def test_a_file_that_others_could_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    users = Users(tmp_path / "users.json")
    users.add("ann", Right.READ)
    users.path.chmod(0o660)
    with pytest.raises(TempoEdgeError, match="open to others: chmod 600 it"):
        Users(users.path).all()
    users.path.chmod(0o600)
    (tmp_path / "link").symlink_to(users.path)
    with pytest.raises(TempoEdgeError, match="can't be read"):
        Users(tmp_path / "link").all()
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(TempoEdgeError, match="is not a file of your own"):
        Users(tmp_path / "pipe").all()
    own = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: own + 1)
    with pytest.raises(TempoEdgeError, match="is not a file of your own"):
        Users(users.path).all()


def add(path: Path, number: int) -> None:
    Users(path).add(f"user{number}", Right.READ)
    AuditLog(path.with_name("audit"), largest=400, older=99).write({"number": number})


def test_many_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    context = multiprocessing.get_context("fork")
    all_ = [context.Process(target=add, args=(path, number)) for number in range(12)]
    for each in all_:
        each.start()
    for each in all_:
        each.join()
    assert {user.name for user in Users(path).all()} == {f"user{n}" for n in range(12)}
    files = [each for each in tmp_path.glob("audit*") if each.suffix != ".lock"]
    lines = [line for each in files for line in each.read_text().splitlines()]
    assert len(files) > 1
    assert sorted(json.loads(line)["number"] for line in lines) == list(range(12))


# -- the audit log -----------------------------------------------------------------------------


def test_the_log_becomes_older_ones(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl", largest=200, older=2)
    for number in range(20):
        log.write({"number": number, "text": "x" * 60})
    names = {"audit.jsonl", "audit.jsonl.1", "audit.jsonl.2", "audit.jsonl.lock"}
    assert {each.name for each in tmp_path.iterdir()} == names
    kept = [log.path.with_name(f"audit.jsonl{end}") for end in (".2", ".1", "")]
    numbers = [
        json.loads(line)["number"] for each in kept for line in each.read_text().splitlines()
    ]
    assert numbers == list(range(20 - len(numbers), 20)), "the newest, in order"


def test_an_entry_is_a_line_whatever_is_in_it(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl")
    log.write({"path": 'a\n{"user": "eve"}\u2028\x85"', "asked": {"q": ["x" * 9999]}})
    log.write({"path": "te_" + "A" * 43, "asked": {"te_" + "B" * 43: ["my te_" + "C" * 20]}})
    first, second = map(json.loads, log.path.read_text().splitlines())
    assert first["path"].startswith("a\n{") and len(first["asked"]["q"][0]) == 2000
    assert (second["path"], second["asked"]) == ("te_…", {"te_…": ["my te_…"]})


def test_a_disk_that_is_full_leaves_no_half_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AuditLog(tmp_path / "audit.jsonl")
    log.write({"number": 1})
    before = log.path.read_bytes()
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, text: write(file, text[:9]))
    with pytest.raises(OSError, match="No space left"):
        log.write({"number": 2})
    monkeypatch.undo()
    assert log.path.read_bytes() == before
    log.write({"number": 3})
    assert len(log.path.read_text().splitlines()) == 2


def test_a_log_behind_a_link_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        AuditLog(tmp_path / "audit.jsonl").write({})
    assert not (tmp_path / "elsewhere").exists()


# -- budgets -------------------------------------------------------------------------------------


def test_a_budget_comes_back() -> None:
    now = [0.0]
    budget = Budget(2, 0.5, lambda: now[0])
    assert [budget.take("a") for _ in range(3)] == [0, 0, 2]
    assert budget.take("b") == 0, "another's"
    now[0] = 1.0
    assert budget.take("a") == 1
    now[0] = 2.0
    assert budget.take("a") == 0
    now[0] = 1e9
    assert [budget.take("a") == 0 for _ in range(3)] == [True, True, False]


def test_a_budget_of_very_many_is_bounded() -> None:
    budget = Budget(1, 1, lambda: 0.0)
    for number in range(20_000):
        budget.take(str(number))
    assert len(budget._left) == 10_000
    assert budget.take("19999") > 0 and budget.take("0") == 0
