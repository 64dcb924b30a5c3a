"""How much of its lines a library looks at in a search of their letters, whichever index has them.

Stores give the same lines for the same words, so that these numbers are theirs together.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TypeVar

__all__ = ["MOST_CANDIDATES", "MOST_RANKED", "MOST_RANKED_IN_PART", "TRIGRAM", "held_in_part"]

T = TypeVar("T")

#: Lines that hold some of the rarer phrases and are looked at whether they hold more, best first.
MOST_CANDIDATES = 1000

#: Lines that are ranked, the first ones of the library: where thousands hold all that is asked for,
#: any of them will do; of those that may hold only a part of it, more are to be seen.
MOST_RANKED, MOST_RANKED_IN_PART = 1000, 20_000

#: The fewest letters that are found where words can't be told apart.
TRIGRAM = 3

# From so many lines on that hold one of the rarer phrases, those are looked for that hold two,
# where there are no more pairs than this.
_MANY, _MOST_PAIRS = 10_000, 50


def held_in_part(phrases: Sequence[T], counts: Sequence[int], least: int) -> list[tuple[T, ...]]:
    """What lines hold that hold so many of some phrases, and few others: all of one of these.

    A line that lacks at most two of five phrases holds one of any three, and two of any four.

    Args:
        counts: how many lines hold each phrase, at most.
        least: how many of the phrases a line must hold.
    """
    rarest = sorted(range(len(phrases)), key=counts.__getitem__)
    may_lack = len(phrases) - least
    one_of, two_of = rarest[: may_lack + 1], rarest[: may_lack + 2]
    pairs = list(combinations(two_of, 2))
    is_common = sum(counts[at] for at in one_of) >= _MANY
    if is_common and least > 1 and len(pairs) <= _MOST_PAIRS:
        return [(phrases[a], phrases[b]) for a, b in pairs]
    return [(phrases[at],) for at in one_of]
