"""A query that is saved is the same when it is read, and whatever is no query is refused."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import pytest

from tempo_edge.errors import QueryError
from tempo_edge.example import Example
from tempo_edge.filters import Filters
from tempo_edge.query import Query
from tempo_edge.saved.query_text import SavedQuery

MOMENT = Example.moment("/films/a b@12.mp4@1:20-1:30")
QUERIES = [
    Query("dog AND beach NOT people", 3, 0.9, (Path("/films/\udcff"),), "curve", parts=True),
    Query("it's", plain=True, said=True, also=("a", "b"), without=("c",), then=("d",)),
    Query(
        "שלום AND x THEN y", near_seconds=2.5, then_seconds=9.0, min_seconds=1.0, max_seconds=2.0
    ),
    Query("a", after=date(2024, 1, 31), before=date(2024, 2, 1), offline=False, sort="time"),
    Query("red", like=Example("p.png", picture=b"\x00\xff")),
    Query("", like=MOMENT, seen=True),
]


@pytest.mark.parametrize("query", QUERIES)
def test_it_is_read_as_it_was(query: Query) -> None:
    kept = SavedQuery(query, {"camera": "iPhone"}).as_text()
    assert kept.isascii()
    read = SavedQuery.of(kept)
    assert read.where == {"camera": "iPhone"}
    assert repr(read.query).replace(repr(MOMENT.place), repr(MOMENT.name)) == repr(query)
    if query.like is not None:
        assert read.query.like is not None and read.query.like.picture == query.like.picture


def test_a_time_that_was_said_is_read_anew() -> None:
    asked = SavedQuery.of(SavedQuery(Query("dog"), {"since": "last week"}).as_text())
    spring, summer = datetime(2024, 3, 13), datetime(2024, 8, 14)
    assert asked.now(spring).filters.since == datetime(2024, 3, 4)
    assert asked.now(summer).filters.since == datetime(2024, 8, 5)
    assert asked.title == "dog, since last week"


def test_what_is_of_today_is_not_saved() -> None:
    for query in (
        Query("a", videos=frozenset({1})),
        Query("a", retrieval=True),
        Query("a", filters=Filters(camera="x")),
        Query("", like=Example.moment("3@1:20")),
        Query("a" * 4201),
    ):
        with pytest.raises(QueryError):
            SavedQuery(query, {})


@pytest.mark.parametrize(
    "change",
    [
        {"text": 1},
        {"limit": True},
        {"limit": 0},
        {"min_confidence": "1"},
        {"near_seconds": float("nan")},
        {"also": "ab"},
        {"also": ["a"] * 65},
        {"within": ["films"]},
        {"after": "soon"},
        {"like": {"picture": "%"}},
        {"like": {"file": "/etc/passwd"}},
        {"videos": [1]},
        {"said": 1},
    ],
)
def test_whatever_is_no_query_is_refused(change: dict[str, object]) -> None:
    kept = json.loads(SavedQuery(Query("dog"), {}).as_text())
    kept["query"].update(change)
    with pytest.raises(QueryError):
        SavedQuery.of(json.dumps(kept))


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "[" * 100_000, '{"version": 2}', "a" * 9])
def test_whatever_is_no_text_of_one_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        SavedQuery.of(text)


def test_a_newer_version_is_told() -> None:
    kept = json.loads(SavedQuery(Query("dog"), {}).as_text())
    with pytest.raises(QueryError, match="version 2 is a newer"):
        SavedQuery.of(json.dumps({**kept, "version": 2}))
