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
from tempo_edge.search.similarity import CurveSettings, find_peaks, floor_of, smoothed

__all__ = ["FACTS", "DraftAnswer"]

#: How many numbers speak for or against a draft.
FACTS = 9


@dataclass(frozen=True)
class DraftAnswer:
    """Spans cut out of a window's z-scores, and what they look like.

    Attributes:
        ranges: half-open ranges of frames, in order.
        spans: the same in tenths of a second, as an answer would say them.
        facts: float32 ``[FACTS]``: the best frame's z-score; how far the best frame outside the
            draft lies below it; the mean z-score of the best span; that of the best of all
            frames' tokens; the rise at the weaker end of the best span; its tens of seconds; how
            many spans there are; the share of frames in them; how many fifties of frames there are.
        best: number of the best frame.
    """

    ranges: tuple[tuple[int, int], ...]
    spans: tuple[tuple[int, int], ...]
    facts: NDArray[np.float32]
    best: int

    @staticmethod
    def of(
        z_scores: NDArray[np.float64],
        cuts: NDArray[np.bool_],
        best_token: float,
        stamps: Sequence[int],
        shape: CurveSettings,
    ) -> DraftAnswer:
        """Cut spans of a `shape` out of ``z_scores`` ``[n]``.

        Args:
            cuts: whether each frame is the first after a cut, ``[n]``.
            best_token: the z-score of the best visual token of all frames.
            stamps: how each of the ``n + 1`` boundaries is said, in tenths of a second.
        """
        curve, edges = smoothed(z_scores, cuts, shape.smooth), np.array(stamps) / 10.0
        floor = floor_of(curve, edges, 0.0)
        ranges = find_peaks(curve, edges, shape, floor)
        best = int(curve.argmax())
        first, last = next(span for span in ranges if span[0] <= best < span[1])
        drafted = np.zeros(len(z_scores), np.bool_)
        for span in ranges:
            drafted[slice(*span)] = True
        outside = z_scores[~drafted]
        # At a window's edge there is nothing to rise from.
        ends = [z_scores[at] for at in (first - 1, last) if 0 <= at < len(z_scores)]
        facts = (
            z_scores[best],
            z_scores[best] - outside.max() if len(outside) else z_scores[best] - floor,
            z_scores[first:last].mean(),
            best_token,
            z_scores[best] - max(ends, default=floor),
            (stamps[last] - stamps[first]) / 100.0,
            len(ranges),
            drafted.mean(),
            len(z_scores) / 50.0,
        )
        said = [(stamps[a], stamps[b]) for a, b in ranges if stamps[b] > stamps[a]]
        return DraftAnswer(tuple(ranges), tuple(said), np.array(facts, np.float32), best)

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
