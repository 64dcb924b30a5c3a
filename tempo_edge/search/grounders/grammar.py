"""The grammar of answers: they name times that the window really has, and nothing else.

Unconstrained, a small decoder makes numbers that are no times. Here every answer is ``none`` or a
list of spans in order, each from one of the window's starts to one of its later ends, because no
other token is ever allowed.
"""

from __future__ import annotations

import copy
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
        """Raises ValueError if a time is negative or has no word, or ``limit`` is below 1."""
        if limit < 1:
            raise ValueError(f"limit {limit} must be at least 1")
        for name, times in (("starts", starts), ("ends", ends)):
            bad = [time for time in times if not 0 <= time < 10 * eta.LONGEST_SECONDS]
            if bad:
                raise ValueError(f"{name} {bad[0]} must be within [0, {10 * eta.LONGEST_SECONDS})")
        last = max(ends, default=-1)
        self._starts = sorted({time for time in starts if time < last})
        self._ends = sorted(set(ends))
        self._limit = limit
        self._said: list[int] = []  # start, end, start, ...
        self._whole: int | None = None  # the seconds of a number whose tenth is still to come
        self._refused = False
        self._complete = False  # the last number was said to its tenth

    @property
    def fresh(self) -> bool:
        """Whether nothing was said yet."""
        return not (self._said or self._refused or self._whole is not None)

    @property
    def refused(self) -> bool:
        """Whether ``none`` was said."""
        return self._refused

    def fork(self) -> Grammar:
        """A copy of the grammar, to be followed apart."""
        other = copy.copy(self)
        other._said = list(self._said)
        return other

    def options(self) -> list[str]:
        """The words that may come next."""
        if self._refused:
            return ["[end]"]
        if self._complete:
            if len(self._said) % 2:
                return ["-"]
            more = len(self._said) // 2 < self._limit and self._later(self._said[-1])
            return [";", "[end]"] if more else ["[end]"]
        times = self._times()
        if self._whole is not None:
            return sorted({f".{time % 10}" for time in times if time // 10 == self._whole})
        words = [str(whole) for whole in sorted({time // 10 for time in times})]
        return words if self._said else [*words, eta.NONE]

    def token_mask(self) -> NDArray[np.bool_]:
        """True for each token that may come next, ``[len(eta.WORDS)]``."""
        mask = np.zeros(len(eta.WORDS), np.bool_)
        mask[[eta.TOKEN[word] for word in self.options()]] = True
        return mask

    def take(self, token: int) -> None:
        """Follow one token. Raises ValueError if it is not allowed here."""
        word = eta.WORDS[token]
        if word not in self.options():
            raise ValueError(f"token {word!r} must be one of {self.options()}")
        if word == eta.NONE:
            self._refused = True
        elif word in "-;":
            self._complete = False
        elif word.startswith("."):
            assert self._whole is not None
            self._said.append(10 * self._whole + int(word[1:]))
            self._whole, self._complete = None, True
        elif word != "[end]":
            self._whole = int(word)

    def _times(self) -> list[int]:
        """The times that the number being said can be, in tenths."""
        if len(self._said) % 2:
            return [time for time in self._ends if time > self._said[-1]]
        low = self._said[-1] if self._said else 0
        return [time for time in self._starts if time >= low]

    def _later(self, end: int) -> bool:
        return any(time >= end for time in self._starts)
