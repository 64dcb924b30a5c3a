"""Sentence vectors of lines of words: the mean of the states that a text tower makes of them.

The built-in profile's text tower makes them, whatever profile a library has: it always comes with
the program. Its states are those of a sentence model that learnt what pictures show, and tell a
paraphrase from other lines as well as before it did.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tempo_edge.models.registry import Profile, load_profile
from tempo_edge.quantization import unit

__all__ = ["BUILT_IN", "LineEncoder", "is_readable"]

#: The profile whose text tower reads lines.
BUILT_IN = "nano"

# Lines that go through the model at once.
_AT_ONCE = 32

# The last letter of the Latin scripts that the model's vocabulary knows.
_LATIN = "\u024f"

# The share of a text's letters that must be of these.
_KNOWN = 0.7


class LineEncoder:
    """Lines to sentence vectors.

    Args:
        profile: the library's; where it is another than the built-in one, that one is loaded.
    """

    def __init__(self, profile: Profile) -> None:
        built_in = load_profile(BUILT_IN)
        #: Whether the states that the library's own profile makes of a query are those of this one.
        self.shares_tower = profile.fingerprint == built_in.fingerprint
        self._profile = profile if self.shares_tower else built_in

    @cached_property
    def digest(self) -> str:
        """What tells the model: vectors of another one are not to be compared with its own."""
        facts = [self._profile.files[name] for name in ("text.onnx", "tokenizer.json")]
        return hashlib.sha256("".join(facts).encode()).hexdigest()[:16]

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors ``[n, d]`` of lines; none depends on another.

        Raises:
            ProfileError: the model can't be run, or gives something else.
        """
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        found: dict[int, NDArray[np.float32]] = {}
        for first in range(0, len(order), _AT_ONCE):
            part = order[first : first + _AT_ONCE]
            states = self._profile.text_tower.mean_states([texts[at] for at in part])
            found.update(zip(part, states, strict=True))
        return unit(np.stack([found[at] for at in range(len(texts))]))

    @staticmethod
    def of_states(states: NDArray[np.float32]) -> NDArray[np.float32]:
        """The unit vector ``[d]`` of a sentence whose tokens' states are ``[l, d]``."""
        return unit(states.mean(0))


def is_readable(text: str) -> bool:
    """Whether the model knows the script of a text: of others it makes nearly the same of all."""
    letters = [letter for letter in text if letter.isalpha()]
    known = sum(letter <= _LATIN for letter in letters)
    return bool(letters) and known >= _KNOWN * len(letters)
