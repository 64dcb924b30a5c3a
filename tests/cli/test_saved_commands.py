"""`tempo-edge saved`: what is kept, listed, shown, told and taken out, and what is refused."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Said

Tempo = Callable[..., Said]

ALL = ("--min-confidence", "0", "--grounder", "curve")


@pytest.fixture
def library_path(built: Path, tmp_path: Path) -> Path:
    """A library of three films takes the place of the test's own empty one."""
    return Path(shutil.copy(built, tmp_path / "library.db"))


def test_a_search_is_saved_listed_run_and_removed(tempo: Tempo, originals: Path) -> None:
    assert tempo("saved", "list") == Said(0, "", "")
    added = tempo(
        *("saved", "add", "sea", "a", "beach", *ALL, "--in", originals, "--since", "last week"),
        *("--run", f"{sys.executable} -c pass '{{path}} {{start}}'"),
        *("--webhook", "http://127.0.0.1:1/x"),
    )
    assert added == Said(0, "", "saved sea\n")
    assert tempo("saved", "add", "plain", "a street", *ALL).status == 0
    (plain, sea) = map(json.loads, tempo("saved", "list", "--json").out.splitlines())
    assert plain == {
        "name": "plain",
        "query": "a street, min confidence 0",
        "run": [],
        "notify": False,
        "webhook": "",
        "own": True,
        "told": 0,
    }
    assert sea["query"] == f"a beach, since last week, in {originals}, min confidence 0"
    assert sea["run"] == [sys.executable, "-c", "pass", "{path} {start}"]
    assert tempo("saved", "list").out.splitlines()[0] == "plain  a street, min confidence 0  0 told"

    shown = tempo("saved", "run", "plain")
    assert shown.status == 0 and shown.err.startswith("saved plain: a street, min confidence 0\n")
    found = tempo("find", "a street", *ALL, "--no-service")
    assert shown.out == found.out and shown.out.count("\n") >= 3
    rows = [json.loads(line) for line in tempo("saved", "run", "--json", "plain").out.splitlines()]
    assert {row["search"] for row in rows} == {"plain"} and len(rows) == shown.out.count("\n")

    # What is there was there before.
    assert tempo("saved", "run", "--tell", "plain") == Said(1, "", "")
    assert tempo("saved", "remove", "plain") == Said(0, "", "removed plain\n")
    assert tempo("saved", "remove", "plain").error == "there is no saved search 'plain': sea"
    assert tempo("saved", "run", "nix").error == "there is no saved search 'nix': sea"


def test_all_is_told_where_it_is_asked_for(tempo: Tempo) -> None:
    assert tempo("saved", "add", "--all", "sea", "a beach", *ALL).status == 0
    told = tempo("saved", "run", "--tell")
    assert told.status == 0 and told.out == ""
    lines = told.err.splitlines()
    assert len(lines) >= 3 and all(line.startswith("saved sea: /") for line in lines)
    assert tempo("saved", "run", "--tell") == Said(1, "", "")


def test_index_tells_where_it_is_asked_to(tempo: Tempo, footage: Path) -> None:
    tempo("saved", "add", "sea", "a beach", *ALL)
    film = footage / "new.mp4"
    film.write_bytes((footage / "garden.mp4").read_bytes() + b"\0" * 64)
    assert "saved" not in tempo("index", film).err
    told = tempo("index", "--tell", film).err.splitlines()
    assert [line for line in told if line.startswith(f"saved sea: {film}  00:0")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x"], "Missing argument 'QUERY...': see tempo-edge saved add --help"),
        (["", "a"], "name '' must have 1 to 100 letters on one line"),
        (["x\ny", "a"], "name 'x\\ny' must have 1 to 100 letters on one line"),
        (["x", "a", "--run", "env {nix}"], "{nix} of --run must be one of {id}, {name}, "),
        (["x", "a", "--webhook", "http://192.0.2.1/"], "--webhook 'http://192.0.2.1/' must be as "),
        (["x", "a", "--webhook", ""], "--webhook '' must be as http://127.0.0.1:8000/path, of"),
        (["x", "a", "--run", ""], "--run '' is empty: name a program and its arguments"),
        (["x", "a", "--run", "no-such-program x"], "--run 'no-such-program x': there is no progra"),
        (["x", "a", "--run", "env 'a"], "--run \"env 'a\" can't be taken apart: "),
        (["x", "a", "--run", "env {"], "'{' of --run has a brace alone: write it twice"),
        (["x", "a", "--grounder", "guess"], "--grounder 'guess' must be one of mllm, curve"),
        (["x", "--like", "/dev/null"], "--like '/dev/null' is not a file: name a picture"),
        (["x", "a", "--near", "1:20"], "--near is for things that are near each other: "),
        (["n" * 101, "a"], "name 'nnnn"),
        (["a\u202eb", "a"], "name 'a\\u202eb' must have 1 to 100 letters on one line"),
        (["x", "a", "--since", "01/02"], "--since '01/02' is no time: "),
        (["x", "a", "--limit", "0"], "--limit 0 must be at least 1"),
        (["x", "a AND"], "query 'a AND': AND at column 3 has nothing behind it: "),
        (["x", "--like", "3@1:20"], "--like '3@1:20' is a number of today's library: "),
    ],
)
def test_what_can_not_be_saved_is_refused(tempo: Tempo, arguments: list[str], said: str) -> None:
    assert tempo("saved", "add", *arguments).error.startswith(said)
    assert tempo("saved", "list") == Said(0, "", "")


def test_a_name_is_taken_once(tempo: Tempo) -> None:
    tempo("saved", "add", "sea", "a beach")
    said = tempo("saved", "add", "sea", "a lake").error
    assert said == "there is a saved search 'sea' already: remove it, or take another name"


def test_an_example_that_is_none_is_not_saved(tempo: Tempo, originals: Path) -> None:
    late = f"{originals / 'beach.mp4'}@9:59"
    assert tempo("saved", "add", "x", "--like", late).error.startswith(
        f"--like {late!r}: the video ends at "
    )
    assert tempo("saved", "list") == Said(0, "", "")


@pytest.mark.parametrize("name", ["a/b", "../x", "\N{GRINNING FACE}", "-x", "a b", "n" * 100])
def test_a_name_is_a_name_and_no_path(tempo: Tempo, name: str) -> None:
    assert tempo("saved", "add", "--", name, "a beach").err == f"saved {name}\n"
    assert tempo("saved", "list").out == f"{name}  a beach  0 told\n"
    assert tempo("saved", "remove", "--", name) == Said(0, "", f"removed {name}\n")


def test_one_that_can_not_be_asked_keeps_no_other_from_it(tempo: Tempo) -> None:
    said = tempo("saved", "run")
    assert said.status == 1 and said.err.startswith(
        "there is no saved search: tempo-edge saved add"
    )
    tempo("saved", "add", "a", "a beach", "--camera", "no such")
    tempo("saved", "add", "b", "a beach", *ALL)
    said = tempo("saved", "run")
    assert said.status == 2 and said.out.count("\n") >= 3
    first, *_, last = said.err.splitlines()
    assert first == "saved a: --camera 'no such' took nothing in the library: no camera is known"
    assert last == "tempo-edge: error: 1 of 2 saved searches can't be asked: each line says why"
    assert "took nothing" in tempo("saved", "run", "a").error
    assert tempo("saved", "run", "b").status == 0
