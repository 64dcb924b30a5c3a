"""Continuity: how far a moment goes on around the stretch that shows best what was asked for.

A film shows a thing better and worse, from look to look and from shot to shot. A look beside the
best stretch belongs to the same moment if it shows what was asked for about as well. The more its
pictures are like those of the stretch the worse it may show it: then the difference is what looks
at one thing differ by anyway. Where pictures are of something else, the moment ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tempo_edge.quantization import unit
from tempo_edge.search.calibrate import NullDistribution
from tempo_edge.search.candidates import Candidate
from tempo_edge.search.similarity import CurveSettings, Segment, segment_of
from tempo_edge.search.window import Window

__all__ = ["Continuity", "joined"]


@dataclass(frozen=True)
class Continuity:
    """What a window shows beside its best stretches, look by look.

    Attributes:
        curve: similarity to what was asked for, float64 ``[n]``.
        edges: boundaries of looks in seconds, float64 ``[n + 1]``.
        pictures: unit vectors of looks less what all footage has in common, float32 ``[n, d]``;
            None where they are not known.
        chance_std: the standard deviation of similarities by chance.
        settings: the shape of a span.
    """

    curve: NDArray[np.float64]
    edges: NDArray[np.float64]
    pictures: NDArray[np.float32] | None
    chance_std: float
    settings: CurveSettings

    @staticmethod
    def of(
        window: Window,
        curve: NDArray[np.float64],
        settings: CurveSettings,
        null: NullDistribution,
    ) -> Continuity:
        """The continuity of a window with this curve ``[n]``."""
        pictures = None
        if window.units is not None and null.centre is not None:
            pictures = unit(window.units - null.centre)
        return Continuity(curve, window.edges, pictures, null.background_std, settings)

    def moments(self, segments: Sequence[Segment]) -> list[tuple[int, int, list[int]]]:
        """The moments that segments are parts of, in the order of time.

        A moment is its first and its last look, as far as any of its segments goes on, and the
        numbers of those.
        """
        reached = sorted((*self._whole(each), number) for number, each in enumerate(segments))
        found: list[tuple[int, int, list[int]]] = []
        for first, last, number in reached:
            if found and first <= found[-1][1] + 1:
                begin, end, numbers = found[-1]
                found[-1] = begin, max(end, last), [*numbers, number]
            else:
                found.append((first, last, [number]))
        return found

    def _whole(self, segment: Segment) -> tuple[int, int]:
        """The first and the last look up to which the moment around a segment goes on."""
        first, last = segment.first, segment.last
        gain = np.diff(self.edges) * self._margin(segment)
        return first - self._reach(gain[:first][::-1]), last + self._reach(gain[last + 1 :])

    def _margin(self, segment: Segment) -> NDArray[np.float64]:
        """How much more of the segment's rise each look keeps than it must, ``[n]``."""
        # Where the rise is within the noise of looks, so is what is lost of it.
        rise = max(segment.peak - segment.floor, self.settings.noise * self.chance_std, 1e-6)
        lost = (segment.peak - np.minimum(self.curve, segment.peak)) / rise
        return np.asarray(self.settings.likeness * self._likeness(segment) - lost, np.float64)

    def _likeness(self, segment: Segment) -> NDArray[np.float64]:
        """How like those of a segment the pictures of every look are, in [0, 1], ``[n]``."""
        if self.pictures is None:
            return np.zeros(len(self.curve))
        first, last = segment.first, segment.last
        shown = np.diff(self.edges[first : last + 2]).astype(np.float32)
        mean = unit(shown @ self.pictures[first : last + 1])
        return np.asarray(np.maximum(self.pictures @ mean, 0.0), np.float64)

    def _reach(self, gain: NDArray[np.float64]) -> int:
        """How many looks a moment goes on for, by what each look gains or loses, ``[k]``.

        A moment may lose no more on its way than a dip would of the longest kind that is no end.
        """
        total = np.cumsum(gain)
        best = np.maximum.accumulate(np.maximum(total, 0.0))
        lost = np.flatnonzero(best - total > self.settings.join_seconds)
        total = total[: lost[0]] if len(lost) else total
        return int(total.argmax()) + 1 if len(total) and total.max() > 0 else 0


def joined(
    pieces: Sequence[Candidate],
    curve: NDArray[np.float64],
    settings: CurveSettings,
    null: NullDistribution,
) -> list[Candidate]:
    """The moments that pieces of one window, with this curve ``[n]``, are parts of.

    A moment reaches as far as any of its pieces goes on, and is as likely as its likeliest one: to
    show more of what was found takes nothing from it.
    """
    if not pieces:
        return []
    window = pieces[0].window
    continuity = Continuity.of(window, curve, settings, null)
    moments = []
    for first, last, numbers in continuity.moments([each.segment for each in pieces]):
        best = max((pieces[number] for number in numbers), key=lambda each: each.confidence)
        whole = segment_of(window, curve, first, last, best.segment.floor)
        moments.append(replace(best, segment=whole))
    return moments
