"""A prompt says the true time of every frame, and shows what the library holds of it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge import eta
from tempo_edge.search.grounders.prompt import (
    AGREEMENT,
    ANSWER,
    DRAFTED,
    EVIDENCE,
    NEARNESS,
    QUERY,
    STATE,
    TENTHS,
    VISUAL,
    WIDTH,
    WORD,
    Z_SCORE_SCALE,
    FrameTokens,
    Question,
    build,
)
from tempo_edge.search.similarity import CurveSettings


def unit(count: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, 256))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


SHAPE = CurveSettings()
QUESTION = Question(np.ones((5, STATE), np.float32), unit(1, 0)[0], 0.1, 0.05)


def look(seconds: float | Fraction, tokens: int = 0, cut: bool = False) -> FrameTokens:
    return FrameTokens(
        seconds, cut, unit(1, 1)[0], np.arange(tokens, dtype=np.uint8), unit(tokens, 2)
    )


def _said(prompt_words: np.ndarray, kinds: np.ndarray) -> str:
    return "".join(
        eta.WORDS[word] if kind in (WORD, ANSWER) else "qv"[kind - 1]
        for word, kind in zip(prompt_words, kinds, strict=True)
    )


def test_query_then_times_each_before_its_frame() -> None:
    prompt = build(QUESTION, [look(0.0), look(Fraction(124, 10), 2), look(15.84)], 20.0, SHAPE)
    said = _said(prompt.words, prompt.kinds)
    assert said == "[query]qqqqq[frames]<0.0s>v<12.4s>vvv<15.8s>v<20.0s>[answer]"
    assert prompt.features.shape == (len(prompt), WIDTH)
    assert (prompt.features[prompt.kinds == WORD] == 0).all()
    seen = prompt.kinds == VISUAL
    # One of ten, and nothing else of a sight lies there.
    assert (prompt.features[seen][:, TENTHS].sum(axis=1) == 1.0).all()
    assert TENTHS.stop - TENTHS.start == 10
    tenths = prompt.features[seen][:, TENTHS].argmax(axis=1)
    said = zip(prompt.words[seen], tenths, strict=True)
    carried = [eta.WORDS[word] + f".{tenth}" for word, tenth in said]
    assert carried == ["0.0", "12.4", "12.4", "12.4", "15.8"]
    asked = prompt.features[prompt.kinds == QUERY]
    assert np.allclose(asked[:, :STATE], STATE**-0.5) and (asked[:, STATE:] == 0).all()


@given(st.lists(st.fractions(0, 99), min_size=1, max_size=12))
def test_every_time_is_told_to_the_tenth_whatever_the_sampling(times: list[Fraction]) -> None:
    times.sort()
    prompt = build(QUESTION, [look(time) for time in times], times[-1], SHAPE)
    said = _said(prompt.words, prompt.kinds).split("[frames]")[1].split("[answer]")[0]
    told = [Fraction(part[1:-2]) for part in said.split("v")[:-1]]
    assert all(abs(a - b) <= Fraction(1, 20) for a, b in zip(told, times, strict=True))


def test_a_frame_carries_its_nearness_its_cut_and_its_cell() -> None:
    prompt = build(QUESTION, [look(1.0, 1, cut=True)], 2.0, SHAPE)
    whole, part = prompt.features[prompt.kinds == VISUAL]
    near = float(unit(1, 1)[0] @ QUESTION.vector)
    height = (near - 0.1) / 0.05
    # Its height and how far below the best; in, first in, not first out; all of it is new.
    alone = [4 * near, height / 2, 1.0, height / 2, 0.0, 1.0, 1.0, 0.0, 2.0]
    assert whole[NEARNESS] == pytest.approx(alone, abs=1e-3)
    assert part[NEARNESS][3:].tolist() == whole[NEARNESS][3:].tolist()
    assert whole[AGREEMENT].sum() == pytest.approx(16 * near, abs=1e-2)
    of_part = 16 * float(unit(1, 2)[0] @ QUESTION.vector)
    assert part[AGREEMENT].sum() == pytest.approx(of_part, abs=1e-2)
    assert whole[NEARNESS.stop :].tolist()[:3] == [1.0, 0.0, 0.0]
    assert part[NEARNESS.stop :].tolist()[:3] == [0.0, 1.0, 0.0]


def test_a_frame_is_told_where_it_stands_even_below_later_ones() -> None:
    none = np.zeros(0, np.uint8), np.zeros((0, 256), np.float32)
    asked, other = QUESTION.vector, unit(1, 5)[0]
    rows = [other, asked, asked, other, unit(1, 6)[0]]
    looks = [FrameTokens(float(i), False, row, *none) for i, row in enumerate(rows)]
    prompt = build(QUESTION, looks, 5.0, SHAPE)
    heights = np.array([QUESTION.z_score(row) for row in rows])
    told = prompt.features[prompt.kinds == VISUAL][:, NEARNESS][:, 3:] * 2
    assert told[:, 0] == pytest.approx(heights, abs=1e-3)
    assert told[:, 1] == pytest.approx(heights.max() - heights, abs=1e-3)
    inside, first, after = (told[:, 2:5] > 0).T.tolist()
    assert inside == [0, 1, 1, 0, 0]
    assert first == [0, 1, 0, 0, 0]
    assert after == [0, 0, 0, 1, 0]
    change = [1.0, 1 - float(other @ asked), 0.0, 1 - float(other @ asked)]
    assert told[:4, 5] / 4 == pytest.approx(change, abs=1e-3)


def test_an_answer_carries_the_draft_and_what_speaks_for_it() -> None:
    none = np.zeros(0, np.uint8), np.zeros((0, 256), np.float32)
    asked, other = QUESTION.vector, unit(1, 5)[0]
    rows = [other, asked, asked, other]
    looks = [FrameTokens(float(i), False, row, *none) for i, row in enumerate(rows)]
    prompt = build(QUESTION, looks, 4.0, SHAPE)
    assert prompt.kinds[-1] == ANSWER and prompt.words[-1] == eta.TOKEN["[answer]"]
    said = eta.spell("1.0-3.0")
    rows = [prompt.features[-1], *prompt.notes(said)]
    drafted = [int(row[DRAFTED].argmax()) for row in rows]
    assert drafted == [*said, eta.TOKEN["[end]"]]
    assert all((row[DRAFTED] > 0).sum() == 1 for row in rows)
    assert rows[0][AGREEMENT].sum() == pytest.approx(16, abs=1e-2)
    assert rows[0][NEARNESS][0] * 2 == pytest.approx(QUESTION.z_score(asked), abs=1e-3)
    assert (rows[2][NEARNESS] == rows[0][NEARNESS]).all()
    # A tenth that the draft doesn't name leaves nothing to say.
    assert not prompt.note(eta.spell("2"))[DRAFTED].any()


def test_the_evidence_says_how_near_the_query_is_and_whether_another_is_nearer() -> None:
    shown, asked = unit(2, 3), unit(1, 1)[0]
    question = Question(np.ones((2, STATE), np.float32), asked, 0.1, 0.05)
    near = [look(0.0), FrameTokens(2.0, False, shown[0], np.zeros(0, np.uint8), unit(0, 2))]
    z_score, margin = build(question, near, 4.0, SHAPE).features[-1, EVIDENCE] / Z_SCORE_SCALE
    assert z_score == pytest.approx((1.0 - 0.1) / 0.05, rel=1e-5)
    assert margin == pytest.approx(-2.3)  # nothing is known: as mostly
    # Counterfactuals that are far, and one of which a frame is nearer than any is to the query.
    far = replace(question, contrary=-asked[None])
    assert build(far, near, 4.0, SHAPE).features[-1, EVIDENCE][1] == pytest.approx(0.0, abs=1e-6)
    tilted = unit(1, 1)[0] + 0.5 * shown[1]
    other = replace(question, vector=(tilted / np.linalg.norm(tilted)), contrary=asked[None])
    loud = np.array([float(other.vector @ asked), 1.0]) / (0.2 * 0.05)
    told = build(other, near, 4.0, SHAPE).features[-1, EVIDENCE][1] / Z_SCORE_SCALE
    assert told == pytest.approx(loud[0] - np.logaddexp(*loud), rel=1e-4) and told < -1.0


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match=r"frames \[\] must hold"):
        build(QUESTION, [], 3.0, SHAPE)
    with pytest.raises(ValueError, match=r"frame at 1\.0 s must not come before"):
        build(QUESTION, [look(2.0), look(1.0)], 3.0, SHAPE)
    odd = FrameTokens(0.0, False, unit(1, 1)[0], np.array([9], np.uint8), unit(1, 2))
    with pytest.raises(ValueError, match="cell 9 must be within"):
        build(QUESTION, [odd], 1.0, SHAPE)
    with pytest.raises(ValueError, match=r"window's end at 1\.0 s must not come before"):
        build(QUESTION, [look(2.0)], 1.0, SHAPE)
    with pytest.raises(ValueError, match=r"states of shape \(0, 384\)"):
        Question(np.zeros((0, STATE), np.float32), unit(1, 0)[0], 0.0, 1.0)
    narrow = Question(np.zeros((3, 32), np.float32), unit(1, 0)[0], 0.0, 1.0)
    with pytest.raises(ValueError, match=r"states of shape \(3, 32\) must be \[l, 384\]"):
        build(narrow, [look(2.0)], 3.0, SHAPE)
    with pytest.raises(ValueError, match=r"std 0\.0 must be positive"):
        Question(np.ones((1, STATE), np.float32), unit(1, 0)[0], 0.0, 0.0)
