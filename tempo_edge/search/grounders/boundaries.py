"""The boundaries of a window: how a grounder says each, and when it is.

A boundary is said by the time of the frame that follows it, and the last one by the window's end:
``12.4-15.8`` is shown from the frame at 12.4 on and no longer by the frame at 15.8. *When* that
change happened is what the library knows: at a cut, exactly then; else between two frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tempo_edge import eta
from tempo_edge.moment import Span
from tempo_edge.search.grounders.grammar import Grammar
from tempo_edge.search.grounders.prompt import FrameTokens

__all__ = ["Boundaries"]


@dataclass(frozen=True)
class Boundaries:
    """The ``n + 1`` boundaries of a window of ``n`` frames.

    ``stamps`` are what is said of them, in tenths of a second, never falling; ``edges`` float64
    ``[n + 1]`` are when they are, in seconds of the same clock.
    """

    stamps: tuple[int, ...]
    edges: NDArray[np.float64]

    def __post_init__(self) -> None:
        if len(self.stamps) != len(self.edges):
            raise ValueError(
                f"{len(self.stamps)} stamps must be as many as edges: {len(self.edges)}"
            )

    @staticmethod
    def of(frames: Sequence[FrameTokens], edges: NDArray[np.float64]) -> Boundaries:
        """The boundaries of frames, and of the edges ``[n + 1]`` of what these stand for."""
        times = [eta.tenths(frame.seconds) for frame in frames]
        return Boundaries((*times, eta.tenths(float(edges[-1]))), edges)

    def grammar(self, limit: int = 4) -> Grammar:
        """The answers that name them."""
        return Grammar(self.stamps[:-1], self.stamps[1:], limit)

    def frames(self, said: Sequence[Span]) -> list[tuple[int, int]]:
        """Half-open ranges of frames of spans as they were said; none where a time is unknown."""
        ranges = []
        for span in said:
            names = eta.tenths(span.start_seconds), eta.tenths(span.end_seconds)
            if names[0] in self.stamps and names[1] in self.stamps:
                ranges.append((self.stamps.index(names[0]), self.stamps.index(names[1])))
        return ranges

    def spans(self, said: Sequence[Span]) -> list[Span]:
        """When spans are that were said; one between two frames of the same time is left out."""
        found = []
        for first, last in self.frames(said):
            if self.edges[last] > self.edges[first]:
                found.append(Span(float(self.edges[first]), float(self.edges[last])))
        return found

    def nearest(self, spans: Sequence[tuple[float, float]], limit: int = 4) -> list[Span]:
        """The spans to say of true ones; whatever comes out empty or crosses is left out."""
        said: list[Span] = []
        for start, end in spans[:limit]:
            low = self.stamps[int(np.abs(self.edges[:-1] - start).argmin())]
            high = self.stamps[1 + int(np.abs(self.edges[1:] - end).argmin())]
            if high > low and (not said or low / 10 >= said[-1].end_seconds):
                said.append(Span(low / 10, high / 10))
        return said
