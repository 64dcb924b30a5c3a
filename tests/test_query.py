"""A query: it is checked once, in one set of words, whoever makes it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import tempo_edge
from tempo_edge.errors import QueryError
from tempo_edge.query import Query, places


@pytest.mark.parametrize(
    ("choices", "complaint"),
    [
        ({"text": ""}, "query '' is empty: say what to look for"),
        ({"text": " \n"}, r"query ' \n' is empty: say what to look for"),
        ({"text": "\udcff"}, r"query '\udcff' is not valid UTF-8: say it in Unicode"),
        ({"limit": 0}, "limit 0 must be at least 1"),
        ({"limit": -3}, "limit -3 must be at least 1"),
        ({"min_confidence": 1.5}, "min_confidence 1.5 must be within [0, 1]"),
        ({"min_confidence": -0.1}, "min_confidence -0.1 must be within [0, 1]"),
        ({"min_confidence": float("nan")}, "min_confidence nan must be within [0, 1]"),
        ({"within": ()}, "within names no path: name one, or leave it out"),
        ({"within": (Path("tapes"),)}, "within 'tapes' must be a path from the root"),
        ({"min_seconds": -1.0}, "min_seconds -1.0 must be finite and not negative"),
        ({"max_seconds": float("inf")}, "max_seconds inf must be finite and not negative"),
        ({"max_seconds": float("nan")}, "max_seconds nan must be finite and not negative"),
    ],
)
def test_what_is_no_query(choices: dict[str, Any], complaint: str) -> None:
    with pytest.raises(QueryError) as refused:
        Query(**{"text": "a dog", **choices})
    assert str(refused.value) == complaint


def test_bounds_belong_to_it() -> None:
    for confidence in (0, 1, 0.5):
        assert Query("a dog", min_confidence=confidence).min_confidence == confidence
    assert Query("a dog", limit=1).limit == 1
    assert Query("a dog", grounder="curve", retrieval=True).retrieval
    assert Query("a dog", min_seconds=0.0, max_seconds=0.0).offline


def test_places_are_from_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/somebody")
    (tmp_path / "link").symlink_to("/")
    assert places(None) is None
    assert places([]) == ()
    assert places("tapes") == places(Path("tapes")) == (tmp_path / "tapes",)
    assert places(iter(["~/b & c", "/d/../e", "link"])) == (
        Path("/home/somebody/b & c"),
        Path("/e"),
        tmp_path / "link",
    )
    assert places(os.fsdecode(b"/v/\xff.mp4")) == (Path("/v/\\xff.mp4"),)


def test_a_query_that_was_made_is_asked_as_it_is(built: Path) -> None:
    with tempo_edge.Library.open(built) as library:
        asked = library.ask(Query("stripes", limit=2, min_confidence=0.0, grounder="curve"))
        assert asked == library.find("stripes", limit=2, min_confidence=0.0, grounder="curve")
        assert len(asked) == 2
        ids = {moment.video for moment in asked}
        only = library.ask(
            Query("stripes", min_confidence=0.0, videos=frozenset(list(ids)[:1])),  # type: ignore[arg-type]
        )
        assert {moment.video for moment in only} == set(list(ids)[:1])


def test_an_error_has_the_names_of_whoever_tells_it() -> None:
    names = {"also": "--and", "then_seconds": "--then-within"}
    error = QueryError.naming("{also} {!r} and {limit} {:g}, {{}}", "{also} {", 2.0)
    assert str(error) == "also '{also} {' and limit 2, {}"
    assert error.named(names) == "--and '{also} {' and limit 2, {}"
    assert QueryError("{also} of a file").named(names) == "{also} of a file"
    with pytest.raises(QueryError) as refused:
        Query("a dog", also=("{limit}", " "))
    assert refused.value.named(names) == "--and ' ' is empty: name something, or leave it out"
