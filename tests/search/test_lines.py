"""Lines that match: what is quoted is there to the letter, and more words come before fewer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import Films

from tempo_edge.errors import QueryError
from tempo_edge.query import Query
from tempo_edge.search.lines import LineMatch, WantedWords, find_lines
from tempo_edge.words.line import KINDS, Line

Find = Callable[..., list[str]]

SAID = (
    "Good morning, everybody.",
    "Morning is a good time to run.",
    "I'm so sorry about the red dog.",
    "The red dog jumps over the fence.",
    "A dog runs in the red garden, over there.",
    "Le résumé du film",
    "Resume your work!",
    "今日はいい天気ですね。",
    "Good, good. In the evening, not in the morning.",
)


@pytest.fixture
def films(tmp_path: Path) -> Iterator[Films]:
    """Two films; the first says all of it, the second some of it as the name of a chapter."""
    made = Films(tmp_path)
    made.add("a", 1)
    made.add("b", 1)
    one, two = (video for video, _ in made.catalogue.videos())
    lines = [Line(at, at + 1.0, "subtitle", text, "", 1.0, "a.srt") for at, text in enumerate(SAID)]
    made.catalogue.put_lines(one, KINDS, lines)
    made.catalogue.put_lines(two, KINDS, [Line(0.0, 1.0, "chapter", "The red dog")])
    yield made
    made.catalogue.close()


@pytest.fixture
def matches(films: Films) -> Callable[..., list[LineMatch]]:
    def find(text: str, kinds: tuple[str, ...] = KINDS, **scope: object) -> list[LineMatch]:
        with films.catalogue.snapshot():
            return find_lines(films.catalogue, Query(text, **scope), kinds=kinds)  # type: ignore[arg-type]

    return find


@pytest.fixture
def found(matches: Callable[..., list[LineMatch]]) -> Find:
    return lambda text, **rest: [each.line.text for each in matches(text, **rest)]


def test_its_very_words_come_first_then_all_of_them(found: Find) -> None:
    given = found("good morning")
    assert given[0] == SAID[0] and set(given) == {SAID[0], SAID[1], SAID[8]}


def test_then_most_of_them(matches: Callable[..., list[LineMatch]]) -> None:
    given = matches("the red dog jumps")
    assert given[0].line.text == SAID[3] and given[0].is_in_a_row and given[0].share == 1
    assert {each.line.text: each.share for each in given[1:]} == {
        SAID[2]: 0.75,
        "The red dog": 0.75,
        SAID[4]: 0.75,
    }
    assert not any(each.is_in_a_row for each in given[1:])


def test_what_is_quoted_is_there_in_a_row(found: Find) -> None:
    assert (
        found('"good morning"') == found("“good morning”") == found("«GOOD  morning»") == [SAID[0]]
    )
    assert found('"so sorry" dog') == [SAID[2]]
    assert found('"red dog" "over the"') == [SAID[3]]
    assert found('"dog red"') == found('"orry"') == []


def test_what_is_quoted_has_its_accents(found: Find) -> None:
    assert set(found("resume")) == set(found("RÉSUMÉ")) == {SAID[5], SAID[6]}
    assert found('"résumé"') == found('"Résume\u0301"') == [SAID[5]]
    assert found('"resume"') == [SAID[6]]


def test_a_quote_that_is_not_closed_is_words(found: Find) -> None:
    assert found('"the fence') == [SAID[3]]
    assert found("?!") == found('"…"') == []
    for nothing in ('""', '" "'):
        with pytest.raises(QueryError, match="has nothing in its quotes"):
            found(nothing)


def test_a_script_without_spaces(found: Find) -> None:
    assert found("いい天気") == found('"天気"') == found("天気。") == [SAID[7]]
    assert found("天空") == []


def test_the_same_words_of_two_places_are_one_line(films: Films, found: Find) -> None:
    one = films.catalogue.videos()[0][0]
    films.catalogue.note_words("/a", "1")
    again = [Line(at, at + 1, "subtitle", SAID[2], "", 1.0, "stream 1") for at in (2.5, 7.0)]
    films.catalogue.put_lines(one, KINDS, again, "/a")
    assert found("so sorry") == [SAID[2]] * 2, "at another time they are another line"
    assert found("so sorry", limit=1) == [SAID[2]]


def test_only_where_and_what_was_asked_for(
    matches: Callable[..., list[LineMatch]], found: Find
) -> None:
    assert found("red dog", kinds=("chapter",)) == ["The red dog"]
    assert "The red dog" not in found("red dog", within=(Path("/a"),))
    assert len(found("red dog", limit=1)) == 1
    (match,) = matches("fence")
    assert (match.path, match.offline) == (Path("/a"), True), "it is made up"
    with pytest.raises(QueryError, match="kind 'sung' must be one of subtitle,"):
        found("dog", kinds=("sung",))
    with pytest.raises(QueryError, match="holds no footage at or under /c"):
        found("dog", within=(Path("/c"),))


@pytest.mark.parametrize(
    ("text", "quoted", "words"),
    [
        ("a red dog", (), ("a", "red", "dog")),
        ('say "so sorry" to me', ("so sorry",), ("say", "to", "me")),
        ("dog dog", (), ("dog",)),
        ('"a" "a"', ("a",), ()),
        ("I'm", (), ("I", "m")),
        ("„Guten Tag“ «non» 「天気」", ("Guten Tag", "non", "天気"), ()),
        ("いい天気? yes", (), ("いい天気", "yes")),
    ],
)
def test_what_is_asked_for(text: str, quoted: tuple[str, ...], words: tuple[str, ...]) -> None:
    wanted = WantedWords.of(text)
    assert (wanted.quoted, wanted.words) == (quoted, words)


@given(st.text())
def test_whatever_is_typed(text: str) -> None:
    wanted = WantedWords.of(text)
    assert 0 <= wanted.least <= len(wanted.phrases)
    assert bool(wanted.phrases) == bool(wanted.least)
    assert len(wanted.words) <= 16
