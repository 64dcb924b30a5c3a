"""Grounders that ask a model about the frames around the best candidates, and follow its answers.

A model is shown as many frames as fit into one context window. Where an answer runs into the
window's end it is asked on there, so a moment may be longer than what is shown at once.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tempo_edge import eta
from tempo_edge.errors import MediaError
from tempo_edge.search.calibrate import READ_FEATURES, Calibration, NullDistribution, log_odds
from tempo_edge.search.candidates import Candidate, distinct
from tempo_edge.search.continuity import joined
from tempo_edge.search.grounders.base import Grounder
from tempo_edge.search.grounders.boundaries import Boundaries
from tempo_edge.search.grounders.context_window import ContextWindow, Grounding, frame_tokens_of
from tempo_edge.search.grounders.curve import CurveGrounder
from tempo_edge.search.grounders.decoder import Reply
from tempo_edge.search.grounders.prompt import FrameTokens, Question
from tempo_edge.search.similarity import segment_of
from tempo_edge.search.window import Window

__all__ = ["WindowedGrounder"]

# Context windows that an answer may run on for, before and after the first one each.
_RUN_ON = 8

# Frames of the context window before that the next one repeats: a model must see what goes on.
_SHARED = 8

# Candidates whose footage is asked about at least; more only while what is answered is likely.
_ASKED = 5


class WindowedGrounder(Grounder):
    """Asks a model about context windows around candidates of the similarity curve."""

    features: ClassVar[tuple[str, ...]] = READ_FEATURES
    # A context window has no more than this, and an answer runs on for no more of them.
    context_seconds: ClassVar[float] = (1.0 + _RUN_ON) * eta.LONGEST_SECONDS

    @abstractmethod
    def answer(
        self,
        question: Question,
        window: Window,
        context: ContextWindow,
        frames: Sequence[FrameTokens],
        boundaries: Boundaries,
        *,
        refuse: bool,
    ) -> Reply:
        """The model's reply about a context window of these frames and boundaries, in its seconds.

        With `refuse` that may be ``none``.

        Raises:
            MediaError: it can't be shown the frames any more.
        """

    def ground(
        self,
        question: Question,
        windows: Sequence[Window],
        null: NullDistribution,
        calibration: Calibration,
        checkpoint: Callable[[], None] = lambda: None,
        *,
        parts: bool = False,
    ) -> list[Candidate]:
        """Spans answered about the footage around the curve's candidates.

        What can't be looked at any more stays as the curve found it.
        """
        curve = CurveGrounder(self.materials)
        found = curve.ground(question, windows, null, self.materials.curve, checkpoint, parts=parts)
        return self.ask(found, question, null, calibration, checkpoint, parts=parts)

    def ask(
        self,
        found: Sequence[Candidate],
        question: Question,
        null: NullDistribution,
        calibration: Calibration,
        checkpoint: Callable[[], None] = lambda: None,
        *,
        parts: bool = False,
    ) -> list[Candidate]:
        """Spans answered about the footage around the best of `found`, most likely first.

        `checkpoint` is called before each question to the model. With `parts` spans stay as the
        model said them.
        """
        answered: list[Candidate] = []
        seen: list[tuple[int, int, int]] = []
        for candidate in found:
            tick, video = _peak(candidate), candidate.window.video_id
            if any(video == v and first <= tick <= last for v, first, last in seen):
                continue
            checkpoint()
            try:
                window, grounding = self._kept(question, candidate.window, tick)
            except MediaError:
                answered.append(candidate)
                continue
            shown = window.pts[grounding.context.first : grounding.context.last]
            seen.append((video, int(shown[0]), int(shown[-1])))
            judged = [
                self._judged(window, grounding, at, candidate.segment.floor, null, calibration)
                for at in grounding.ranges
            ]
            if parts:
                answered += judged
            else:
                curve = window.similarities.astype(np.float64)
                answered += joined(judged, curve, self.materials.settings, null)
            likely = any(each.confidence >= calibration.threshold for each in judged)
            if len(seen) >= _ASKED and not likely:
                break
        return distinct(answered)

    @staticmethod
    def _judged(
        window: Window,
        grounding: Grounding,
        frames: tuple[int, int],
        floor: float,
        null: NullDistribution,
        calibration: Calibration,
    ) -> Candidate:
        """The candidate of a range of a window's frames, as the calibration judges it."""
        first, last = frames
        segment = segment_of(window, window.similarities, first, last - 1, floor)
        facts = null.features(
            segment.peak, segment.mean, segment.floor, window.pooled(first, last - 1)
        )
        features = np.concatenate([[log_odds(grounding.present)], facts])
        return Candidate(window, segment, features, calibration.confidence(features), grounding)

    def _kept(self, question: Question, window: Window, pts: int) -> tuple[Window, Grounding]:
        """The grounding around a frame, from what is kept of earlier ones if it is there."""
        kept = self.materials.groundings
        if kept is None:
            return self.look(question, window, pts)
        key = (self.name, question.text, window.video_id, pts)
        if key not in kept:
            kept[key] = self.look(question, window, pts)
        return kept[key]

    def look(self, question: Question, window: Window, pts: int) -> tuple[Window, Grounding]:
        """Ask about the footage around the frame at tick `pts`, and follow answers that run on.

        Returns the grounding, and the window whose frames it speaks of: all that was read around
        the given one.

        Raises:
            MediaError: the model can't be shown the frames any more.
        """
        window = window.widest
        middle = int(np.searchsorted(window.pts, pts))
        context = ContextWindow.of(window, middle, middle + 1)
        said, present, ranges = self._ask(question, window, context)
        if ranges:
            ranges[-1] = (ranges[-1][0], self._follow(question, window, context, ranges[-1][1]))
            ranges[0] = (self._precede(question, window, context, ranges[0][0]), ranges[0][1])
        return window, Grounding(context, said, present, tuple(ranges))

    def shown(
        self, window: Window, context: ContextWindow
    ) -> tuple[list[FrameTokens], NDArray[np.float64]]:
        """The frames of a context window and the boundaries ``[n + 1]`` between them, in seconds.

        Both count from its first frame, and are what the model is told.
        """
        frames = frame_tokens_of(self.materials.catalogue, window, context)
        return frames, context.edges(window)

    def _follow(self, question: Question, window: Window, context: ContextWindow, end: int) -> int:
        """Where a span ends that reaches the end of a context window."""
        for _ in range(_RUN_ON):
            if end < context.last or end >= len(window.pts):
                break
            first = max(context.first, end - _SHARED)
            context = ContextWindow.of(window, first, end, back=False)
            more = self._ask(question, window, context, refuse=True)[2]
            end = max([end, *(last for begin, last in more if begin <= end)])
        return end

    def _precede(
        self, question: Question, window: Window, context: ContextWindow, start: int
    ) -> int:
        """Where a span starts that reaches back to the start of a context window."""
        for _ in range(_RUN_ON):
            if start > context.first or start <= 0:
                break
            last = min(context.last, start + _SHARED)
            context = ContextWindow.of(window, start, last, on=False)
            more = self._ask(question, window, context, refuse=True)[2]
            start = min([start, *(begin for begin, end in more if end >= start)])
        return start

    def _ask(
        self, question: Question, window: Window, context: ContextWindow, refuse: bool = False
    ) -> tuple[str, float, list[tuple[int, int]]]:
        """The answer about a context window, the chance that it occurs, and ranges of frames."""
        frames, edges = self.shown(window, context)
        boundaries = Boundaries.of(frames, edges)
        reply = self.answer(question, window, context, frames, boundaries, refuse=refuse)
        ranges = boundaries.frames(eta.read(reply.text))
        return (
            reply.text,
            reply.present,
            [(context.first + a, context.first + b) for a, b in ranges],
        )


def _peak(candidate: Candidate) -> int:
    """The time stamp of a candidate's best frame."""
    segment, window = candidate.segment, candidate.window
    best = segment.first + int(np.argmax(window.similarities[segment.first : segment.last + 1]))
    return int(window.pts[best])
