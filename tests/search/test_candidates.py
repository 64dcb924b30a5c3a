"""Candidates: how many are read, and which of those that overlap are kept."""

from __future__ import annotations

from typing import Any, ClassVar, cast

import numpy as np
import pytest
from invented import QUERY, drawn

from tempo_edge.errors import MediaError
from tempo_edge.models import load_profile
from tempo_edge.search.calibrate import FEATURES, READ_FEATURES, Calibration, NullDistribution
from tempo_edge.search.candidates import Candidate, rivals_of
from tempo_edge.search.grounders import Materials
from tempo_edge.search.grounders.context_window import ContextWindow, Grounding
from tempo_edge.search.grounders.curve import by_curve
from tempo_edge.search.grounders.decoder import Reply
from tempo_edge.search.grounders.prompt import STATE, Question
from tempo_edge.search.grounders.windowed import WindowedGrounder
from tempo_edge.search.similarity import CurveSettings
from tempo_edge.search.window import Window
from tempo_edge.store.interface import Catalogue

CHANCE = NullDistribution(0.0, 0.1, 0.0, 0.1, 1000)
QUESTION = Question(np.ones((2, STATE), np.float32), QUERY, 0.0, 0.1)
SHAPE = CurveSettings(keep=0.5, seed=0.8, smooth=0.0, join_seconds=0.0)

NOTHING = Calibration(np.zeros(len(FEATURES)), 0.0, 0.5)

# What is seen counts for nothing, what is read for all.
BELIEVING = Calibration(np.eye(len(READ_FEATURES))[0], 0.0, 0.5)
LOOKING = Calibration(10 * np.eye(len(FEATURES))[FEATURES.index("similarity")], -5.0, 0.5)


class Teller(WindowedGrounder):
    """Reads films by number: how likely each is, and which frames show it."""

    name: ClassVar[str] = "teller"
    calibration: ClassVar[str | None] = None

    def __init__(
        self, present: dict[int, float], ranges: tuple[tuple[int, int], ...] = ((1, 3),)
    ) -> None:
        catalogue = cast("Catalogue", None)  # what it says is made up
        super().__init__(
            Materials(load_profile("nano"), catalogue, SHAPE, NOTHING, lambda video: None)
        )
        self._present, self._ranges = present, ranges
        self.read_of: list[int] = []

    def answer(self, *asked: Any, refuse: bool) -> Reply:
        raise NotImplementedError

    def look(self, question: Question, window: Window, pts: int) -> tuple[Window, Grounding]:
        self.read_of.append(window.video_id)
        present = self._present[window.video_id]
        if present < 0:
            raise MediaError("is not there any more")
        context = ContextWindow(0, len(window.pts))
        return window, Grounding(context, "said", present, self._ranges)


def found(count: int) -> list[Candidate]:
    """One candidate in each of some films, numbered from the likeliest on."""
    windows = [drawn([0, 0.9 - n / 100, 0.9 - n / 100, 0], video=n) for n in range(count)]
    return by_curve(windows, CHANCE, SHAPE, LOOKING)


@pytest.mark.parametrize(
    ("unlikely", "read"),
    [
        ((), 9),  # as long as what is read is likely, the next may be so too
        ((6,), 7),
        ((4,), 5),
        ((0, 1, 2), 9),  # five are read in any case
        ((0, 1, 2, 3, 4), 5),
    ],
)
def test_reading_goes_on_while_what_is_read_is_likely(unlikely: tuple[int, ...], read: int) -> None:
    teller = Teller({n: 0.2 if n in unlikely else 0.9 for n in range(9)})
    answered = teller.ask(found(9), QUESTION, CHANCE, BELIEVING)
    assert teller.read_of == list(range(read))
    assert len(answered) == read
    likely = [c.window.video_id for c in answered if c.confidence >= BELIEVING.threshold]
    assert sorted(likely) == [n for n in range(read) if n not in unlikely]


def test_what_can_not_be_read_is_no_reading() -> None:
    """Films that are offline stay as they were found, and others are read in their place."""
    teller = Teller({n: -1.0 if n < 3 else 0.2 for n in range(12)})
    answered = teller.ask(found(12), QUESTION, CHANCE, BELIEVING)
    assert teller.read_of == list(range(8))
    assert {c.window.video_id for c in answered if c.grounding is None} == {0, 1, 2}


def test_footage_that_was_read_is_not_read_again() -> None:
    """Two peaks of one film in one context window are one question."""
    twice = by_curve([drawn([0, 0.9, 0, 0, 0.88, 0])], CHANCE, SHAPE, LOOKING)
    assert len(twice) == 2
    teller = Teller({1: 0.9})
    teller.ask(twice, QUESTION, CHANCE, BELIEVING)
    assert teller.read_of == [1]


def test_of_spans_that_overlap_in_one_film_the_likeliest_is_kept() -> None:
    early = drawn([0, 0.8, 0.8, 0.8, 0, 0])  # [0.5, 3.5)
    late = drawn([0, 0, 0.9, 0.9, 0, 0])  # [1.5, 3.5): two thirds of both
    apart = drawn([0, 0, 0, 0, 0.7, 0.7])
    other = drawn([0, 0.8, 0.8, 0.8, 0, 0], video=2)
    kept = by_curve([early, late, apart, other], CHANCE, SHAPE, LOOKING)
    spans = [(c.window.video_id, c.segment.span.start_seconds) for c in kept]
    assert spans == [(1, 1.5), (2, 0.5), (1, 3.5)]


def test_what_was_read_is_shown_where_it_was_read() -> None:
    """From the first frame of a range on to its last, which is the one before its end."""
    teller = Teller({1: 0.9}, ((1, 3), (4, 5)))
    seen = by_curve([drawn([0, 0.9, 0.7, 0, 0.5, 0])], CHANCE, SHAPE, LOOKING)
    answered = teller.ask(seen[:1], QUESTION, CHANCE, BELIEVING)
    shown = sorted(
        (c.segment.first, c.segment.last, c.segment.peak, c.segment.mean) for c in answered
    )
    assert np.allclose(shown, [(1, 2, 0.9, 0.8), (4, 4, 0.5, 0.5)])
    spans = sorted((c.segment.span.start_seconds, c.segment.span.end_seconds) for c in answered)
    assert spans == [(0.5, 2.5), (3.5, 4.5)]


def test_rivals_are_other_videos_that_are_nearly_as_likely() -> None:
    best = (1, 0.7)
    assert rivals_of([]) == 0
    assert rivals_of([best, (1, 0.69)]) == 0  # more of the same video
    assert rivals_of([best, (2, 0.69), (3, 0.47), (3, 0.47)]) == 2
    assert rivals_of([best, (2, 0.46), (3, 0.1)]) == 0  # 1.0 of log-odds below
    assert rivals_of([(1, 0.99), (2, 0.98), (3, 0.97)]) == 1
