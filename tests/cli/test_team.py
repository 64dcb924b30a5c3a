"""A library on a server at the command line: the answers are those of one in a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Said
from postgres_server import server

Tempo = Callable[..., Said]


@pytest.fixture(scope="module")
def name() -> str:
    """A library on a server; nothing is in it yet."""
    return server().name(server().new_database())


@pytest.fixture
def elsewhere(name: str, tempo: Tempo, originals: Path) -> str:
    """A library of the three short films on a server."""
    if not tempo("status", "--library", name).status:
        return name
    indexed = tempo("index", "--library", name, originals)
    assert (indexed.status, indexed.out) == (0, "") and "3 indexed" in indexed.err
    return name


@pytest.mark.parametrize(
    "asked",
    [
        ("find", "--json", "--min-confidence", "0", "a beach"),
        ("find", "--json", "--seen", "--min-confidence", "0", "a street at night"),
        ("find", "--json", "garden"),
        ("find", "--json", "--said", "nobody says that"),
        ("find", "--json", "--min-length", "3s", "--min-confidence", "0", "something moves"),
        ("find", "a beach", "AND", "a street"),
    ],
)
def test_it_answers_as_a_library_in_a_file(
    asked: tuple[str, ...], tempo: Tempo, built: Path, elsewhere: str
) -> None:
    told = [tempo(asked[0], "--library", each, *asked[1:]) for each in (built, elsewhere)]
    assert told[0].status == told[1].status and told[0].out == told[1].out
    assert told[0].err == told[1].err


def test_it_lists_and_tells_what_it_holds(tempo: Tempo, built: Path, elsewhere: str) -> None:
    listed = [
        [json.loads(line) for line in tempo("list", "--json", "--library", each).out.splitlines()]
        for each in (built, elsewhere)
    ]
    for rows in listed:
        for row in rows:
            row.pop("indexed")
    assert listed[0] == listed[1] and len(listed[0]) == 3
    held = [
        json.loads(tempo("status", "--json", "--library", each).out) for each in (built, elsewhere)
    ]
    assert held[1].pop("search").startswith("exact")
    assert held[1].pop("library") == elsewhere and held[1]["database_bytes"] > 0
    for facts in held:
        for key in ("library", "database_bytes", "cache_bytes"):
            facts.pop(key, None)
    assert held[0] == held[1]


def test_what_is_there_is_not_read_again(tempo: Tempo, originals: Path, elsewhere: str) -> None:
    again = tempo("index", "--library", elsewhere, originals)
    assert again.status == 0 and "3 unchanged" in again.err


def test_a_password_is_shown_by_no_command(tempo: Tempo, originals: Path) -> None:
    name = "postgresql://me:s3cret@localhost/films"
    for line in (
        ("index", originals),
        ("find", "a dog"),
        ("status",),
        ("list",),
        ("backup", "x"),
        ("saved", "list"),
        ("forget", originals),
    ):
        first, *rest = line
        words = [first, *rest, "--library", name]
        said = tempo(*words)
        assert said.status == 2 and said.err.count("\n") == 1
        assert "s3cret" not in said.out + said.err and "PGPASSWORD" in said.err


def test_a_copy_on_a_server_answers_as_the_library_in_a_file(tempo: Tempo, built: Path) -> None:
    elsewhere = server().name(server().new_database())
    copied = tempo("library", "copy", built, elsewhere)
    assert (copied.status, copied.out) == (0, "")
    assert copied.err == "3 videos: 3 copied; 3 files; all read back and compared\n"
    asked = ("--json", "--min-confidence", "0", "a beach")
    told = [tempo("find", "--library", each, *asked) for each in (built, elsewhere)]
    assert told[0].out and (told[0].out, told[0].err) == (told[1].out, told[1].err)
    again = tempo("library", "copy", "--json", built, elsewhere)
    facts = json.loads(again.out)
    assert again.err == "" and (facts["copied"], facts["there"], facts["is_whole"]) == (0, 3, True)
    itself = tempo("library", "copy", built, built)
    assert itself.status == 2 and "is the library itself" in itself.err
