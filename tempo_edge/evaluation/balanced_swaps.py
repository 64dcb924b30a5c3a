"""Swaps that whoever sees nothing can't tell from true sentences.

A word that is changed at random often sounds odd: "a dog drives". So how likely each word of a
line is where one of them stands is learned from captions, by the words around it, and the new word
is drawn by that. Where the chances are right, any sentence is then made of another as often as that
one of it, and sentences that were changed read like sentences that can be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tempo_edge.evaluation.hashed_softmax import HashedSoftmax, columns_of
from tempo_edge.evaluation.minimal_pairs import Swap, alike, balanced
from tempo_edge.search.counterfactuals import (
    KINDS,
    Spot,
    often_both_true,
    spots_of,
    words_of,
)

__all__ = ["BalancedSwaps"]


_NEAR = 4  # words before and after that count by their side


@dataclass(frozen=True)
class BalancedSwaps:
    """Draws swaps that sound as likely as what they replace, as some captions have it."""

    _choices: Mapping[Sequence[str], HashedSoftmax]

    @staticmethod
    def fit(captions: Iterable[str], seed: int = 0) -> BalancedSwaps:
        """Learn which words stand where from captions, such as those that are asked about."""
        around: dict[Sequence[str], list[NDArray[np.int64]]] = defaultdict(list)
        words: dict[Sequence[str], list[int]] = defaultdict(list)
        for caption in captions:
            for spot in alike(*spots_of(caption, KINDS)):
                around[spot.line].append(_around(caption, spot))
                words[spot.line].append(spot.line.index(spot.word))
        rng = np.random.default_rng(seed)
        return BalancedSwaps(
            {
                line: HashedSoftmax.fit(np.stack(around[line]), np.array(said), len(line), rng)
                for line, said in words.items()
            }
        )

    def __bool__(self) -> bool:
        """Whether there was anything to learn from."""
        return bool(self._choices)

    def shares(self, sentence: str, spot: Spot) -> NDArray[np.float64]:
        """The probability float64 ``[words]`` of each word of a spot's line to stand there.

        All are 0 where no caption had a word of the line.
        """
        if spot.line not in self._choices:
            return np.zeros(len(spot.line))
        return self._choices[spot.line].shares(_around(sentence, spot))

    def draw(self, sentence: str, rng: np.random.Generator) -> Swap | None:
        """A swap, or None if the words drawn are those that stand there, as they mostly are.

        A swap of two words that are often both true is passed over.
        """
        swaps = balanced(sentence, rng, partial(self.shares, sentence))
        return next((each for each in swaps if not often_both_true(each.old, each.new)), None)


def _around(sentence: str, spot: Spot) -> NDArray[np.int64]:
    """What stands around a word, as columns int64 ``[f]``."""
    before = ["^", *words_of(sentence[: spot.start])]
    after = [*words_of(sentence[spot.end :]), "$"]
    features = {
        f"{before[-1]} _",
        f"_ {after[0]}",
        f"{before[-1]} _ {after[0]}",
        f"{' '.join(before[-2:])} _",
        f"_ {' '.join(after[:2])}",
        *(f"{word} .. _" for word in before[-_NEAR:]),
        *(f"_ .. {word}" for word in after[:_NEAR]),
        *before,
        *after,
    }
    return columns_of(features)
