"""Captions that may stand as queries: a crude test of whether another picture makes one true."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence

_PLAIN = frozenset(
    re.findall(
        r"\w+",
        """a an the is are am be being been was were of in on at to with by for from into onto over
        and or as it its his her hers him he she they their them there that this these those while
        who which some someone somebody something one another other up down out off near next""",
    )
)


def content_words(caption: str) -> frozenset[str]:
    """The stems of a caption's words, less those that carry no picture.

    >>> sorted(content_words("The dogs are running"))
    ['dog', 'run']
    """
    words = re.findall(r"[a-z0-9]+", caption.lower().replace("'s", ""))
    return frozenset(_stem(word) for word in words if word not in _PLAIN)


def _stem(word: str) -> str:
    for suffix in ("ing", "ed", "es", "s"):
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word[: -len(suffix)]
            break
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 3 else word


def is_entailed(words: frozenset[str], captions: Iterable[frozenset[str]]) -> bool:
    """True if one caption holds every content word, as "a dog runs home" does for "a dog runs"."""
    return any(words <= caption for caption in captions)


def choose_caption(
    rng: random.Random, captions: Sequence[str], others: Sequence[frozenset[str]]
) -> str:
    """A caption at random among those that no other picture's caption entails.

    Where all are entailed it is the most specific one. Words only: a paraphrase passes unseen, so
    a few queries stay ambiguous and the best reachable score lies below 100 %.
    """
    for caption in rng.sample(list(captions), len(captions)):
        if not is_entailed(content_words(caption), others):
            return caption
    return max(captions, key=lambda caption: len(content_words(caption)))
