"""Sentences that differ in one element: another verb, count, person, animal, colour or place.

A picture that fits a sentence seldom fits the changed one. In training they are hard negatives;
from captions of pictures never trained on they make minimal pairs to be told apart.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

# Words of one line exclude each other; a word is swapped for another of its line.
_GROUPS: dict[str, tuple[tuple[str, ...], ...]] = {
    "verb": (
        ("runs", "sits", "lies", "sleeps", "swims", "jumps", "stands", "climbs", "dances"),
        ("running", "sitting", "lying", "sleeping", "swimming", "jumping", "standing", "climbing"),
        ("run", "sit", "sleep", "swim", "jump", "stand", "climb", "dance"),
        ("rides", "holds", "throws", "kicks", "carries", "pushes", "eats"),
        ("riding", "holding", "throwing", "kicking", "carrying", "pushing", "eating"),
        ("smiling", "crying", "sleeping", "yelling"),
    ),
    "count": (("one", "two", "three", "four", "five"),),
    "person": (
        ("man", "woman", "boy", "girl", "baby"),
        ("men", "women", "boys", "girls", "babies"),
    ),
    "animal": (
        ("dog", "cat", "horse", "bird", "cow"),
        ("dogs", "cats", "horses", "birds", "cows"),
    ),
    "colour": (
        ("black", "white", "red", "blue", "green", "yellow", "orange", "pink", "purple", "brown"),
    ),
    "place": (
        ("grass", "snow", "sand", "water", "street"),
        ("beach", "park", "pool", "forest", "city", "mountain", "kitchen"),
        ("indoors", "outdoors"),
    ),
}
KINDS = tuple(_GROUPS)
_WORD = re.compile(r"[A-Za-z]+")


@dataclass(frozen=True)
class Swap:
    """A sentence with one word changed: the kind of the change, and the words."""

    sentence: str
    kind: str
    old: str
    new: str


def _table() -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    """The lines of each word, with the kind of each."""
    table: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for kind, lines in _GROUPS.items():
        for line in lines:
            for word in line:
                table.setdefault(word, []).append((kind, line))
    return table


_TABLE = _table()


@dataclass(frozen=True)
class _Spot:
    """A word of a sentence that can be swapped: where it stands, and the line it is of."""

    start: int
    end: int
    word: str
    kind: str
    line: tuple[str, ...]


def word_frequencies(captions: Iterable[str]) -> dict[str, float]:
    """The share that each word has of all words in the captions that can be swapped."""
    words = (m.group().lower() for caption in captions for m in _WORD.finditer(caption))
    found = Counter(word for word in words if word in _TABLE)
    total = sum(found.values())
    return {word: number / total for word, number in found.items()}


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
    words = [(m.start(), m.end(), m.group().lower()) for m in _WORD.finditer(sentence)]
    present = {word for _, _, word in words}
    spots = [
        _Spot(start, end, word, kind, line)
        for start, end, word in words
        for kind, line in _TABLE.get(word, [])
        if kind in kinds
    ]
    if frequencies is not None:
        return _balanced(sentence, spots, rng, frequencies)
    free = [(spot, [word for word in spot.line if word not in present]) for spot in spots]
    free = [(spot, others) for spot, others in free if others]
    if not free:
        return None
    spot, others = free[int(rng.integers(len(free)))]
    return _changed(sentence, spot, others[int(rng.integers(len(others)))])


def _changed(sentence: str, spot: _Spot, new: str) -> Swap:
    put = new.capitalize() if sentence[spot.start].isupper() else new
    changed = sentence[: spot.start] + put + sentence[spot.end :]
    return Swap(changed, spot.kind, spot.word, new)


def _balanced(
    sentence: str,
    spots: Sequence[_Spot],
    rng: np.random.Generator,
    frequencies: Mapping[str, float],
) -> Swap | None:
    """A swap that is asked as often as the opposite one, over sentences with such frequencies.

    At each spot, in random order, a word of the line is drawn by its frequency; if it is the word
    that stands there, or cannot be put in, the next spot is tried. So a pair of words is drawn in
    proportion to the product of their frequencies, from either side.
    """
    said = [m.group().lower() for m in _WORD.finditer(sentence)]
    for row in rng.permutation(len(spots)):
        spot = spots[row]
        weights = np.array([frequencies.get(word, 0.0) for word in spot.line])
        # A word that never stands in these sentences would only ever be taken out.
        if not frequencies.get(spot.word) or np.count_nonzero(weights) < 2:
            continue
        new = spot.line[int(rng.choice(len(weights), p=weights / weights.sum()))]
        if new not in said and not _tells(sentence[: spot.start], said, spot.word, new):
            return _changed(sentence, spot, new)
    return None


_HIS = frozenset({"he", "him", "himself", "his"})
_HER = frozenset({"her", "hers", "herself", "she"})
_MEN = frozenset({"boy", "man"})
_WOMEN = frozenset({"girl", "woman"})


def _tells(before: str, said: Sequence[str], old: str, new: str) -> bool:
    """Whether grammar alone tells which of two words stood there, in either direction."""
    if "one" in (old, new):
        return True  # what is counted has another ending
    article = before.split()[-1:]
    if article and article[0].lower() in ("a", "an") and (old[0] in "aeiou") != (new[0] in "aeiou"):
        return True
    pronoun = not _HIS.isdisjoint(said) or not _HER.isdisjoint(said)
    sexes = {old in _MEN, new in _MEN}, {old in _WOMEN, new in _WOMEN}
    return pronoun and sexes == ({True, False}, {True, False})
