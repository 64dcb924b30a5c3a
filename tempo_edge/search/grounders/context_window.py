"""Context windows: the frames that a model is shown at once, and what it answers about them."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tempo_edge import eta
from tempo_edge.quantization import dequantize
from tempo_edge.search.grounders.prompt import FrameTokens
from tempo_edge.search.window import Window
from tempo_edge.store.interface import Catalogue

__all__ = ["FRAMES", "ContextWindow", "Grounding", "Groundings", "frame_tokens_of"]

#: Frames that a model is shown at once.
FRAMES = 64


@dataclass(frozen=True)
class ContextWindow:
    """Frames ``[first, last)`` of a window, few enough to be shown at once."""

    first: int
    last: int

    @staticmethod
    def of(
        window: Window, first: int, last: int, *, back: bool = True, on: bool = True
    ) -> ContextWindow:
        """As much as fits around frames ``[first, last)``: by number, and by what has words.

        It grows ``back`` in time, ``on``, or in both directions, the nearer frame first.
        """
        lowest = max(0, first - FRAMES)
        begins = window.video.seconds(window.pts[lowest : last + FRAMES])
        middle = (window.edges[first] + window.edges[last]) / 2

        def fits(first: int, last: int) -> bool:
            longest = eta.LONGEST_SECONDS - 0.1
            return last - first <= FRAMES and window.edges[last] - begins[first - lowest] < longest

        while True:
            before = back and first > 0 and fits(first - 1, last)
            after = on and last < len(window.pts) and fits(first, last + 1)
            if before and (
                not after or middle - begins[first - 1 - lowest] <= begins[last - lowest] - middle
            ):
                first -= 1
            elif after:
                last += 1
            else:
                return ContextWindow(first, last)

    def begins(self, window: Window) -> float:
        """When its first frame is, in seconds of the video."""
        return float(window.video.seconds(window.pts[self.first : self.first + 1])[0])

    def edges(self, window: Window) -> NDArray[np.float64]:
        """Boundaries ``[n + 1]`` of what its frames stand for, in seconds since its first.

        One frame may stand for longer than there are words; which frames are meant is clear.
        """
        longest = eta.LONGEST_SECONDS - 0.1
        since = window.edges[self.first : self.last + 1] - self.begins(window)
        return np.clip(since, 0.0, longest)


@dataclass(frozen=True)
class Grounding:
    """A model's answer about the footage around a frame.

    Attributes:
        context: the frames that it was shown first.
        said: the answer about them, in seconds since the first of them.
        present: the chance in [0, 1] that what was asked for occurs there.
        ranges: the spans, as half-open ranges of the window's frames, in order; those at either
            end may reach beyond the context window.
    """

    context: ContextWindow
    said: str
    present: float
    ranges: tuple[tuple[int, int], ...]


#: Answers by grounder, question, video and tick; each with the window whose frames it speaks of.
Groundings = MutableMapping[tuple[str, str, int, int], tuple[Window, Grounding]]


def frame_tokens_of(
    catalogue: Catalogue, window: Window, context: ContextWindow
) -> list[FrameTokens]:
    """The frames of a context window as a prompt shows them, in exact seconds since its first."""
    low, high = int(window.pts[context.first]), int(window.pts[context.last - 1])
    return [
        FrameTokens(
            (frame.pts - low) * window.video.time_base,
            frame.cut,
            dequantize(frame.vector),
            frame.cells,
            dequantize(frame.tokens),
        )
        for frame in catalogue.frames_of(window.video_id, low, high)
    ]
