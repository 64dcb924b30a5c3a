"""A draft of the answer: what a plain threshold would say of a window.

A grounder that has to find its answer from nothing must first learn that times are there to be
repeated. So it is handed a draft, word by word, and what it learns is when to depart from it: where
a boundary lies better, which span is missing, and when nothing that was asked for is there at all.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tempo_edge import eta

__all__ = ["FACTS", "Draft", "best_run", "rises"]

#: How many numbers speak for or against a draft.
FACTS = 9

# As `curve` has them: how much of the best frame's rise over chance a span keeps, and how much of
# it a further span must reach.
_KEEP, _SEED = 0.55, 0.8
_SPANS = 4


@dataclass(frozen=True)
class Draft:
    """Spans that a threshold cuts out of a window's heights, and what they look like.

    Attributes:
        spans: half-open, in tenths of a second as an answer would say them, in order.
        facts: float32 ``[FACTS]``: the best frame's height; how far the best frame outside the
            draft lies below it; the mean height of the best span; the height of the best of all
            frames' tokens; the rise at the weaker end of the best span; its tens of seconds; how
            many spans there are; the share of frames in them; how many fifties of frames there are.
        best: number of the best frame.
    """

    spans: tuple[tuple[int, int], ...]
    facts: NDArray[np.float32]
    best: int

    @staticmethod
    def of(heights: NDArray[np.float64], tallest: float, stamps: Sequence[int]) -> Draft:
        """Cut spans out of ``heights`` ``[n]``, those over chance in its deviations.

        Args:
            tallest: the height of the best token of all frames.
            stamps: how each of the ``n + 1`` boundaries is said, in tenths of a second.
        """
        best, floor = int(heights.argmax()), _floor(heights)
        seed = floor + _SEED * (float(heights[best]) - floor)
        runs = [run for run in _runs(rises(heights)) if heights[slice(*run)].max() >= seed]
        first, last = best_run(heights)
        drafted = np.zeros(len(heights), np.bool_)
        for run in runs:
            drafted[slice(*run)] = True
        outside = heights[~drafted]
        # At a window's edge there is nothing to rise from.
        ends = [heights[at] for at in (first - 1, last) if 0 <= at < len(heights)]
        facts = (
            heights[best],
            heights[best] - outside.max() if len(outside) else heights[best] - floor,
            heights[first:last].mean(),
            tallest,
            heights[best] - max(ends, default=floor),
            (stamps[last] - stamps[first]) / 100.0,
            len(runs),
            drafted.mean(),
            len(heights) / 50.0,
        )
        said = [(stamps[a], stamps[b]) for a, b in runs if stamps[b] > stamps[a]]
        return Draft(tuple(said[:_SPANS]), np.array(facts, np.float32), best)

    def follow(self, said: Sequence[int]) -> int | None:
        """The word after ``said``, tokens of an answer so far, as the draft has it.

        Where an answer has departed from the draft, it is the draft's next span that counts. None
        where the draft has nothing to say: the tenth of a second that it doesn't name, or no span.
        """
        words = [eta.WORDS[token] for token in said]
        if eta.NONE in words:
            return eta.TOKEN["[end]"]
        numbers = [
            10 * int(whole) + int(tenth[1:])
            for whole, tenth in itertools.pairwise(words)
            if tenth.startswith(".")
        ]
        last = words[-1] if words else ";"
        wanted = self._after(numbers)
        if last.startswith("."):
            if len(numbers) % 2:
                return eta.TOKEN["-"]
            return eta.TOKEN["[end]" if wanted is None else ";"]
        if wanted is None:
            return None
        if not last.isdigit():
            return eta.TOKEN[str(wanted // 10)]
        return eta.TOKEN[f".{wanted % 10}"] if wanted // 10 == int(last) else None

    def _after(self, numbers: Sequence[int]) -> int | None:
        """The draft's next time after the starts and ends said so far, in tenths."""
        low = numbers[-1] if numbers else 0
        if len(numbers) % 2:
            return next((end for _, end in self.spans if end > low), None)
        return next((start for start, _ in self.spans if start >= low), None)


def rises(heights: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which frames of a window keep enough of the best one's rise over chance, bool ``[n]``."""
    floor = _floor(heights)
    return heights >= floor + _KEEP * (float(heights.max()) - floor)


def best_run(heights: NDArray[np.float64]) -> tuple[int, int]:
    """The half-open range of such frames around the best one."""
    best = int(heights.argmax())
    return next(run for run in _runs(rises(heights)) if run[0] <= best < run[1])


def _floor(heights: NDArray[np.float64]) -> float:
    """What rises are counted from: chance, or the median where most lie below it."""
    return min(0.0, float(np.median(heights)))


def _runs(inside: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Half-open ranges of neighbours that are inside."""
    bounds = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(int)))
    return [(int(first), int(last)) for first, last in bounds.reshape(-1, 2)]
