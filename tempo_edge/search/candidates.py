"""Candidates: spans that may answer a query, each with how likely it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import MediaError
from tempo_edge.moment import Span
from tempo_edge.search.calibrate import FEATURES, Calibration, Chance, log_odds
from tempo_edge.search.curve import Bump, CurveSettings, bump_of, continued, ground
from tempo_edge.search.grounder import Reader, Reading
from tempo_edge.search.prompt import Question
from tempo_edge.search.retrieve import Window

__all__ = ["Candidate", "by_curve", "by_reading"]

# Two spans in one video that overlap by this much are one answer.
_SAME = 0.3

# Spans of one window at most, and pieces that they may be joined of.
_SPANS, _PIECES = 4, 16

# Candidates whose footage is read at least; more only while what is read is likely.
_READ = 5


@dataclass(frozen=True)
class Candidate:
    """A span before it is judged worth showing.

    Attributes:
        window: the footage it lies in; ``bump``: its frames there and how they look from outside.
        features: the facts it is judged by; those of :data:`FEATURES` are the last of them.
        confidence: probability in [0, 1] that the query occurs there.
        reading: what was answered about it, if it was read.
    """

    window: Window
    bump: Bump
    features: NDArray[np.float64]
    confidence: float
    reading: Reading | None = None

    @property
    def score(self) -> float:
        """Standard deviations above what the query scores on unrelated pictures."""
        return float(self.features[FEATURES.index("above_background") - len(FEATURES)])


def by_curve(
    windows: Sequence[Window], chance: Chance, settings: CurveSettings, calibration: Calibration
) -> list[Candidate]:
    """Spans cut out of similarity curves, most likely first."""

    def is_answer(similarity: float, floor: float) -> bool:
        features = chance.features(similarity, similarity, floor)
        return calibration.confidence(features) >= calibration.threshold

    found: list[Candidate] = []
    for window in windows:
        for bump in _spans(window, settings, chance.background_mean, is_answer):
            features = chance.features(bump.peak, bump.mean, bump.floor)
            found.append(Candidate(window, bump, features, calibration.confidence(features)))
    return _distinct(found)


def _spans(
    window: Window,
    settings: CurveSettings,
    chance: float,
    is_answer: Callable[[float, float], bool],
) -> list[Bump]:
    """The best spans of a window, each with all the pieces that continue it."""
    pieces = ground(window, settings, chance, limit=_PIECES)
    best = pieces[:_SPANS]
    if not best or not is_answer(best[0].peak, best[0].floor):
        return best
    whole = continued(window, settings, pieces, is_answer)
    return [bump for bump in whole if any(bump.first <= each.first <= bump.last for each in best)]


def by_reading(
    found: Sequence[Candidate],
    question: Question,
    chance: Chance,
    grounder: Reader,
    calibration: Calibration,
    checkpoint: Callable[[], None] = lambda: None,
) -> list[Candidate]:
    """Spans answered about the footage around the best of `found`, most likely first.

    What a grounder can't look at any more stays as it was found.
    `checkpoint` is called before each reading: it ends the search by raising.
    """
    answered: list[Candidate] = []
    seen: list[tuple[int, int, int]] = []
    for candidate in found:
        at = _peak(candidate)
        video = candidate.window.video_id
        if any(video == v and first <= at <= last for v, first, last in seen):
            continue
        checkpoint()
        try:
            window, reading = grounder.read(question, candidate.window, at)
        except MediaError:
            answered.append(candidate)
            continue
        part = window.pts[reading.close_up.first : reading.close_up.last]
        seen.append((video, int(part[0]), int(part[-1])))
        likely = False
        for first, last in reading.ranges:
            bump = bump_of(window, window.similarities, first, last - 1, candidate.bump.floor)
            facts = chance.features(bump.peak, bump.mean, bump.floor)
            features = np.concatenate([[log_odds(reading.present)], facts])
            confidence = calibration.confidence(features)
            answered.append(Candidate(window, bump, features, confidence, reading))
            likely |= confidence >= calibration.threshold
        if len(seen) >= _READ and not likely:
            break
    return _distinct(answered)


def _peak(candidate: Candidate) -> int:
    """The time stamp of a candidate's best frame."""
    bump, window = candidate.bump, candidate.window
    best = bump.first + int(np.argmax(window.similarities[bump.first : bump.last + 1]))
    return int(window.pts[best])


def _distinct(found: list[Candidate]) -> list[Candidate]:
    """The most likely first, without those that overlap a better one of the same video."""
    ordered = sorted(found, key=lambda c: (-c.confidence, -c.score, c.window.video_id, c.bump.span))
    kept: list[Candidate] = []
    spans: dict[int, list[Span]] = {}
    for candidate in ordered:
        taken = spans.setdefault(candidate.window.video_id, [])
        span = candidate.bump.span
        if all(span.iou(other) < _SAME for other in taken):
            taken.append(span)
            kept.append(candidate)
    return kept
