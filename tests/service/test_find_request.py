"""The request for a search: what one side writes the other reads."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge.errors import QueryError, ServiceError
from tempo_edge.example import LARGEST_SENT, Example
from tempo_edge.expression import QUOTED
from tempo_edge.query import Query, places
from tempo_edge.service.http.find_request import FindRequest
from tempo_edge.service.http.parameters import Parameters

_characters = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
_seconds = st.none() | st.floats(0, 1e13)
_days = st.none() | st.dates(date(1000, 1, 1))
_texts_of_terms = st.text(_characters, min_size=1, max_size=50).filter(
    lambda text: bool(text.strip()) and not QUOTED.search(text)
)
_terms = st.lists(_texts_of_terms, max_size=2).map(tuple)


def _query(text: str, **asked: Any) -> Query:
    """A query of which nothing is to be there and not to be there."""
    wanted = {text, *asked["also"], *asked["then"]}
    asked["without"] = tuple(each for each in asked["without"] if each not in wanted)
    return Query(text, **asked)


_queries = st.builds(
    _query,
    _texts_of_terms,
    limit=st.integers(1, 100),
    min_confidence=st.none() | st.floats(0, 1),
    within=st.none()
    | st.lists(st.text(_characters, max_size=20).map("/{}".format), min_size=1, max_size=3).map(
        places
    ),
    grounder=st.sampled_from([None, "curve"]),
    retrieval=st.booleans(),
    parts=st.booleans(),
    after=_days,
    before=_days,
    min_seconds=st.none() | st.floats(0, 1e3),
    max_seconds=st.none() | st.floats(1e3, 1e13),
    offline=st.booleans(),
    also=_terms,
    without=_terms,
    then=_terms,
    near_seconds=st.floats(0, 1e13),
    then_seconds=st.floats(0, 1e13),
    plain=st.just(True),
)


@given(_queries, st.none() | st.text(_characters, min_size=1, max_size=20))
def test_what_is_written_is_read(query: Query, client: str | None) -> None:
    asked = FindRequest(query, client)
    sent = parse_qs(urlencode(asked.parameters(), doseq=True), keep_blank_values=True)
    assert FindRequest.of(Parameters(sent)) == asked


def test_a_moment_goes_as_its_name_and_a_picture_as_the_body() -> None:
    moment = FindRequest(Query("", like=Example.moment("/v/a b@c.mp4@3.5-8")))
    read = FindRequest.of(Parameters({name: [text] for name, text in _texts(moment)}))
    assert read.query.like is not None and read.query.like.path == Path("/v/a b@c.mp4")
    assert not read.query.like.is_decoded, "who may ask may not read whatever there is"
    picture = FindRequest(Query("dogs", like=Example("a.jpg", picture=b"abc")))
    assert "like" not in picture.parameters() and picture.picture == b"abc"
    sent = FindRequest.of(Parameters({"q": ["dogs"]}), picture.picture)
    assert sent.query.like == Example("the picture", picture=b"abc")
    large = FindRequest(Query("", like=Example("a", picture=bytes(LARGEST_SENT + 1))))
    with pytest.raises(QueryError, match="must have at most"):
        large.parameters()


def _texts(asked: FindRequest) -> list[tuple[str, str]]:
    return [(name, text) for name, text in asked.parameters().items() if isinstance(text, str)]


@pytest.mark.parametrize(
    ("like", "complaint"),
    [
        ("beach.jpg", "has no time that can be read"),
        ("/etc/passwd", "has no time that can be read"),
        ("films/a.mp4@3", "must be a path from the root"),
        ("/v/a.mp4@8-3", "must end after it starts"),
    ],
)
def test_no_file_is_named_as_a_picture(like: str, complaint: str) -> None:
    with pytest.raises(ServiceError, match=complaint) as refused:
        FindRequest.of(Parameters({"like": [like]}))
    assert refused.value.status == 400
    with pytest.raises(ServiceError, match="exclude each other"):
        FindRequest.of(Parameters({"like": ["/v/a.mp4@3"]}), b"a picture")


def test_what_is_usual_is_not_written() -> None:
    assert FindRequest(Query("a dog")).parameters() == {"q": "a dog", "limit": "10"}


def test_a_request_is_read_whole() -> None:
    given = {"q": ["a"], "client": [""], "retrieval": ["1"], "parts": ["1"], "limit": ["7"]}
    asked = FindRequest.of(Parameters(given))
    assert asked == FindRequest(Query("a", limit=7, retrieval=True, parts=True), None)


@pytest.mark.parametrize(
    ("choices", "complaint"),
    [
        ({"text": "x" * 1001}, "query of 1001 characters must have at most 1000"),
        ({"limit": 101}, "limit 101 must be at most 100"),
        ({"within": (Path("/v"),) * 33}, "within names 33 paths: 32 are allowed"),
        ({"then": ("x" * 1001,)}, "term of 1001 characters must have at most 1000"),
        ({"refine": True}, "a service neither refines nor"),
        ({"videos": frozenset([1])}, "a service neither refines nor"),
    ],
)
def test_what_a_service_is_not_asked(choices: dict[str, Any], complaint: str) -> None:
    with pytest.raises(QueryError, match=complaint):
        FindRequest(Query(**{"text": "a dog", **choices})).parameters()


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, "q is missing or empty: say what to look for"),
        ({"q": [" "]}, "q is missing or empty: say what to look for"),
        ({"q": ["x" * 1001]}, "q has 1001 characters: 1000 are allowed"),
        ({"q": ["a"], "also": ["x" * 1001]}, "also has 1001 characters: 1000 are allowed"),
        ({"q": ["a"], "without": ["x"] * 9}, "without is given 9 times: 8 are allowed"),
        (
            {"q": ["a NOT"]},
            "query 'a NOT': NOT at column 3 has nothing behind it: say what is not to be there; "
            "as a mere word: in small letters, or with plain",
        ),
        ({"q": ["\ud800"]}, r"query '\ud800' is not valid UTF-8: say it in Unicode"),
        ({"q": ["a"], "limit": ["0"]}, "limit '0' must be a whole number within [1, 100]"),
        (
            {"q": ["a"], "grounder": ["mllm"], "retrieval": ["1"]},
            "grounder 'mllm' and retrieval=1 exclude each other: choose one",
        ),
        ({"q": ["a"], "also": [""]}, "also '' is empty: name something, or leave it out"),
        (
            {"q": ["a"], "within": ["tapes"]},
            "within 'tapes' must be a path from the root, as /home/me, or from your home, as "
            "~/Videos",
        ),
    ],
)
def test_what_is_refused(given: dict[str, list[str]], complaint: str) -> None:
    with pytest.raises(ServiceError) as refused:
        FindRequest.of(Parameters(given))
    assert (refused.value.status, str(refused.value)) == (400, complaint)
