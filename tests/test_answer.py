"""An answer: its two formats, and how one of them is read back."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge.answer import Answer, moment_as_dict, moment_from_dict
from tempo_edge.capture.facts import Capture, Coordinates, Instant
from tempo_edge.expression import ROLES, Expression, Term
from tempo_edge.moment import EVIDENCE_KINDS, Copy, Moment, Part

_seconds = st.floats(0, 1e9, allow_nan=False)
_paths = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20
).map(lambda name: Path("/v", name.lstrip("/")))
_places = st.tuples(_paths, _seconds, st.floats(0.001, 1e6), st.booleans()).filter(
    lambda place: place[1] + place[2] > place[1]
)
_copies = _places.map(lambda p: Copy(p[0], p[1], p[1] + p[2], p[3]))
_roles = st.sampled_from(ROLES)
_parts = st.builds(
    lambda text, role, place, confidence: Part(
        text, role, place[1], place[1] + place[2], confidence
    ),
    st.text(max_size=9),
    _roles,
    _places,
    st.floats(0, 1),
)
_expressions = st.lists(st.builds(Term, st.text(max_size=9), _roles), min_size=2, max_size=3).map(
    lambda terms: Expression(tuple(terms))
)
_moments = st.builds(
    lambda place, score, confidence, copies, video, found_by, text, parts: Moment(
        place[0],
        place[1],
        place[1] + place[2],
        score,
        confidence,
        "nano",
        place[3],
        tuple(copies),
        video,
        tuple(found_by),
        text,
        tuple(parts),
    ),
    _places,
    st.floats(-1e6, 1e6),
    st.floats(0, 1),
    st.lists(_copies, max_size=2),
    st.none() | st.integers(0, 2**53),
    st.lists(st.sampled_from(EVIDENCE_KINDS), min_size=1, max_size=3, unique=True),
    st.text(max_size=20),
    st.lists(_parts, max_size=2),
)


@given(
    st.lists(_moments, max_size=3),
    st.lists(_moments, max_size=3),
    st.integers(0, 99),
    st.integers(0, 23),
    st.none() | _expressions,
)
def test_what_the_service_tells_is_read_back(
    moments: list[Moment],
    rejected: list[Moment],
    count: int,
    rivals: int,
    understood: Expression | None,
) -> None:
    missing = () if understood is None else (understood.terms[0].text,)
    asked = {"understood": understood, "missing": missing}
    answer = Answer(tuple(moments), tuple(rejected), count, "curve", rivals, **asked)  # type: ignore[arg-type]
    told = json.loads(json.dumps(answer.as_dict()))
    back = Answer.from_dict(told, "nano")
    assert back == answer and back.grounder == "curve"
    assert [moment.video for moment in back] == [moment.video for moment in moments]


def moment(**others: Any) -> Moment:
    facts: dict[str, Any] = {
        "path": Path("/v/a.mp4"),
        "start_seconds": 1.23456,
        "end_seconds": 3.5,
        "score": 2.5,
        "confidence": 0.75,
        "profile": "nano",
        "copies": (Copy(Path("/v/b.mp4"), 0.5, 2.75, True),),
        "video": 7,
    }
    return Moment(**{**facts, **others})


def test_the_format_of_the_service() -> None:
    answer = Answer((moment(),), (), 3, "mllm")
    assert json.dumps(answer.as_dict()) == (
        '{"grounder": "mllm", "moments": [{"video": 7, "path": "/v/a.mp4", "name": "a.mp4", '
        '"start_seconds": 1.23456, "end_seconds": 3.5, "cue_seconds": 1.23456, '
        '"score": 2.5, "confidence": 0.75, "online": true, '
        '"copies": [{"path": "/v/b.mp4", "start_seconds": 0.5, '
        '"end_seconds": 2.75, "online": false}], "found_by": ["picture"], "text": "", '
        '"taken_at": null, "taken_from": null, "latitude": null, "longitude": null, '
        '"place": "", "camera": ""}], '
        '"near": [], "held_back": 3, "rivals": 0, '
        '"unsure": false, "left_out": false, "unknown_count": 0}'
    )


def test_who_does_not_tell_of_rivals_knows_of_none() -> None:
    told = Answer((moment(),), (), 0, "curve", 5).as_dict()
    assert Answer.from_dict(told).rivals == 5
    del told["rivals"]
    assert Answer.from_dict(told).rivals == 0


def test_a_service_of_before_knows_of_pictures_alone() -> None:
    told = moment_as_dict(moment(found_by=("speech",), text="a boat"))
    del told["found_by"], told["text"]
    back = moment_from_dict(told, "nano")
    assert (back.found_by, back.text) == (("picture",), "")


def test_what_is_told_of_a_capture_is_read_back() -> None:
    instant = Instant(datetime(2024, 1, 31, 14, 25), 60)
    capture = Capture(instant, "name", Coordinates(38.7, -9.1), "Lisbon, PT", "", "iPhone 12")
    told = json.loads(json.dumps(moment_as_dict(moment(capture=capture))))
    assert told["taken_at"] == "2024-01-31T14:25:00+01:00" and told["place"] == "Lisbon, PT"
    assert moment_from_dict(told).capture == capture
    for name, value in (("taken_at", "noon"), ("taken_from", "hearsay"), ("latitude", 91)):
        with pytest.raises(ValueError, match=r".+"):
            moment_from_dict({**told, name: value})
    answer = Answer((), (), 0, "curve", unknown_count=2)
    assert Answer.from_dict(answer.as_dict()) == answer
    assert answer.omission.startswith("2 videos are left out: nothing tells when, where or by what")
    assert Answer((), (), 0, "curve").omission == ""


def test_an_answer_with_many_rivals_is_unsure() -> None:
    assert Answer((moment(),), (), 0, "curve", 4).is_unsure
    assert not Answer((moment(),), (), 0, "curve", 3).is_unsure
    assert not Answer((), (moment(),), 1, "curve", 4).is_unsure  # a refusal, which says so itself


@pytest.mark.parametrize("rivals", [0, 3, 4, 7])
def test_every_format_says_alike_whether_an_answer_is_unsure(rivals: int) -> None:
    answer = Answer((moment(), moment(confidence=0.7)), (), 0, "curve", rivals)
    service, *rows = answer.as_dict(), *answer.rows()
    assert [(each["rivals"], each["unsure"]) for each in (service, *rows)] == [
        (rivals, rivals >= 4)
    ] * 3
    of_all = ("rivals", "unsure", "unknown_count")
    assert [{k: v for k, v in row.items() if k not in of_all} for row in rows] == [
        each.as_dict() for each in answer
    ]
    said = f"unsure: {rivals} other videos have a moment that is nearly as likely"
    assert answer.doubt == (said if rivals >= 4 else "")


def test_the_format_of_the_command_line() -> None:
    near = [moment(confidence=0.1 * n, copies=()) for n in (5, 4, 3, 2)]
    answer = Answer((), tuple(near), 9, "mllm")
    told = answer.refusal()
    assert list(told) == ["best_rejected", "closest", "filtered_count", "unknown_count"]
    assert told["best_rejected"] == told["closest"][0] and told["filtered_count"] == 9
    assert [each["confidence"] for each in told["closest"]] == [0.5, 0.4, 0.3]
    assert json.dumps(told["best_rejected"]) == (
        '{"path": "/v/a.mp4", "start_seconds": 1.235, "end_seconds": 3.5, "cue_seconds": 1.235, '
        '"score": 2.5, "confidence": 0.5, "profile": "nano", "offline": false, "copies": [], '
        '"found_by": ["picture"], "text": "", '
        '"taken_at": null, "taken_from": null, "latitude": null, "longitude": null, '
        '"place": "", "camera": ""}'
    )
    empty = {"best_rejected": None, "closest": []}
    nothing = Answer((), (), 0, "curve").refusal()
    assert nothing == {**empty, "filtered_count": 0, "unknown_count": 0}


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"path": "relative.mp4"}, "must be absolute"),
        ({"path": "/nul\0.mp4"}, "must be absolute"),
        ({"end_seconds": 1.0}, "must end after it starts"),
        ({"end_seconds": float("inf")}, "must have finite bounds"),
        ({"start_seconds": -0.5}, "must not be negative"),
        ({"start_seconds": "soon"}, "could not convert"),
        ({"confidence": None}, "is not a moment"),
        ({"confidence": 1.5}, r"must be within \[0, 1\]"),
        ({"score": float("nan")}, "must be finite"),
        ({"copies": 3}, "is not a moment"),
        ({"copies": [{"path": "b.mp4", "start_seconds": 0, "end_seconds": 1}]}, "must be absolute"),
        ({"video": []}, "is not a moment"),
        ({"video": 1e999}, "is not a moment"),
    ],
)
def test_what_is_no_moment(wrong: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        moment_from_dict({**moment_as_dict(moment()), **wrong})


@pytest.mark.parametrize(
    "facts",
    [
        *(None, 3, [], {}, {"moments": 3}, {"moments": [None], "near": [], "held_back": 0}),
        {"moments": [], "near": [], "held_back": 1e999, "grounder": "curve"},
    ],
)
def test_what_is_no_answer(facts: Any) -> None:
    with pytest.raises(ValueError, match=r"is missing|is not a moment"):
        Answer.from_dict(facts)


def test_of_what_may_be_left_out() -> None:
    facts = moment_as_dict(moment())
    for name in ("video", "name", "online", "copies"):
        facts.pop(name)
    assert moment_from_dict(facts, "nano") == moment(copies=())
