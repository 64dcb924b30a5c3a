"""The ``mllm`` grounder: reads the frames around a candidate and answers with spans, or refuses.

It reads as many frames as fit into one close-up. Where an answer runs into the close-up's end it
goes on reading there, so a moment may be longer than what is read at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tempo_edge import eta
from tempo_edge.packing import unpack
from tempo_edge.search.boundaries import Boundaries
from tempo_edge.search.curve import CurveSettings
from tempo_edge.search.decoder import Decoder, Said
from tempo_edge.search.prompt import Look, Question, build
from tempo_edge.search.retrieve import Window, open_window
from tempo_edge.store.interface import Catalogue

__all__ = ["FRAMES", "CloseUp", "Follower", "Grounder", "Reader", "Reading", "looks_of"]

#: Frames that are read at once.
FRAMES = 64

# Footage on either side that an answer may run on into.
_CONTEXT_SECONDS = 1800.0

# Close-ups that an answer may run on for, before and after the first one each.
_RUN_ON = 8

# Frames of the close-up before that the next one repeats: it must see what it is to go on with.
_SHARED = 8


@dataclass(frozen=True)
class CloseUp:
    """Frames ``[first, last)`` of a window, few enough to be read at once."""

    first: int
    last: int

    @staticmethod
    def of(window: Window, first: int, last: int, *, back: bool = True, on: bool = True) -> CloseUp:
        """As much as fits around frames ``[first, last)``: by number, and by what has words.

        It grows ``back`` in time, ``on``, or in both directions, the nearer frame first.
        """
        begins = window.video.seconds(window.pts)
        middle = (window.edges[first] + window.edges[last]) / 2

        def fits(first: int, last: int) -> bool:
            longest = eta.LONGEST_SECONDS - 0.1
            return last - first <= FRAMES and window.edges[last] - begins[first] < longest

        while True:
            before = back and first > 0 and fits(first - 1, last)
            after = on and last < len(window.pts) and fits(first, last + 1)
            if before and (not after or middle - begins[first - 1] <= begins[last] - middle):
                first -= 1
            elif after:
                last += 1
            else:
                return CloseUp(first, last)

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


def looks_of(catalogue: Catalogue, window: Window, part: CloseUp) -> list[Look]:
    """The frames of a close-up as a prompt shows them, in exact seconds since its first."""
    low, high = int(window.pts[part.first]), int(window.pts[part.last - 1])
    return [
        Look(
            (frame.pts - low) * window.video.time_base,
            frame.cut,
            unpack(frame.vector),
            frame.cells,
            unpack(frame.tokens),
        )
        for frame in catalogue.frames_of(window.video_id, low, high)
    ]


@dataclass(frozen=True)
class Reading:
    """What was answered about a window.

    Attributes:
        close_up: the frames that were read first.
        said: the answer about them, in seconds since the first of them.
        present: the chance in [0, 1] that what was asked for occurs there.
        ranges: the spans, as half-open ranges of the window's frames, in order; those at either
            end may reach beyond the close-up.
    """

    close_up: CloseUp
    said: str
    present: float
    ranges: tuple[tuple[int, int], ...]


class Reader(Protocol):
    """Whoever says what a window shows, as the search asks it."""

    def read(self, question: Question, window: Window, pts: int) -> tuple[Window, Reading]:
        """What is there around the frame at tick ``pts``, and the window that it speaks of."""


class Follower(ABC):
    """Asks about close-ups of a library's footage, and follows answers that run on."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    @abstractmethod
    def answer(
        self,
        question: Question,
        window: Window,
        part: CloseUp,
        looks: Sequence[Look],
        boundaries: Boundaries,
        *,
        refuse: bool,
    ) -> Said:
        """What is said of a close-up that has these frames and boundaries, in its own seconds.

        With `refuse` that may be ``none``.
        """

    def read(self, question: Question, window: Window, pts: int) -> tuple[Window, Reading]:
        """Ask about the footage around the frame at tick `pts`, and follow answers that run on.

        Returns the reading, and the window whose frames it speaks of: that of the query's
        retrieval, with more on either side.
        """
        window = self._wider(question, window, pts)
        middle = int(np.searchsorted(window.pts, pts))
        part = CloseUp.of(window, middle, middle + 1)
        said, present, ranges = self._ask(question, window, part)
        if ranges:
            ranges[-1] = (ranges[-1][0], self._follow(question, window, part, ranges[-1][1]))
            ranges[0] = (self._precede(question, window, part, ranges[0][0]), ranges[0][1])
        return window, Reading(part, said, present, tuple(ranges))

    def shown(self, window: Window, part: CloseUp) -> tuple[list[Look], NDArray[np.float64]]:
        """The frames of a close-up and the boundaries ``[n + 1]`` between them, as it is told."""
        return looks_of(self._catalogue, window, part), part.edges(window)

    def _wider(self, question: Question, window: Window, pts: int) -> Window:
        around = int(_CONTEXT_SECONDS / window.video.time_base)
        first, last = window.video.stretch(pts)
        return open_window(
            question.vector,
            self._catalogue,
            window.video_id,
            window.video,
            max(first, pts - around),
            min(last, pts + around),
        )

    def _follow(self, question: Question, window: Window, part: CloseUp, end: int) -> int:
        """Where a span ends that reaches the end of a close-up."""
        for _ in range(_RUN_ON):
            if end < part.last or end >= len(window.pts):
                break
            first = max(part.first, end - _SHARED)
            part = CloseUp.of(window, first, end, back=False)
            more = self._ask(question, window, part, refuse=True)[2]
            end = max([end, *(last for begin, last in more if begin <= end)])
        return end

    def _precede(self, question: Question, window: Window, part: CloseUp, start: int) -> int:
        """Where a span starts that reaches back to the start of a close-up."""
        for _ in range(_RUN_ON):
            if start > part.first or start <= 0:
                break
            last = min(part.last, start + _SHARED)
            part = CloseUp.of(window, start, last, on=False)
            more = self._ask(question, window, part, refuse=True)[2]
            start = min([start, *(begin for begin, end in more if end >= start)])
        return start

    def _ask(
        self, question: Question, window: Window, part: CloseUp, refuse: bool = False
    ) -> tuple[str, float, list[tuple[int, int]]]:
        """What is said of a close-up, the chance that it occurs, and ranges of window frames."""
        looks, edges = self.shown(window, part)
        boundaries = Boundaries.of(looks, edges)
        answer = self.answer(question, window, part, looks, boundaries, refuse=refuse)
        ranges = boundaries.frames(eta.read(answer.text))
        return answer.text, answer.present, [(part.first + a, part.first + b) for a, b in ranges]


class Grounder(Follower):
    """Reads what the library stored of its footage."""

    def __init__(self, catalogue: Catalogue, decoder: Decoder, shape: CurveSettings) -> None:
        """`shape` is that of the spans which the decoder is given as a draft."""
        super().__init__(catalogue)
        self._decoder = decoder
        self._shape = shape

    def answer(
        self,
        question: Question,
        window: Window,
        part: CloseUp,
        looks: Sequence[Look],
        boundaries: Boundaries,
        *,
        refuse: bool,
    ) -> Said:
        prompt = build(question, looks, float(boundaries.edges[-1]), self._shape)
        return self._decoder.answer(prompt, boundaries.grammar(), refuse=refuse)
