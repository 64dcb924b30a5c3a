"""Made-up windows are windows that a search could meet, and their answers are true."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")


import archives

from benchmarks.windows import Evenly
from tempo_edge.models import load_profile
from tempo_edge.packing import pack
from tempo_edge.train.data import Archive, DataError
from tempo_edge.train.grounder import bank as banks
from tempo_edge.train.grounder.bank import Bank
from tempo_edge.train.grounder.windows import MadeUp, Mix, draw

WORDS = ("dog", "man", "girl", "horse")


def _bank(count: int = 60) -> Bank:
    rng = np.random.default_rng(0)
    captions = [(f"a {WORDS[i % 4]} runs in place {i}",) for i in range(count)]
    near = np.array([[(i + step) % count for step in range(1, 5)] for i in range(count)])
    return Bank(
        pack(rng.normal(size=(count, 3, 256))),
        pack(rng.normal(size=(count, 3, 9, 256))),
        captions,
        near,
    )


BANK = _bank()


@settings(deadline=None, max_examples=60)
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


def test_what_is_asked_for_is_seen_where_the_answer_says() -> None:
    rng = np.random.default_rng(1)
    for _ in range(40):
        example = draw(BANK, Mix(absent=0.0, fades=0.0, moved=(0.0, 0.0)), rng)
        picture = int(example.query.rsplit(" ", 1)[1])
        own = {row.tobytes() for row in BANK.vectors[picture]}
        for look in example.looks:
            inside = any(s <= float(look.seconds) < e for s, e in example.spans)
            assert (pack(look.vector).tobytes() in own) == inside


def test_a_shot_is_seen_in_one_view_until_it_is_cut() -> None:
    rng = np.random.default_rng(6)
    one = Mix(shots=(1, 1), repeated=0.0, alike=0.0, still=0.0)
    alone = replace(one, inner_cut=1.0, moved=(0.0, 0.0))
    views = []
    for _ in range(20):
        looks = draw(BANK, alone, rng).looks
        seen = [look.vector.tobytes() for look in looks]
        for before, now, look in zip(seen, seen[1:], looks[1:], strict=False):
            assert look.cut or now == before
        views.append(len(set(seen)))
    assert max(views) == 2
    moving = [draw(BANK, replace(one, inner_cut=0.0), rng).looks for _ in range(20)]
    near = [float(a.vector @ b.vector) for looks in moving for a, b in itertools.pairwise(looks)]
    assert 0.96 < float(np.median(near)) < 0.995


def test_frames_that_are_only_counted_are_told_evenly() -> None:
    seed = 3
    timed = MadeUp(BANK, Mix()).draw(np.random.default_rng(seed))
    counted = Evenly(MadeUp(BANK, Mix())).draw(np.random.default_rng(seed))
    assert (counted.query, counted.spans) == (timed.query, timed.spans)
    steps = np.diff([float(look.seconds) for look in counted.looks])
    assert steps == pytest.approx(float(timed.edges[-1]) / len(timed.looks))
    assert np.ptp(np.diff([float(look.seconds) for look in timed.looks])) > 0.1
    assert counted.edges[0] == 0.0 and counted.edges[-1] == timed.edges[-1]


def test_absent_questions_are_about_nothing_that_is_shown() -> None:
    rng = np.random.default_rng(2)
    kinds = []
    for _ in range(80):
        example = draw(BANK, Mix(absent=1.0, moved=(0.0, 0.0)), rng)
        kinds.append(example.kind)
        shown = {look.vector.tobytes() for look in example.looks}
        asked = [i for i, said in enumerate(BANK.captions) if example.query in said]
        assert not any(
            (BANK.vectors[i] / np.linalg.norm(BANK.vectors[i].astype(float), axis=1)[:, None])
            .astype(np.float32)
            .tobytes()
            in shown
            for i in asked
        )
    assert kinds.count("hard") > kinds.count("easy") > 0


def test_the_same_state_draws_the_same_window() -> None:
    a, b = (draw(BANK, Mix(), np.random.default_rng(9)) for _ in range(2))
    assert (a.query, a.spans, a.kind) == (b.query, b.spans, b.kind)
    assert (a.edges == b.edges).all()


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"moved": (-1.0, 2.0)}, "moved .* must rise from at least 0"),
        ({"absent": 1.5}, r"absent 1\.5 must be within"),
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
            banks.build(tmp_path, profile, archive, "dev", views=2, say=said.append)
            for _ in range(2)
        )
    assert len(said) == 1
    assert first.vectors.shape == (12, 2, 256)
    assert first.tokens.shape == (12, 2, 9, 256)
    assert (first.tokens == again.tokens).all()
    (path,) = tmp_path.glob("bank-*.npz")
    path.write_bytes(b"torn")
    with Archive(data, "flickr8k") as archive, pytest.raises(DataError, match="can't be read"):
        banks.build(tmp_path, profile, archive, "dev", views=2)
    with Archive(data, "sports100") as archive, pytest.raises(DataError, match="has no captions"):
        banks.build(tmp_path, profile, archive, "dev")
