"""Sentences that differ in one element: another verb, count, person, animal, colour or place.

A picture that fits a sentence seldom fits the changed one. In training they are hard negatives;
from captions of pictures never trained on they make minimal pairs to be told apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tempo_edge.search.counterfactuals import KINDS, Spot, first_line, spots_of


@dataclass(frozen=True)
class Swap:
    """A sentence with one word changed: the kind of the change, and the words."""

    sentence: str
    kind: str
    old: str
    new: str


# Grammar tells these from the others of their line: "one dogs", "a orange ball".
_TELLING = frozenset({"one", "orange"})
_PRONOUNS = frozenset({"he", "her", "hers", "herself", "him", "himself", "his", "she"})


def alike(spots: Sequence[Spot], said: Sequence[str]) -> list[Spot]:
    """The spots at which any other word of the line would sound as right, one for each word.

    No other word of the line is in the sentence, nor the same one again, and no pronoun tells
    whether it was a man or a woman. Of a word's lines the first counts.
    """
    sexed = not _PRONOUNS.isdisjoint(said)
    return [
        spot
        for spot in spots
        if spot.line is first_line(spot.word)
        and spot.word not in _TELLING
        and sum(word in spot.line for word in said) == 1
        and not (spot.kind == "person" and sexed)
    ]


def word_frequencies(captions: Iterable[str]) -> dict[str, float]:
    """The share of each word among those in the captions at which a balanced swap is possible."""
    found: Counter[str] = Counter()
    for caption in captions:
        found.update({spot.word for spot in alike(*spots_of(caption, KINDS))})
    return {word: number / found.total() for word, number in found.items()}


def swap(
    sentence: str,
    rng: np.random.Generator,
    kinds: Sequence[str] = KINDS,
    frequencies: Mapping[str, float] | None = None,
) -> Swap | None:
    """Change one word of `sentence` for another of its line, or None if no word has one.

    Every word that can be changed is as likely; a word that the sentence already holds is never
    put in, since the result could still be true.

    With the `frequencies` of words in the sentences that are asked about, swaps are balanced: over
    all sentences one word is put in place of another as often as the other in its place, so that
    words alone do not tell what was changed. A frequent word is then mostly left as it is, and
    None comes oftener.
    """
    if frequencies is not None:
        # A pair of words is drawn in proportion to the product of their frequencies, either way.
        return next(balanced(sentence, rng, partial(_shares, frequencies), kinds), None)
    spots, said = spots_of(sentence, kinds)
    free = [(spot, [word for word in spot.line if word not in said]) for spot in spots]
    free = [(spot, others) for spot, others in free if others]
    if not free:
        return None
    spot, others = free[int(rng.integers(len(free)))]
    return _changed(sentence, spot, others[int(rng.integers(len(others)))])


def balanced(
    sentence: str,
    rng: np.random.Generator,
    shares: Callable[[Spot], NDArray[np.float64]],
    kinds: Sequence[str] = KINDS,
) -> Iterator[Swap]:
    """Swaps that are drawn as often as the opposite ones, one for each word at most.

    At each spot, in random order, a word of its line is drawn by the `shares` float64 ``[words]``
    of the line's words to stand there; mostly it is the word that does.
    """
    spots = alike(*spots_of(sentence, kinds))
    for row in rng.permutation(len(spots)):
        spot = spots[row]
        chances = shares(spot)
        # A word that never stands there would only ever be taken out.
        if chances[spot.line.index(spot.word)]:
            new = spot.line[int(rng.choice(len(chances), p=chances))]
            if new != spot.word:
                yield _changed(sentence, spot, new)


def _shares(frequencies: Mapping[str, float], spot: Spot) -> NDArray[np.float64]:
    """The share float64 ``[words]`` of each word of a spot's line, all 0 if none is ever said."""
    found = np.array(
        [frequencies.get(word, 0.0) if first_line(word) is spot.line else 0.0 for word in spot.line]
    )
    return found / (found.sum() or 1.0)


def _changed(sentence: str, spot: Spot, new: str) -> Swap:
    return Swap(spot.changed(sentence, new), spot.kind, spot.word, new)
