"""Counterfactuals of a sentence: what it would say with one word changed.

A frame that shows a brown dog is near to "a black dog" as well. What tells that no black one is
there is that the other sentence is nearer still. So a sentence can be held against those that it
could have been: with another verb, count, person, animal, colour or place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

__all__ = [
    "KINDS",
    "MOST",
    "Spot",
    "counterfactuals",
    "first_line",
    "often_both_true",
    "spots_of",
    "words_of",
]

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
# Words that one picture is often given both of. Among Flickr8k's training captions another one of
# the same picture says "woman" for 11 % of those that say "girl", "holding" for 12 % that say
# "carrying", "boy" for 10 % that say "baby", and whoever sleeps lies or sits.
_OFTEN_BOTH = frozenset(
    frozenset(pair)
    for pair in (
        ("man", "boy"),
        ("men", "boys"),
        ("woman", "girl"),
        ("women", "girls"),
        ("baby", "boy"),
        ("baby", "girl"),
        ("babies", "boys"),
        ("babies", "girls"),
        ("holds", "carries"),
        ("holds", "eats"),
        ("holds", "throws"),
        ("holding", "carrying"),
        ("holding", "eating"),
        ("holding", "throwing"),
        ("sleeps", "lies"),
        ("sleeps", "sits"),
        ("lies", "sits"),
        ("sleeping", "lying"),
        ("sleeping", "sitting"),
        ("lying", "sitting"),
        ("sleep", "sit"),
        ("forest", "mountain"),
    )
)

#: The kinds of words that can be changed.
KINDS = tuple(_GROUPS)

#: Counterfactuals of a sentence at most: each is read by the text tower.
MOST = 8

_WORD = re.compile(r"[A-Za-z]+")


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
class Spot:
    """A word of a sentence that can be swapped: where it stands, and the line it is of.

    ``line`` are the words that exclude each other, ``word`` among them.
    """

    start: int
    end: int
    word: str
    kind: str
    line: tuple[str, ...]

    def changed(self, sentence: str, new: str) -> str:
        """The sentence with `new` in the word's place, with a capital where there was one."""
        put = new.capitalize() if sentence[self.start].isupper() else new
        return sentence[: self.start] + put + sentence[self.end :]


def words_of(text: str) -> list[str]:
    """The words of a text in order, lower case."""
    return [word.lower() for word in _WORD.findall(text)]


def spots_of(sentence: str, kinds: Sequence[str]) -> tuple[list[Spot], list[str]]:
    """The words that can be swapped, once for each of their lines, and all words in order."""
    words = [(m.start(), m.end(), m.group().lower()) for m in _WORD.finditer(sentence)]
    spots = [
        Spot(start, end, word, kind, line)
        for start, end, word in words
        for kind, line in _TABLE.get(word, [])
        if kind in kinds
    ]
    return spots, [word for _, _, word in words]


def first_line(word: str) -> tuple[str, ...]:
    """The first of the lines that a word is of."""
    return _TABLE[word][0][1]


def often_both_true(old: str, new: str) -> bool:
    """Whether a picture that shows the one word of a line often shows the other, too."""
    return frozenset((old, new)) in _OFTEN_BOTH


def counterfactuals(sentence: str) -> tuple[str, ...]:
    """Copies of a sentence with one word changed, :data:`MOST` at most, the same every time.

    A word that the sentence already holds is never put in, nor one that is often true where the
    other is, since the copy could still be true. Where there are more, each word that can be
    changed has its share of them.
    """
    spots, said = spots_of(sentence, KINDS)
    copies = [
        [
            spot.changed(sentence, word)
            for word in spot.line
            if word not in said and not often_both_true(spot.word, word)
        ]
        for spot in spots
    ]
    in_turn = chain.from_iterable(zip_longest(*copies))
    return tuple(dict.fromkeys(copy for copy in in_turn if copy is not None))[:MOST]
