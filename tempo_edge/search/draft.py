"""A draft of the answer: what the ``curve`` grounder would say of a window.

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
from tempo_edge.search.curve import CurveSettings, floor_of, hills, smoothed

__all__ = ["FACTS", "Draft"]

#: How many numbers speak for or against a draft.
FACTS = 9


@dataclass(frozen=True)
class Draft:
    """Spans cut out of a window's heights, and what they look like.

    Attributes:
        runs: half-open ranges of frames, in order.
        spans: the same in tenths of a second, as an answer would say them.
        facts: float32 ``[FACTS]``: the best frame's height; how far the best frame outside the
            draft lies below it; the mean height of the best span; the height of the best of all
            frames' tokens; the rise at the weaker end of the best span; its tens of seconds; how
            many spans there are; the share of frames in them; how many fifties of frames there are.
        best: number of the best frame.
    """

    runs: tuple[tuple[int, int], ...]
    spans: tuple[tuple[int, int], ...]
    facts: NDArray[np.float32]
    best: int

    @staticmethod
    def of(
        heights: NDArray[np.float64],
        cuts: NDArray[np.bool_],
        tallest: float,
        stamps: Sequence[int],
        shape: CurveSettings,
    ) -> Draft:
        """Cut spans of a `shape` out of ``heights`` ``[n]``, those over chance in its deviations.

        Args:
            cuts: whether each frame is the first after a cut, ``[n]``.
            tallest: the height of the best token of all frames.
            stamps: how each of the ``n + 1`` boundaries is said, in tenths of a second.
        """
        curve, edges = smoothed(heights, cuts, shape.smooth), np.array(stamps) / 10.0
        floor = floor_of(curve, edges, 0.0)
        runs = hills(curve, edges, shape, floor)
        best = int(curve.argmax())
        first, last = next(run for run in runs if run[0] <= best < run[1])
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
        return Draft(tuple(runs), tuple(said), np.array(facts, np.float32), best)

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
