"""Counterfactuals: what a sentence would say with one word changed."""

from __future__ import annotations

from itertools import zip_longest

from hypothesis import given
from hypothesis import strategies as st

from tempo_edge.search.counterfactuals import (
    KINDS,
    MOST,
    counterfactuals,
    often_both_true,
    spots_of,
)

_WORDS = ("a", "black", "dog", "Two", "men", "ride", "in", "the", "snow", "a", "red", "car", "it")


def test_one_word_is_changed_for_another_of_its_kind() -> None:
    found = counterfactuals("Two brown dogs")
    # Each word in turn, so that none takes the place of the others.
    assert found[:3] == ("One brown dogs", "Two black dogs", "Two brown cats")
    assert len(found) == len(set(found)) == MOST
    assert counterfactuals("cats and dogs") == tuple(
        said
        for both in zip_longest(
            [f"{other} and dogs" for other in ("horses", "birds", "cows")],
            [f"cats and {other}" for other in ("horses", "birds", "cows")],
        )
        for said in both
    )
    assert counterfactuals("a man") == ("a woman", "a girl", "a baby")  # "a boy" may be one as well
    assert counterfactuals("somebody apologises") == counterfactuals("") == ()


@given(st.lists(st.sampled_from(_WORDS), max_size=12).map(" ".join))
def test_a_copy_differs_in_one_word_that_the_sentence_lacks(sentence: str) -> None:
    found = counterfactuals(sentence)
    spots, said = spots_of(sentence, KINDS)
    assert found == counterfactuals(sentence) and len(found) <= MOST
    assert bool(found) == any(
        not often_both_true(spot.word, word)
        for spot in spots
        for word in set(spot.line) - set(said)
    )
    for copy in found:
        pairs = list(zip(sentence.split(), copy.split(), strict=True))
        ((old, new),) = [(old, new) for old, new in pairs if old != new]
        assert new.lower() not in said and new[0].isupper() == old[0].isupper()
