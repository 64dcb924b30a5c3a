"""What a grounder may say next: its answers name times that the window really has.

Unconstrained, a small decoder makes numbers that are no times. Here every answer is ``none`` or a
list of spans in order, each from one of the window's starts to one of its later ends, because no
other token is ever allowed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tempo_edge import eta

__all__ = ["Grammar"]


class Grammar:
    """The answers allowed for one window, followed token by token.

    ``starts`` and ``ends`` are times in tenths of a second (:func:`tempo_edge.eta.tenths`) at which
    a span may start and end; at most ``limit`` spans are named.
    """

    def __init__(self, starts: Sequence[int], ends: Sequence[int], limit: int = 4) -> None:
        """Raises ValueError if a time is negative or ``limit`` is below 1."""
        if limit < 1:
            raise ValueError(f"limit {limit} must be at least 1")
        for name, times in (("starts", starts), ("ends", ends)):
            if any(time < 0 for time in times):
                raise ValueError(f"{name} {min(times)} must not be negative")
        last = max(ends, default=-1)
        self._starts = sorted({time for time in starts if time < last})
        self._ends = sorted(set(ends))
        self._limit = limit
        self._answer: list[str] = []  # complete numbers: start, end, start, ...
        self._partial = ""
        self._refused = False

    def options(self) -> list[str]:
        """The words that may come next."""
        if self._refused:
            return ["[end]"]
        if self._partial and self._complete(self._partial):
            if len(self._answer) % 2 == 0:
                return ["-"]
            more = len(self._answer) // 2 + 1 < self._limit and self._later(self._partial)
            return [";", "[end]"] if more else ["[end]"]
        following = {time[len(self._partial)] for time in self._numbers()}
        words = sorted(following)
        if not self._answer and not self._partial:
            words.append(eta.NONE)
        return words

    def allowed(self) -> NDArray[np.bool_]:
        """True for each token that may come next, ``[len(eta.WORDS)]``."""
        mask = np.zeros(len(eta.WORDS), np.bool_)
        mask[[eta.WORDS.index(word) for word in self.options()]] = True
        return mask

    def take(self, token: int) -> None:
        """Follow one token. Raises ValueError if it is not allowed here."""
        word = eta.WORDS[token]
        if word not in self.options():
            raise ValueError(f"token {word!r} must be one of {self.options()}")
        if word == eta.NONE:
            self._refused = True
        elif word in "-;":
            self._answer.append(self._partial)
            self._partial = ""
        elif word != "[end]":
            self._partial += word

    @staticmethod
    def _complete(partial: str) -> bool:
        return partial[-2:-1] == "."

    def _numbers(self) -> list[str]:
        """Times that the number being said can still become, as text."""
        if len(self._answer) % 2:
            low, times = _tenths(self._answer[-1]) + 1, self._ends
        else:
            low, times = _tenths(self._answer[-1]) if self._answer else 0, self._starts
        said = (eta.number(time) for time in times if time >= low)
        return [time for time in said if time.startswith(self._partial)]

    def _later(self, end: str) -> bool:
        return any(time >= _tenths(end) for time in self._starts)


def _tenths(said: str) -> int:
    return int(said.replace(".", ""))
