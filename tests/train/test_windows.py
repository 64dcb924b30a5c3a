"""Made-up windows are windows that a search could meet, and their answers are true."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

pytest.importorskip("torch")


import archives

from benchmarks.windows import Evenly
from tempo_edge.models import load_profile
from tempo_edge.quantization import dequantize, quantize, unit
from tempo_edge.search.grounders.prompt import FrameTokens
from tempo_edge.train.data.archives import Archive, DataError
from tempo_edge.train.grounder.synthetic import feature_bank as banks
from tempo_edge.train.grounder.synthetic.camera import STOPS, TAKES, film, passing
from tempo_edge.train.grounder.synthetic.feature_bank import FeatureBank
from tempo_edge.train.grounder.synthetic.mix import Mix
from tempo_edge.train.grounder.synthetic.windows import SyntheticWindows, draw

WORDS = ("dog", "man", "girl", "horse")


def _bank(count: int = 60) -> FeatureBank:
    rng = np.random.default_rng(0)
    captions = [(f"a {WORDS[i % 4]} runs in place {i}",) for i in range(count)]
    near = np.array([[(i + step) % count for step in range(1, 5)] for i in range(count)])
    return FeatureBank(
        quantize(rng.normal(size=(count, TAKES, STOPS, 256))),
        quantize(rng.normal(size=(count, TAKES, STOPS, 9, 256))),
        unit(rng.normal(size=(10, 256)).astype(np.float32)),
        captions,
        near,
    )


BANK = _bank()


@settings(max_examples=60)
@given(st.integers(0, 10_000))
def test_looks_are_in_order_and_answers_lie_in_the_window(seed: int) -> None:
    example = draw(BANK, Mix(), np.random.default_rng(seed))
    times = [float(look.seconds) for look in example.looks]
    assert times == sorted(times)
    assert len(times) <= 64
    assert (np.diff(example.edges) >= 0).all()
    assert bool(example.spans) == (example.kind == "present")
    for start, end in example.spans:
        assert 0.0 <= start < end <= example.edges[-1] + 1e-9
    ends = [end for _, end in example.spans]
    assert all(start > end for (start, _), end in zip(example.spans[1:], ends, strict=False))


def _nearest(look: FrameTokens) -> tuple[int, int]:
    """The picture and the take that a look is most like."""
    near = unit(dequantize(BANK.vectors)) @ look.vector
    picture, take, _ = np.unravel_index(int(near.argmax()), near.shape)
    return int(picture), int(take)


def test_what_is_asked_for_is_seen_where_the_answer_says() -> None:
    rng = np.random.default_rng(1)
    for _ in range(40):
        example = draw(BANK, Mix(absent=0.0, fades=0.0, uncut=0.0), rng)
        picture = int(example.query.rsplit(" ", 1)[1])
        for look in example.looks:
            inside = any(s <= float(look.seconds) < e for s, e in example.spans)
            assert (_nearest(look)[0] == picture) == inside


def test_a_shot_is_one_take_until_it_is_cut() -> None:
    rng = np.random.default_rng(6)
    one = Mix(shots=(1, 1), repeated=0.0, alike=0.0, uncut=0.0)
    takes = []
    for _ in range(20):
        looks = draw(BANK, replace(one, inner_cut=1.0), rng).looks
        seen = [_nearest(look) for look in looks]
        for before, now, look in zip(seen, seen[1:], looks[1:], strict=False):
            assert look.cut == (now != before)
        takes.append(len(set(seen)))
    assert max(takes) == 2
    still = replace(one, shots=(2, 2), inner_cut=0.0, fades=0.0, still=1.0)
    assert all(len(draw(BANK, still, rng).looks) == 2 for _ in range(20))


def test_a_fade_mixes_what_it_joins_and_may_pass_through_black() -> None:
    rng = np.random.default_rng(4)
    mix = Mix(
        shots=(2, 2), repeated=0.0, alike=0.0, absent=0.0, fades=1.0, inner_cut=0.0, uncut=0.0
    )
    mixed = dark = 0
    for _ in range(60):
        for look in draw(BANK, mix, rng).looks:
            likes = np.sort((unit(dequantize(BANK.vectors)) @ look.vector).max(axis=(1, 2)))
            mixed += likes[-1] < 0.95 and likes[-2] > 0.3
            dark += float(BANK.black[0] @ look.vector) > 0.7
    assert mixed > 20 and dark > 3


def test_a_window_without_cuts_is_one_long_shot() -> None:
    rng = np.random.default_rng(8)
    mix, beside, bare = Mix(absent=0.0, uncut=1.0, noise=(0.0, 0.0)), 0, 0
    likeness = unit(dequantize(BANK.vectors))
    for _ in range(40):
        example = draw(BANK, mix, rng)
        assert example.uncut and [look.cut for look in example.looks].count(True) == 1
        (target,) = example.about
        assert example.shown - {target} <= set(BANK.near[target].tolist())
        beside += len(example.shown) > 1
        steps = np.diff([float(look.seconds) for look in example.looks])
        assert steps.max() < 1.9 and 0.5 < np.median(steps) < 1.5
        for look in example.looks:
            shows = float((likeness[target] @ look.vector).max())
            others = float(
                (likeness[sorted(example.shown - {target})] @ look.vector).max(initial=0.0)
            )
            nearest = min(abs(float(look.seconds) - at) for span in example.spans for at in span)
            inside = any(s <= float(look.seconds) < e for s, e in example.spans)
            # Beyond the blend only one of them is to be seen.
            if nearest > 2.5:
                assert (shows > others) == inside
            bare += shows > 0.3 and others > 0.3
    assert beside > 30 and bare > 40  # some frames show both
    assert not any(draw(BANK, Mix(uncut=0.0), rng).uncut for _ in range(10))


def test_frames_that_are_only_counted_are_told_evenly() -> None:
    seed = 3
    timed = SyntheticWindows(BANK, Mix()).draw(np.random.default_rng(seed))
    counted = Evenly(SyntheticWindows(BANK, Mix())).draw(np.random.default_rng(seed))
    assert (counted.query, counted.spans) == (timed.query, timed.spans)
    steps = np.diff([float(look.seconds) for look in counted.looks])
    assert steps == pytest.approx(float(timed.edges[-1]) / len(timed.looks))
    assert np.ptp(np.diff([float(look.seconds) for look in timed.looks])) > 0.1
    assert counted.edges[0] == 0.0 and counted.edges[-1] == timed.edges[-1]


def test_absent_questions_are_about_nothing_that_is_shown() -> None:
    rng = np.random.default_rng(2)
    kinds = []
    for _ in range(80):
        example = draw(BANK, Mix(absent=1.0, fades=0.0, uncut=0.0), rng)
        kinds.append(example.kind)
        shown = {_nearest(look)[0] for look in example.looks}
        asked = {i for i, said in enumerate(BANK.captions) if example.query in said}
        assert not asked & shown
        assert example.shown == shown and asked <= example.about
    assert kinds.count("swap") + kinds.count("lookalike") > kinds.count("easy") > 0


def test_swaps_and_lookalikes_are_drawn_as_the_mix_says() -> None:
    for swaps, kinds in ((1.0, {"easy", "swap"}), (0.0, {"easy", "lookalike"})):
        rng, mix = np.random.default_rng(3), Mix(absent=1.0, swaps=swaps)
        assert {draw(BANK, mix, rng).kind for _ in range(40)} == kinds
    rng = np.random.default_rng(3)
    assert {draw(BANK, Mix(absent=1.0, hard=0.0), rng).kind for _ in range(20)} == {"easy"}


def test_a_bank_that_is_too_small_is_named() -> None:
    few = banks.of_captions([("a dog runs",), ("a dog runs",)])
    with pytest.raises(DataError, match="2 pictures are too few for windows of 1 to 3 shots"):
        draw(few, Mix(shots=(1, 3), absent=1.0), np.random.default_rng(0))


def test_halves_of_a_bank_share_no_picture() -> None:
    first, second = banks.halves(BANK)
    assert first.captions == BANK.captions[::2] and second.captions == BANK.captions[1::2]
    assert (second.tokens == BANK.tokens[1::2]).all()
    for half in (first, second):
        assert half.near.shape == (30, 4) and half.near.max() < 30
        likeness = (
            unit(dequantize(half.vectors[:, 0, 0])) @ unit(dequantize(half.vectors[:, 0, 0])).T
        )
        for row, near in enumerate(half.near):
            others = np.delete(likeness[row], row)
            assert likeness[row][near].min() >= np.sort(others)[-4] - 1e-6


def test_the_same_state_draws_the_same_window() -> None:
    a, b = (draw(BANK, Mix(), np.random.default_rng(9)) for _ in range(2))
    assert (a.query, a.spans, a.kind) == (b.query, b.spans, b.kind)
    assert (a.edges == b.edges).all()


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"noise": (-1.0, 2.0)}, "noise .* must rise from at least 0"),
        ({"absent": 1.5}, r"absent 1\.5 must be within"),
        ({"swaps": -0.5}, r"swaps -0\.5 must be within"),
        ({"shots": (5, 2)}, "shots .* must rise"),
        ({"shot_seconds": (0.1, 2.0)}, "shot_seconds .* must rise"),
    ],
)
def test_impossible_mixes_are_named(wrong: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Mix(**wrong)  # type: ignore[arg-type]


def test_a_bank_is_encoded_once(tmp_path: Path) -> None:
    data, said = archives.write(tmp_path / "data"), []
    profile = load_profile("nano")
    with Archive(data, "flickr8k") as archive:
        first, again = (
            banks.build(tmp_path, profile, archive, "dev", say=said.append) for _ in range(2)
        )
    assert len(said) == 1
    assert first.vectors.shape == (12, TAKES, STOPS, 256)
    assert first.tokens.shape == (12, TAKES, STOPS, 9, 256)
    assert (first.tokens == again.tokens).all()
    (path,) = tmp_path.glob("bank-*.npz")
    path.write_bytes(b"torn")
    with Archive(data, "flickr8k") as archive, pytest.raises(DataError, match="can't be read"):
        banks.build(tmp_path, profile, archive, "dev")
    with Archive(data, "sports100") as archive, pytest.raises(DataError, match="has no captions"):
        banks.build(tmp_path, profile, archive, "dev")


def test_a_camera_passes_over_a_picture_in_small_steps() -> None:
    rows = np.linspace(0, 255, 300).astype(np.uint8)
    picture = Image.fromarray(np.stack([np.tile(rows, (200, 1))] * 3, axis=2))
    frames = film(picture, (0, 5), 64).astype(float)
    assert frames.shape == (TAKES, STOPS, 64, 64, 3)
    assert (film(picture, (0, 5), 64) == frames).all()
    steps = np.abs(np.diff(frames, axis=1)).mean(axis=(1, 2, 3, 4))
    assert steps.max() < np.abs(frames[0, 0] - frames[1, 0]).mean()  # a take is one place
    spread = np.ptp(frames, axis=3).mean(axis=(1, 2, 3))
    assert spread[1] < 0.8 * spread[0]  # the second is closer


@given(st.floats(0, 1))
def test_what_has_passed_lies_between_two_stops(progress: float) -> None:
    stop, on = passing(progress)
    assert 0 <= stop < STOPS - 1 and 0 <= on <= 1
    assert (stop + on) / (STOPS - 1) == pytest.approx(progress)
