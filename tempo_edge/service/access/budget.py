"""A budget: how often something may happen, for each of many (a token bucket for each)."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

__all__ = ["Budget"]

# Of whom it is known how much is left; whoever has not come for longest is forgotten first.
_MOST_KNOWN = 10_000


class Budget:
    """So many at once, and so many a second after that, for each key.

    Args:
        at_once: how many are had by who comes for the first time.
        per_second: how many come back.
        clock: seconds that never go back.
    """

    def __init__(
        self, at_once: float, per_second: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._at_once = at_once
        self._per_second = per_second
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> float:
        """Take one; gives 0, or the seconds after which there is one, if there is none."""
        now = self._clock()
        left, then = self._left.pop(key, (self._at_once, now))
        left = min(self._at_once, left + (now - then) * self._per_second)
        wait = 0.0 if left >= 1 else (1 - left) / self._per_second
        self._left[key] = (left if wait else left - 1, now)
        if len(self._left) > _MOST_KNOWN:
            self._left.popitem(last=False)
        return wait
