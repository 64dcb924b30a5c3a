"""Questions about made-up windows: absent ones are absent, and no kind has a wording of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

pytest.importorskip("torch")

from tempo_edge.evaluation.balanced_swaps import BalancedSwaps
from tempo_edge.evaluation.minimal_pairs import alike
from tempo_edge.search.counterfactuals import KINDS, spots_of
from tempo_edge.train.data.short_queries import content_words
from tempo_edge.train.grounder.examples import Kind
from tempo_edge.train.grounder.synthetic import feature_bank
from tempo_edge.train.grounder.synthetic.feature_bank import FeatureBank
from tempo_edge.train.grounder.synthetic.mix import Mix
from tempo_edge.train.grounder.synthetic.questions import Question, draw_kind, draw_question

COLOURS = ("red", "blue", "green", "black")
PLACES = ("grass", "snow", "sand", "street")
SWAPS = BalancedSwaps.fit([f"a {c} ball on the {p}" for c in COLOURS for p in PLACES] * 8)


def _bank(captions: Sequence[tuple[str, ...]]) -> FeatureBank:
    return feature_bank.of_captions(captions, SWAPS)


def _asked(
    bank: FeatureBank, kind: Kind, target: int, shown: set[int], draws: int = 400
) -> set[Question]:
    rng = np.random.default_rng(0)
    drawn = [draw_question(bank, kind, target, frozenset(shown), rng) for _ in range(draws)]
    return {question for question in drawn if question is not None}


def test_a_swap_is_not_what_another_caption_of_the_picture_says() -> None:
    bank = _bank([("a red ball on the grass", "a red and blue ball"), ("a tall house",)])
    said = {question.query for question in _asked(bank, "swap", 0, {0})}
    assert "a black ball on the grass" in said and "a red ball on the snow" in said
    assert not any("blue" in query and "grass" in query for query in said)
    # What could be changed into nothing that is absent is no sentence to ask as it stands, either.
    colourful = _bank([("a red ball", "something blue, green and black"), ("a tall house",)])
    assert not _asked(colourful, "present", 0, {0}) and not _asked(colourful, "swap", 0, {0})


def test_an_absent_sentence_is_true_of_no_shot_of_the_window() -> None:
    captions = [
        ("a red ball on the grass",),
        ("a blue ball is lying there", "somebody left something on the grass"),
        ("a tall house",),
        ("a green ball on a roof",),
    ]
    bank = _bank(captions)
    alone = {question.query for question in _asked(bank, "swap", 0, {0})}
    assert {"a blue ball on the grass", "a green ball on the grass"} <= alone
    # All its words are said of another shot, if by several captions.
    beside = {question.query for question in _asked(bank, "swap", 0, {0, 1, 2})}
    assert "a blue ball on the grass" not in beside and "a black ball on the grass" in beside
    # The new word is said of a shot that looks alike.
    assert 3 in bank.near[0]
    alike_shown = {question.query for question in _asked(bank, "swap", 0, {0, 3})}
    assert "a green ball on the grass" not in alike_shown
    for kind in ("easy", "lookalike"):
        found = _asked(bank, kind, 0, {0})
        assert all(question.picture not in {0} for question in found)


def test_what_looks_alike_may_not_be_said_of_a_shot_in_other_words() -> None:
    captions = [
        ("a red ball on the green grass", "the ball is red"),
        ("the red ball on grass",),  # is true of the first
        ("a black ball on the street",),
    ]
    bank = _bank(captions)
    found = _asked(bank, "lookalike", 0, {0})
    assert {question.picture for question in found} == {2}
    assert _asked(bank, "present", 1, {1}) == {Question("the red ball on grass", "present", 1)}


def test_every_kind_asks_sentences_that_could_be_swapped() -> None:
    plain = ("somebody smokes",)
    captions = [(f"a {c} ball on the {p}", *plain) for c in COLOURS for p in PLACES]
    bank = _bank(captions)
    for kind in ("present", "swap", "lookalike"):
        queries = {question.query for question in _asked(bank, kind, 0, {0})}
        assert queries and not queries & set(plain)
    # Without anything to swap, all sentences are asked.
    bare = feature_bank.of_captions([("a tall house",), ("a boat",)])
    assert _asked(bare, "present", 1, {1}) == {Question("a boat", "present", 1)}
    assert _asked(bare, "swap", 1, {1}) == set()


def test_no_word_tells_present_from_swapped() -> None:
    """The frequencies of words are those of present sentences, also of a word that is rare."""
    weights = {"red": 6, "blue": 3, "green": 2, "black": 1}
    captions = [
        (f"a {c} ball on the {p}",) for c, n in weights.items() for p in PLACES for _ in range(n)
    ]
    bank = feature_bank.of_captions(captions)
    rng = np.random.default_rng(3)
    counts: dict[str, Counter[str]] = {"present": Counter(), "swap": Counter()}
    for kind, found in counts.items():
        while found.total() < 3000:
            target = int(rng.integers(len(bank)))
            question = draw_question(bank, kind, target, frozenset({target}), rng)  # type: ignore[arg-type]
            if question is not None:
                found[question.query.split()[1]] += 1
    for colour in COLOURS:
        there, changed = (counts[kind][colour] / 3000 for kind in counts)
        assert there == pytest.approx(changed, rel=0.25), colour


def test_kinds_are_as_frequent_as_the_mix_says() -> None:
    rng = np.random.default_rng(4)
    mix = Mix(absent=0.5, hard=0.8, swaps=0.25)
    found = Counter(draw_kind(mix, rng) for _ in range(4000))
    wanted = {"present": 0.5, "easy": 0.1, "swap": 0.1, "lookalike": 0.3}
    assert {kind: found[kind] / 4000 for kind in found} == pytest.approx(wanted, abs=0.03)


def test_every_word_that_can_be_swapped_says_what_is_seen() -> None:
    """What a check against captions would not see could be true of them."""
    for caption in ("two men", "a black dog runs in the snow", "outdoors", "a smiling baby"):
        spots = alike(*spots_of(caption, KINDS))
        assert spots
        for spot in spots:
            assert all(content_words(word) for word in spot.line)
