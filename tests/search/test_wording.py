"""What a query seeks: the words that only ask for it are not read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge.models.generic_sentences import generic_sentences
from tempo_edge.search.wording import sought


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ("where does the dog jump?", "the dog jump"),
        ("Where is my red bicycle", "my red bicycle"),
        ("where’s the cat?", "the cat"),
        ("When did Anna blow out the candles ?", "Anna blow out the candles"),
        ("is there snow on a roof?", "snow on a roof"),
        ("Do I have videos of a beach?", "a beach"),
        ("show me a boat", "a boat"),
        ("Can you show me the moment where the dog barks?", "the dog barks"),
        ("Please find all clips with a train", "a train"),
        ("find a dog", "a dog"),
        ("find the scene in which it rains", "it rains"),
        ("could you please look for a wedding", "a wedding"),
        ("a beach?", "a beach"),
    ],
)
def test_a_question_is_stripped_to_what_it_seeks(query: str, what: str) -> None:
    assert sought(query) == what


@pytest.mark.parametrize(
    "query",
    [
        *("beach", "show jumping", "show me", "video games", "a video of a dog", "search dog"),
        *("a picture on a wall", "a man looks for his keys", "where", "find", "giving a speech"),
        *("?", " ? ", "who rides a horse", "wo springt der Hund", "犬はどこ", "is there"),
    ],
)
def test_what_does_not_ask_stays(query: str) -> None:
    assert sought(query) == query


def test_no_generic_sentence_is_changed() -> None:
    assert [sought(sentence) for sentence in generic_sentences()] == list(generic_sentences())


@given(st.text(min_size=1).filter(str.strip))
def test_something_is_always_sought(query: str) -> None:
    assert sought(query).strip() and sought(query).strip() in query
