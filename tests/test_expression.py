"""An expression: what of a text is an operator, and where a wrong one is said to be wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge.errors import ExpressionError, QueryError
from tempo_edge.expression import MOST_TERMS, Expression, Scene
from tempo_edge.query import Query

OPERATORS = ("AND", "NOT", "THEN")


def scenes(text: str, **choices: Any) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    found = Query(text, **choices).expression.scenes
    return [(scene.wanted, scene.unwanted) for scene in found]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a dog", [(("a dog",), ())]),
        ("dog AND beach NOT people", [(("dog", "beach"), ("people",))]),
        ("dog AND NOT people", [(("dog",), ("people",))]),
        (
            "opens the door THEN sits down NOT a hat",
            [(("opens the door",), ()), (("sits down",), ("a hat",))],
        ),
        ("gets up AND THEN leaves", [(("gets up",), ()), (("leaves",), ())]),
        ("  dog\tAND\n beach ", [(("dog", "beach"), ())]),
        ("犬 AND 海", [(("犬", "海"), ())]),
        # What only looks like an operator.
        ("black and white", [(("black and white",), ())]),
        ("ANDy NOTes MATHEN", [(("ANDy NOTes MATHEN",), ())]),
        ("rock-AND-roll", [(("rock-AND-roll",), ())]),
        ('"so AND so" AND dog', [(('"so AND so"', "dog"), ())]),
        ("«a NOT b» dog", [(("«a NOT b» dog",), ())]),
        ("「A AND b」", [(("「A AND b」",), ())]),
        # All in capitals: a headline, or a locked key.
        ("DO NOT ENTER", [(("DO NOT ENTER",), ())]),
        ("BLACK AND WHITE", [(("BLACK AND WHITE",), ())]),
        ('"EXIT" AND "DOOR"', [(('"EXIT"', '"DOOR"'), ())]),
        # An open quote quotes nothing, as ever.
        ('5" AND dog', [(('5"', "dog"), ())]),
        ("(dog) or cat", [(("(dog) or cat",), ())]),
        ("BLACK OR WHITE", [(("BLACK OR WHITE",), ())]),
        ('"so OR so"', [(('"so OR so"',), ())]),
        ("a (big) dog AND a smile :)", [(("a (big) dog", "a smile :)"), ())]),
        ('"(so" AND dog', [(('"(so"', "dog"), ())]),
    ],
)
def test_what_a_text_means(text: str, meant: list[Any]) -> None:
    assert scenes(text) == meant


@pytest.mark.parametrize(
    ("text", "column", "complaint"),
    [
        ("AND dog", 1, "AND at column 1 has nothing before it: say first what is to be there"),
        ("NOT people", 1, "NOT at column 1 has nothing before it: say first"),
        ("dog AND", 5, "AND at column 5 has nothing behind it: say what else is to be there"),
        ("dog NOT  ", 5, "NOT at column 5 has nothing behind it: say what is not to be there"),
        ("dog THEN", 5, "THEN at column 5 has nothing behind it: say what comes next"),
        ("dog AND AND cat", 9, "AND at column 9 follows AND: say what else is to be there"),
        ("dog NOT AND cat", 9, "AND at column 9 follows NOT: say what is not to be there"),
        ("dog THEN NOT cat", 10, "NOT at column 10 follows THEN: say first what is to be there"),
        ("dog AND NOT", 9, "NOT at column 9 has nothing behind it"),
        ("dog OR cat", 5, "OR at column 5 is not known: search for one, then for the other"),
        ("dog AND cat OR", 13, "OR at column 13 is not known: "),
    ],
)
def test_where_a_text_is_wrong(text: str, column: int, complaint: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        Query(text)
    assert refused.value.column == column
    assert str(refused.value).startswith(f"query {text!r}: {complaint}")
    assert str(refused.value).endswith("; as a mere word: in small letters, or with plain")
    assert refused.value.named({"plain": "--plain"}).endswith("or with --plain")
    assert Query(text, plain=True).expression.is_single


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("(dog AND cat)", 1),
        ("bird AND (dog NOT cat)", 10),
        ("(a dog AND cat", 1),
        ("dog AND cat)", 12),
        ("((dog) AND cat)", 1),
        ("(dog OR cat) AND bird", 1),
    ],
)
def test_parentheses_around_operators_are_refused(text: str, column: int) -> None:
    with pytest.raises(ExpressionError, match="groups terms, which is not known") as refused:
        Query(text)
    assert refused.value.column == column and text[column - 1] in "()"
    assert Query(text, plain=True).expression.is_single
    assert Query(text.lower()).expression.is_single


def test_of_a_long_text_an_error_shows_what_is_around_its_fault() -> None:
    text = "a " * 400 + "dog OR cat" + " b" * 400
    with pytest.raises(ExpressionError) as refused:
        Query(text)
    assert "dog OR cat" in str(refused.value) and len(str(refused.value)) < 250
    assert refused.value.column == 805
    with pytest.raises(QueryError, match="query has 50 terms: at most 8 are allowed"):
        Query(" AND ".join(f"thing {number}" for number in range(50)))


@pytest.mark.parametrize(
    ("choices", "complaint"),
    [
        ({"near_seconds": 30.0}, "near_seconds is for things that are near each other: name "),
        ({"text": "a THEN b", "near_seconds": 30.0}, "near_seconds is for "),
        ({"text": "a NOT b", "near_seconds": 30.0}, "near_seconds is for "),
        ({"then_seconds": 60.0}, "then_seconds is for what comes next: say it by THEN or then"),
        ({"said": True, "grounder": "mllm"}, "grounder is for pictures, which said leaves out"),
        ({"shown": True, "refine": True}, "refine is for pictures, which shown leaves out"),
        ({"said": True, "shown": True, "parts": True}, "parts is for pictures, which said leaves"),
    ],
)
def test_what_changes_nothing_is_refused_where_it_was_typed(
    choices: dict[str, Any], complaint: str
) -> None:
    query = Query(**{"text": "a dog", **choices})
    with pytest.raises(QueryError) as refused:
        query.check_use(choices.keys())
    assert str(refused.value).startswith(complaint)
    query.check_use([])  # a setting that stays from one query to the next
    assert query.of_term("a")


@pytest.mark.parametrize(
    ("choices", "complaint"),
    [
        ({"text": "dog NOT dog"}, "query wants 'dog' there and not there: leave one out"),
        ({"also": ("b",), "without": ("b",)}, "query wants 'b' there and not there"),
        ({"text": '""'}, "query '\"\"' has nothing in its quotes: say what stands there"),
        ({"text": "a AND «  »"}, "query '«  »' has nothing in its quotes"),
    ],
)
def test_what_nothing_can_be_is_refused(choices: dict[str, Any], complaint: str) -> None:
    whole = {"text": "a dog", **choices}
    with pytest.raises(QueryError) as refused:
        Query(**whole)
    assert str(refused.value).startswith(complaint)
    assert Query(**whole, retrieval=True), "who still types is not told off"


def test_what_is_of_use_is_taken() -> None:
    Query("a AND b", near_seconds=5.0).check_use(["near_seconds"])
    Query("a THEN b", then_seconds=5.0).check_use(["then_seconds"])
    Query("a", also=("b",), near_seconds=5.0).check_use(["near_seconds"])
    how = {"said": True, "seen": True, "grounder": "curve", "refine": True, "parts": True}
    Query("a", **how).check_use(how.keys())  # type: ignore[arg-type]
    assert Query('5" AND dog') and Query("dog AND dog")


def test_who_still_types_is_not_told_off() -> None:
    assert scenes("dog AND", retrieval=True) == [(("dog",), ())]
    assert scenes("dog OR", retrieval=True) == [(("dog",), ())]
    assert scenes("(dog AND cat", retrieval=True) == [(("(dog", "cat"), ())]
    assert scenes("dog AND cat THEN", retrieval=True) == [(("dog", "cat"), ())]
    with pytest.raises(ExpressionError):
        Query("AND dog", retrieval=True)


def test_terms_that_are_named_speak_of_every_moment() -> None:
    asked = Query("gets up THEN leaves", also=("a dog",), without=("NOT me",), then=("a bus",))
    every = ("a dog",), ("NOT me",)
    assert asked.expression.scenes == tuple(
        Scene((first, *every[0]), every[1]) for first in ("gets up", "leaves", "a bus")
    )
    assert str(Query("a", also=("b",), then=("c",)).expression) == "a AND b THEN c AND b"
    assert asked.of_term("a AND b").expression.is_single


@pytest.mark.parametrize(
    ("choices", "complaint"),
    [
        ({"also": (" ",)}, "also ' ' is empty: name something, or leave it out"),
        ({"without": ("\udcff",)}, r"without '\\udcff' is not valid UTF-8: say it in Unicode"),
        ({"then": ("",)}, "then '' is empty: name something, or leave it out"),
        ({"near_seconds": -1.0}, "near_seconds -1.0 must be finite and not negative"),
        ({"then_seconds": float("nan")}, "then_seconds nan must be finite and not negative"),
        ({"also": tuple("abcdefgh")}, "query has 9 terms: at most 8 are allowed"),
        ({"also": ("b",), "refine": True}, "refine knows one term"),
    ],
)
def test_what_is_no_expression(choices: dict[str, Any], complaint: str) -> None:
    with pytest.raises(QueryError, match=complaint):
        Query("a dog", **choices)
    assert MOST_TERMS == 8


@pytest.mark.parametrize(
    ("text", "at", "rest"),
    [
        ("dog AND beach NOT people", 1, "dog NOT people"),
        ("dog  AND NOT people", 1, "dog"),
        ("dog AND beach NOT people", 0, "beach NOT people"),
        ("dog NOT people AND beach", 0, "beach NOT people"),
        ("opens THEN sits NOT a hat AND laughs", 1, "opens THEN laughs NOT a hat"),
        ("opens THEN sits NOT a hat", 0, "sits NOT a hat"),
        ("opens AND waits THEN sits", 0, "waits THEN sits"),
        ('dog AND "so AND so"', 0, '"so AND so"'),
        # What is not to be there is not looked for alone.
        ("opens THEN sits NOT a hat", 1, "opens"),
        ("dog NOT people", 0, ""),
        # In capitals alone nothing would be an operator.
        ("dog AND EXIT NOT DOOR", 0, "exit NOT door"),
    ],
)
def test_the_rest_is_a_text_that_asks_for_it(text: str, at: int, rest: str) -> None:
    assert Expression.of(text).rest(at) == rest


def test_what_no_text_says_is_not_made_up() -> None:
    taken = Expression.of("a dog").joined(('5" pipe', '6" pipe', "so AND so"), (), ())
    assert taken.rest(3) is None, "one quotes the other"
    assert taken.rest(2) == 'a dog AND 5" pipe AND so and so'


_words = st.text("abcß犬 \"“”«»'", min_size=1, max_size=12).map(str.strip).filter(bool)


@given(st.lists(st.tuples(st.sampled_from(OPERATORS), _words), max_size=6), _words)
def test_what_is_written_is_read(others: list[tuple[str, str]], first: str) -> None:
    text = " ".join([first, *(f"{role} {words}" for role, words in others)])
    read = Expression.of(text)
    assert str(read) == text and Expression.of(str(read)) == read
    if '"' not in text and not set("“”«»") & set(text):
        assert [(t.role.upper(), t.text) for t in read.terms[1:]] == others
    for at, term in enumerate(read.terms):
        rest = read.rest(at)
        if rest:
            left = [t.text.lower() for i, t in enumerate(read.terms) if i != at]
            kept = [t.text.lower() for t in Expression.of(rest).terms]
            assert set(kept) <= set(left) and (term.role != "not" or sorted(kept) == sorted(left))


@given(
    st.lists(st.sampled_from([*OPERATORS, "dog", "Bea", "\n", '"', "”", "「", "x AND"]), max_size=9)
    .map(" ".join)
    .filter(str.strip)
    | st.text(min_size=1).filter(str.strip)
)
def test_whatever_is_written_is_read_or_refused_at_a_place_within_it(text: str) -> None:
    try:
        read = Expression.of(text)
    except ExpressionError as error:
        assert text[error.column - 1 :].startswith((*OPERATORS, "OR", "(", ")"))
        assert len(str(error).splitlines()) == 1
    else:
        assert read.terms[0].role == "find" and all(term.text.strip() for term in read.terms)
        assert all(scene.wanted for scene in read.scenes)
    assert Expression.of(text, plain=True).terms[0].text == text
