"""What is read is what the library holds, at its own times, and answers may run on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented import drawn

from tempo_edge import eta
from tempo_edge.models import load_profile
from tempo_edge.quantization import quantize
from tempo_edge.search.calibrate import Calibration
from tempo_edge.search.grounders import Materials
from tempo_edge.search.grounders.context_window import FRAMES, ContextWindow
from tempo_edge.search.grounders.decoder import AnswerDecoder, Reply
from tempo_edge.search.grounders.grammar import Grammar
from tempo_edge.search.grounders.mllm import MllmGrounder
from tempo_edge.search.grounders.prompt import STATE, VISUAL, WORD, Prompt, Question
from tempo_edge.search.similarity import CurveSettings
from tempo_edge.search.window import Window, open_window
from tempo_edge.store.interface import Catalogue, WritableCatalogue
from tempo_edge.store.opening import open_store
from tempo_edge.store.rows import FrameRow, VideoRow

DIM = 256
VECTOR = np.ones(DIM, np.float32) / 16


def _video(time_base: Fraction, start: Fraction, duration: float) -> VideoRow:
    return VideoRow("h264", 320, 240, duration, None, time_base, start)


def _frame(pts: int, cut: bool, cells: int) -> FrameRow:
    rng = np.random.default_rng(abs(pts) % 2**32)
    tokens = quantize(rng.normal(size=(cells, DIM))) if cells else np.zeros((0, DIM), np.int8)
    return FrameRow(
        pts, 0.1, cut, quantize(rng.normal(size=DIM)), np.arange(cells, dtype=np.uint8), tokens
    )


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[WritableCatalogue]:
    opened = open_store(tmp_path / "library.db").writer()
    yield opened
    opened.close()


def _window(catalogue: WritableCatalogue, ticks: list[int], video: VideoRow) -> Window:
    frames = [_frame(pts, i % 5 == 0, i % 3) for i, pts in enumerate(ticks)]
    with catalogue.transaction():
        number = catalogue.put_video(str(ticks).encode(), video, frames, np.zeros((0, 2)))
    return open_window(VECTOR, catalogue, number, video, -(2**60), 2**60)


class Scripted:
    """Answers as a function of the times that it was told, and keeps the prompts."""

    def __init__(self, script: Callable[[list[str], bool], str]) -> None:
        self._script, self.judges_presence = script, False
        self.prompts: list[Prompt] = []

    def answer(self, prompt: Prompt, grammar: Grammar, *, refuse: bool = False) -> Reply:
        self.prompts.append(prompt)
        said = "".join(eta.WORDS[w] for w in prompt.words[prompt.kinds == WORD])
        times = [part.partition("s>")[0] for part in said.split("<")[1:]]
        text = self._script(times, refuse)
        for token in eta.spell(text):
            grammar.take(token)  # whatever it says must be allowed
        return Reply(text, 0.75)


def grounder(catalogue: Catalogue, decoder: Scripted) -> MllmGrounder:
    nobody = Calibration.none_fitted()
    profile = load_profile("nano")
    materials = Materials(profile, catalogue, CurveSettings(), nobody, lambda video: None)
    return MllmGrounder(materials, cast("AnswerDecoder", decoder))


QUESTION = Question(np.ones((3, STATE), np.float32), VECTOR, 0.0, 0.1)


@given(
    gaps=st.lists(st.integers(1, 4000), min_size=3, max_size=40),
    start=st.integers(-90_000, 90_000),
    base=st.sampled_from([Fraction(1, 1000), Fraction(1, 90_000), Fraction(1001, 30_000)]),
)
def test_what_is_told_is_what_the_file_says(
    tmp_path_factory: pytest.TempPathFactory, gaps: list[int], start: int, base: Fraction
) -> None:
    """Variable frame rate, a start offset, sparse and uneven looks: exact to the told tenth."""
    step = max(1, int(Fraction(1, 1000) / base))
    ticks = (start + np.cumsum([0, *gaps]) * step).tolist()
    store = open_store(tmp_path_factory.mktemp("c") / "library.db").writer()
    try:
        video = _video(base, start * base, float((ticks[-1] - start) * base) + 1.0)
        window = _window(store, ticks, video)
        decoder = Scripted(lambda times, _: "none")
        wide, grounding = grounder(store, decoder).look(QUESTION, window, ticks[0])
    finally:
        store.close()
    part = grounding.context
    prompt = decoder.prompts[0]
    said = "".join(eta.WORDS[w] for w in prompt.words[prompt.kinds == WORD])
    told = [Fraction(each.partition("s>")[0]) for each in said.split("<")[1:]]
    origin = int(wide.pts[part.first])
    exact = [(int(pts) - origin) * base for pts in wide.pts[part.first : part.last]]
    assert len(told) == len(exact) + 1  # and the end of the context window
    assert all(abs(a - b) <= Fraction(1, 20) for a, b in zip(told, exact, strict=False))
    assert int((prompt.kinds == VISUAL).sum()) == sum(
        1 + i % 3 for i in range(part.first, part.last)
    )


def test_ranges_are_frames_and_their_edges_are_the_library_s(catalogue: WritableCatalogue) -> None:
    ticks = [0, 1000, 2000, 5000, 6000, 7000]
    window = _window(catalogue, ticks, _video(Fraction(1, 1000), Fraction(0), 8.0))
    decoder = Scripted(lambda times, _: "1.0-5.0;6.0-7.0")
    wide, grounding = grounder(catalogue, decoder).look(QUESTION, window, 5000)
    assert grounding.ranges == ((1, 3), (4, 5))
    assert (grounding.said, grounding.present) == ("1.0-5.0;6.0-7.0", 0.75)
    assert wide.edges[1] == 0.5  # between two looks
    assert wide.edges[5] == 7.0  # at a cut, the cut


def test_an_answer_that_reaches_the_end_is_followed_as_long_as_it_goes_on(
    catalogue: WritableCatalogue,
) -> None:
    ticks = [1000 * i for i in range(300)]
    window = _window(catalogue, ticks, _video(Fraction(1, 1000), Fraction(0), 300.0))
    calls: list[bool] = []

    def everything(times: list[str], refuse: bool) -> str:
        calls.append(refuse)
        return f"{times[0]}-{times[-1]}"

    _, grounding = grounder(catalogue, Scripted(everything)).look(QUESTION, window, 150_000)
    assert grounding.ranges == ((0, 300),)
    assert calls[0] is False and all(calls[1:])  # grounding on, it may refuse
    assert grounding.context.last - grounding.context.first == FRAMES

    def first_only(times: list[str], refuse: bool) -> str:
        return "none" if refuse else f"{times[0]}-{times[-1]}"

    _, grounding = grounder(catalogue, Scripted(first_only)).look(QUESTION, window, 150_000)
    assert grounding.ranges == ((grounding.context.first, grounding.context.last),)


@pytest.mark.parametrize(("apart", "further"), [(8, 48), (9, 0)])
def test_an_answer_that_runs_on_goes_on_where_it_left_off(
    catalogue: WritableCatalogue, apart: int, further: int
) -> None:
    """A span that touches what was said before is part of it; one after a pause is not."""
    ticks = [1000 * i for i in range(300)]
    window = _window(catalogue, ticks, _video(Fraction(1, 1000), Fraction(0), 300.0))

    def script(times: list[str], refuse: bool) -> str:
        # Eight frames of what is read further are frames that were read before.
        return f"{times[apart]}-{times[-1 - apart]}" if refuse else f"{times[0]}-{times[-1]}"

    _, grounding = grounder(catalogue, Scripted(script)).look(QUESTION, window, 150_000)
    part = grounding.context
    assert grounding.ranges == ((part.first - further, part.last + further),)


def test_no_answer_reaches_over_a_hole(catalogue: WritableCatalogue) -> None:
    ticks = [*range(0, 20_000, 1000), *range(90_000, 110_000, 1000)]
    video = replace(_video(Fraction(1, 1000), Fraction(0), 40.0), holes=((20_000, 90_000),))
    window = _window(catalogue, ticks, video)
    asked = grounder(catalogue, Scripted(lambda times, _: f"{times[0]}-{times[-1]}"))
    for pts, seconds in ((10_000, (0.0, 20.0)), (100_000, (90.0, 110.0))):
        clipped = open_window(VECTOR, catalogue, window.video_id, video, *video.stretch(pts))
        wide, grounding = asked.look(QUESTION, clipped, pts)
        ((first, last),) = grounding.ranges
        assert (wide.edges[first], wide.edges[last]) == seconds


def test_footage_that_hardly_changes_can_be_read(catalogue: WritableCatalogue) -> None:
    ticks = [0, 400_000, 800_000]
    window = _window(catalogue, ticks, _video(Fraction(1, 1000), Fraction(0), 1200.0))
    decoder = Scripted(lambda times, _: f"{times[0]}-{times[-1]}")
    _, grounding = grounder(catalogue, decoder).look(QUESTION, window, 400_000)
    assert grounding.ranges[0][0] <= 1 < grounding.ranges[0][1]


@given(st.integers(1, 200), st.integers(0, 199), st.floats(0.2, 30.0))
def test_a_close_up_is_the_most_that_fits(count: int, middle: int, gap: float) -> None:
    middle = min(middle, count - 1)
    pts = np.rint(np.arange(count) * gap * 1000).astype(np.int64)
    times = pts / 1000
    edges = np.concatenate([times[:1], (times[:-1] + times[1:]) / 2, [times[-1] + gap / 2]])
    window = Window(
        1,
        _video(Fraction(1, 1000), Fraction(0), float(edges[-1])),
        pts,
        edges,
        np.zeros(count, np.bool_),
        np.zeros(count, np.float32),
    )
    part = ContextWindow.of(window, middle, middle + 1)
    assert 0 <= part.first <= middle < part.last <= count
    assert part.last - part.first <= FRAMES
    assert edges[part.last] - times[part.first] < eta.LONGEST_SECONDS

    # One frame more at either end would be too many, or run on for longer than there are words.
    limit = eta.LONGEST_SECONDS - 0.1
    if part.first > 0 and part.last - part.first < FRAMES:
        assert edges[part.last] - times[part.first - 1] >= limit
    if part.last < count and part.last - part.first < FRAMES:
        assert edges[part.last + 1] - times[part.first] >= limit


@pytest.mark.parametrize(("before", "after"), [(1.0, 1.0), (0.25, 2.0), (2.0, 0.25), (0.5, 0.125)])
def test_a_close_up_shows_as_much_time_before_as_after(before: float, after: float) -> None:
    """However many frames that is on either side."""
    times = [*(-before * n for n in range(100, 0, -1)), *(after * n for n in range(100))]
    window = drawn([0.5] * 200, seconds=(np.asarray(times) - times[0]).tolist())
    part = ContextWindow.of(window, 100, 101)
    assert part.last - part.first == FRAMES
    assert abs(times[part.first] + times[part.last - 1]) <= max(before, after)
