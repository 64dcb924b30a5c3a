"""Letter by letter: what begins an answer of the window fits, and nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge import eta
from tempo_edge.search.grounders.grammar import Grammar
from tempo_edge.search.grounders.token_constraint import ALPHABET, TokenConstraint

TIMES = st.lists(st.integers(0, 130), min_size=1, max_size=4)
LETTERS = sorted(ALPHABET | {" ", "x"})


def _answers(grammar: Grammar) -> set[str]:
    """Every answer of a grammar, by following each of its words."""
    found = set()
    for word in grammar.options():
        if word == "[end]":
            found.add("")
            continue
        after = grammar.fork()
        after.take(eta.TOKEN[word])
        found |= {word + rest for rest in _answers(after)}
    return found


@given(TIMES, TIMES, st.integers(1, 2), st.sampled_from(["", " "]), st.data())
def test_what_fits_is_what_answers_begin_with(
    starts: list[int], ends: list[int], limit: int, lead: str, data: st.DataObject
) -> None:
    answers = {lead + answer for answer in _answers(Grammar(starts, ends, limit))}
    spelling, said = TokenConstraint(Grammar(starts, ends, limit), lead), ""
    while True:
        begins = [answer[len(said) :] for answer in answers if answer.startswith(said)]
        assert spelling.whole == (said in answers)
        for text in (*LETTERS, "no", "none", " none", "12", ".4-", "1;"):
            assert spelling.fits(text) == any(rest.startswith(text) for rest in begins)
        if not spelling.whole and said:
            ways = {(said + rest).startswith(lead + "n") for rest in begins}
            assert spelling.refusing == (None if said == lead else ways == {True})
        longer = sorted(rest for rest in begins if rest)
        if not longer:
            return
        rest = data.draw(st.sampled_from(longer))
        text = rest[: data.draw(st.integers(1, len(rest)))]
        spelling.take(text)
        said += text


@given(TIMES, TIMES)
def test_without_refusal_none_is_said_only_where_nothing_else_can_be(
    starts: list[int], ends: list[int]
) -> None:
    answers = _answers(Grammar(starts, ends)) - {eta.NONE}
    spelling = TokenConstraint(Grammar(starts, ends), refuse=False)
    assert spelling.fits("n") == (not answers)
    assert all(spelling.fits(answer) for answer in answers)


def test_what_is_no_answer_is_not_taken_and_a_fork_goes_its_own_way() -> None:
    spelling = TokenConstraint(Grammar([5, 15], [15, 25]))
    with pytest.raises(ValueError, match=r"text '9\.' begins no answer here"):
        spelling.take("9.")
    other = spelling.fork("0.5-1.")
    assert other.fits("5") and not other.fits("6")
    assert spelling.fits("none") and not spelling.whole
    assert not spelling.fits("")
