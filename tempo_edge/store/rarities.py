"""How rare phrases are among the lines of a library."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tempo_edge.words.letters import is_unspaced

__all__ = ["Rarities"]

# Counts of words hold until there are this many times as many lines; a word in one line of so many
# is common.
_GROWTH, _COMMON = 1.25, 100


class Rarities:
    """How rare phrases are. Counts of common ones, which take long and are few, are kept."""

    def __init__(self) -> None:
        # Counts of words that are in many lines, and the largest id of a line at that time.
        self._counts: dict[str, int] = {}
        self._counted_at = 0

    def of(
        self, phrases: Sequence[str], last: int, occurrences: Callable[[str], int]
    ) -> list[float]:
        """Of each phrase the logarithm of how many lines there are for one with it.

        Args:
            last: the largest id of a line.
            occurrences: counts the lines with a phrase of a script with spaces.
        """
        if not self._counted_at <= last <= _GROWTH * self._counted_at:
            self._counts, self._counted_at = {}, last
        counted: dict[str, int] = {}
        for phrase in phrases:
            if phrase not in self._counts:
                count = 0 if is_unspaced(phrase) else occurrences(phrase)
                if count * _COMMON < last:
                    counted[phrase] = count
                else:
                    self._counts[phrase] = count
        held = {**counted, **self._counts}
        return [math.log(max(last, 1) / max(held[phrase], 1)) for phrase in phrases]
