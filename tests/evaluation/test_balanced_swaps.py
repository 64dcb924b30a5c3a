"""Swaps that read like what they replace, and regression on hashed words."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tempo_edge.evaluation.balanced_swaps import BalancedSwaps
from tempo_edge.evaluation.hashed_softmax import HashedSoftmax, columns_of
from tempo_edge.evaluation.minimal_pairs import alike
from tempo_edge.search.counterfactuals import often_both_true, spots_of

# Dogs run and swim where cats sit: a cat that swims sounds odd.
CAPTIONS = [
    *["a dog runs on the grass"] * 120,
    *["a dog swims in the lake"] * 60,
    *["a dog sits on a sofa"] * 20,
    *["a cat sits on a sofa"] * 80,
    *["a cat runs on the grass"] * 10,
    *["a tall house"] * 10,
]
SWAPS = BalancedSwaps.fit(CAPTIONS)


def _pairs(draws: int) -> Counter[tuple[str, str]]:
    rng = np.random.default_rng(0)
    drawn = [(said, SWAPS.draw(said, rng)) for said in CAPTIONS * draws]
    return Counter((said, new.sentence) for said, new in drawn if new is not None)


def test_a_sentence_is_made_of_another_as_often_as_that_one_of_it() -> None:
    pairs = _pairs(12)
    runs, sits = ("a dog runs on the grass", "a cat runs on the grass"), "a cat sits on a sofa"
    for one, other in (runs, ("a dog sits on a sofa", sits)):
        there, back = pairs[one, other], pairs[other, one]
        # Learned from few captions: not exactly as often, but far from 120 to 10 and 20 to 80.
        assert there + back > 60 and 0.5 < there / back < 2.0
    made, true = Counter[str](), Counter(CAPTIONS)
    for (_, new), number in pairs.items():
        made[new] += number
    # What nobody says is seldom made.
    assert sum(made[new] for new in made.keys() - true.keys()) < 0.25 * made.total()


def test_words_that_are_often_both_true_are_never_swapped() -> None:
    swaps = BalancedSwaps.fit(
        ["a man sings", "a boy sings", "a woman sings", "a girl sings", "a baby sings"] * 20
    )
    rng = np.random.default_rng(1)
    drawn = {
        (new.old, new.new)
        for said in ("a man sings", "a girl sings", "a baby sings") * 200
        for new in [swaps.draw(said, rng)]
        if new is not None
    }
    assert drawn == {
        *itertools.product(["man"], ["woman", "girl", "baby"]),
        *itertools.product(["girl"], ["man", "boy"]),
        *itertools.product(["baby"], ["man", "woman"]),
    }
    assert often_both_true("boy", "man") and often_both_true("carrying", "holding")
    assert not often_both_true("man", "woman")


def test_words_that_no_caption_has_are_left_alone() -> None:
    rng = np.random.default_rng(2)
    for sentence in ("a horse runs", "two kites", "a tall house"):
        drawn = [SWAPS.draw(sentence, rng) for _ in range(100)]
        assert {new.new for new in drawn if new is not None} <= {"sits", "swims"}
    nothing = BalancedSwaps.fit(["a tall house"])
    assert not nothing and nothing.draw("a dog runs", rng) is None
    assert SWAPS


@settings(max_examples=8)
@given(st.lists(st.sampled_from(CAPTIONS), min_size=1, max_size=20), st.integers(0, 99))
def test_chances_of_a_line_are_shares_and_draws_repeat(said: list[str], seed: int) -> None:
    swaps = BalancedSwaps.fit(said, seed)
    for sentence in said:
        for spot in alike(*spots_of(sentence, ("animal", "verb"))):
            shares = swaps.shares(sentence, spot)
            assert shares.sum() == pytest.approx(1.0)
            never = [w not in " ".join(said).split() for w in spot.line]
            assert not shares[never].any() and shares[spot.line.index(spot.word)] > 0
        one, two = (swaps.draw(sentence, np.random.default_rng(seed)) for _ in range(2))
        assert one == two


@given(st.sets(st.text(min_size=1, max_size=5), max_size=80))
def test_features_become_columns_in_no_order(features: set[str]) -> None:
    columns = columns_of(features)
    assert (columns == columns_of(sorted(features, reverse=True))).all()
    assert len(columns) == len(columns_of([])) and not columns_of([]).any()
    assert np.count_nonzero(columns) == min(len(features), len(columns))


def test_a_softmax_learns_what_words_tell() -> None:
    texts = [(("red", f"word{i}"), 0) for i in range(60)] + [
        (("blue", f"word{i}"), 2) for i in range(20)
    ]
    columns = np.stack([columns_of(words) for words, _ in texts])
    classes = np.array([number for _, number in texts])
    softmax = HashedSoftmax.fit(columns, classes, 3, np.random.default_rng(0))
    shares = softmax.shares(np.stack([columns_of(["red"]), columns_of(["blue"]), columns_of([])]))
    assert shares.sum(axis=1) == pytest.approx(1.0)
    assert (shares[:, 1] == 0).all()  # was never seen
    assert shares[0, 0] > 0.8 and shares[1, 2] > 0.4
    assert shares[2, 0] == pytest.approx(0.75)  # as frequent as it was
