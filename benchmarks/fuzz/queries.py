"""Queries: what a request asks for, the language of answers, and the words of the tokenizer."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from benchmarks.fuzz.target import Refusal, Target, holds
from tempo_edge import eta
from tempo_edge.errors import QueryError, ServiceError
from tempo_edge.models.registry import load_profile
from tempo_edge.models.tokenizer import read_tokenizer
from tempo_edge.models.towers import TextTower
from tempo_edge.search.grounders.grammar import Grammar
from tempo_edge.search.grounders.token_constraint import TokenConstraint
from tempo_edge.service.http.find_request import FindRequest
from tempo_edge.service.http.parameters import Parameters

__all__ = ["TARGET"]

_NAMES = [
    *("q", "limit", "min_confidence", "within", "grounder", "retrieval", "client", "after"),
    *("before", "min_seconds", "max_seconds", "offline"),
]

_values = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            *("0", "1", "-1", "101", "1e400", "nan", "inf", "-0", "0x10", "1_0", " 1", "٣", "1.5"),
            *("2024-02-30", "2024-12-31", "0000-01-01", "9999-12-31", "20241231", "2024-1-1"),
            *("/", "~", "~/x", "~root", "/a\0b", "/\ud800", "a/b", "/../..", "curve", "mllm"),
            *("a dog", " ", "\n", "\u3000", "x" * 1001, "/" + "x" * 5000, "\x1b[2J"),
        ]
    ),
    st.from_regex(r"\A-?[0-9]{1,25}(\.[0-9]{1,5})?(e[0-9]{1,3})?\Z"),
)

_times = st.lists(st.integers(-1, 1001), max_size=8)

_cases = st.fixed_dictionaries(
    {
        "given": st.dictionaries(
            st.sampled_from(_NAMES), st.lists(_values, min_size=1, max_size=3), max_size=5
        ),
        "words": st.one_of(
            st.text(max_size=200), st.text("ab \u0301\u200d\U0001f469#[]<>", max_size=400)
        ),
        "starts": _times,
        "ends": _times,
        "limit": st.integers(0, 5),
        "choices": st.lists(st.integers(0, 10**6), min_size=60, max_size=60),
        "answer": st.one_of(
            st.text("0123456789.-;none", max_size=24),
            st.from_regex(r"\A([0-9]{1,2}\.[0-9]-[0-9]{1,3}\.[0-9];?){0,3}\Z"),
        ),
    }
)


def _check(case: dict[str, Any], folder: Path) -> None:
    _check_parameters(case["given"])
    _check_words(case["words"])
    _check_grammar(case)
    _check_answer(case["answer"])


def _check_parameters(given: dict[str, list[str]]) -> None:
    with Refusal(ServiceError) as refusal:
        query = FindRequest.of(Parameters(given)).query
    if refusal.error is not None:
        assert isinstance(refusal.error, ServiceError)
        holds(refusal.error.status == 400, f"is refused with {refusal.error.status}")
        return
    holds(0 < len(query.text.strip()) <= len(query.text) <= 1000, "asks for nothing, or too much")
    holds([query.text] == given["q"], "asks for something else")
    holds(1 <= query.limit <= 100, f"limit {query.limit}")
    confidence, bounds = query.min_confidence, (query.min_seconds, query.max_seconds)
    holds(confidence is None or 0 <= confidence <= 1, f"min_confidence {confidence}")
    holds(all(each is None or 0 <= each <= 1e8 for each in bounds), f"lengths {bounds}")
    for path in query.within or ():
        holds(path.is_absolute() and len(str(path).encode()) <= 4095, f"within {path!a}")
    for name, day in (("after", query.after), ("before", query.before)):
        holds(day is None or [day.isoformat()] == given[name], f"{name} {day}")


class _Model:
    """A text model that looks at what it is given, and answers nothing."""

    def run(self, outputs: list[str], inputs: dict[str, Any]) -> list[Any]:
        ids, mask = inputs["input_ids"], inputs["attention_mask"]
        holds(ids.shape == mask.shape and ids.shape[0] == 1, f"tokens {ids.shape}")
        holds(0 < ids.shape[1] <= _tokenizer().truncation["max_length"], f"{ids.shape[1]} tokens")
        holds(bool((ids >= 0).all() and (ids < _tokenizer().get_vocab_size()).all()), "ids")
        return [np.zeros((1, 4), np.float32) for _ in outputs]


@cache
def _tokenizer() -> Any:
    return read_tokenizer(load_profile("nano").checked("tokenizer.json"))


def _check_words(words: str) -> None:
    with Refusal(QueryError) as refusal:
        TextTower(_Model(), _tokenizer()).encode([words])
    holds((refusal.error is None) == bool(words.strip()), f"{words!a} is refused")


def _check_grammar(case: dict[str, Any]) -> None:
    starts, ends, limit = case["starts"], case["ends"], case["limit"]
    with Refusal(ValueError) as refusal:
        grammar = Grammar(starts, ends, limit)
    good = all(0 <= time < 1000 for time in (*starts, *ends)) and limit > 0
    holds((refusal.error is None) == good, "is refused" if good else "is not refused")
    if not good:
        return
    spelling, said = TokenConstraint(grammar), list[str]()
    for choice in case["choices"]:
        options = grammar.options()
        holds(bool(options), f"{''.join(said)} can't go on")
        holds(
            int(grammar.token_mask().sum()) == len(set(options)), "options are not what is allowed"
        )
        word = options[choice % len(options)]
        grammar.take(eta.TOKEN[word])
        if word == "[end]":
            break
        holds(spelling.fits(word), f"{word} can't be spelled after {''.join(said)}")
        spelling.take(word)
        said.append(word)
    else:
        raise AssertionError(f"{''.join(said)} never ends")
    holds(spelling.whole, f"{''.join(said)} is no whole answer by its letters")
    spans = eta.read("".join(said))
    holds(len(spans) <= limit, f"{len(spans)} spans, {limit} are allowed")
    holds("".join(said) == eta.say(spans), f"{''.join(said)} is said otherwise")
    for span in spans:
        holds(round(10 * span.start_seconds) in starts, f"{span} starts where none may")
        holds(round(10 * span.end_seconds) in ends, f"{span} ends where none may")


def _check_answer(answer: str) -> None:
    with Refusal(ValueError):
        spans = eta.read(answer)
        holds(all(a.end_seconds <= b.start_seconds for a, b in pairwise(spans)), "out of order")
        holds(
            all(math.isfinite(s.start_seconds) and s.duration_seconds > 0 for s in spans), "empty"
        )
        holds(eta.say(spans) == answer, f"{answer} is said again as {eta.say(spans)}")
    with Refusal(ValueError):
        holds(eta.text(eta.spell(answer)) == answer, f"{answer} is spelled otherwise")


TARGET = Target(
    "queries",
    (
        *(
            "tempo_edge.query",
            "tempo_edge.service.http.find_request",
            "tempo_edge.service.http.parameters",
        ),
        "tempo_edge.service.http.paths",
        *(
            "tempo_edge.search.grounders.grammar",
            "tempo_edge.search.grounders.token_constraint",
            "tempo_edge.eta",
        ),
    ),
    _cases,
    _check,
)
