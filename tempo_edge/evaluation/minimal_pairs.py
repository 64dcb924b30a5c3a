"""Sentences that differ in one element: another verb, count, person, animal, colour or place.

A picture that fits a sentence seldom fits the changed one. In training they are hard negatives;
from captions of pictures never trained on they make minimal pairs to be told apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
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
    table: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for kind, lines in _GROUPS.items():
        for line in lines:
            for word in line:
                others = tuple(other for other in line if other != word)
                table.setdefault(word, []).append((kind, others))
    return table


_TABLE = _table()


def swap(sentence: str, rng: np.random.Generator, kinds: Sequence[str] = KINDS) -> Swap | None:
    """Change one word of `sentence` for another of its line, or None if no word has one.

    Every word that can be changed is as likely; a word that the sentence already holds is never
    put in, since the result could still be true.
    """
    words = [(m.start(), m.end(), m.group().lower()) for m in _WORD.finditer(sentence)]
    present = {word for _, _, word in words}
    places = [
        (start, end, word, kind, [other for other in others if other not in present])
        for start, end, word in words
        for kind, others in _TABLE.get(word, [])
        if kind in kinds
    ]
    places = [place for place in places if place[-1]]
    if not places:
        return None
    start, end, word, kind, others = places[int(rng.integers(len(places)))]
    new = others[int(rng.integers(len(others)))]
    if sentence[start].isupper():
        new = new.capitalize()
    return Swap(sentence[:start] + new + sentence[end:], kind, word, new.lower())
