"""Contrast: the same evidence whatever a model's numbers are, and however large a library is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tempo_edge.quantization import unit
from tempo_edge.search.calibrate import FEATURES, NullDistribution
from tempo_edge.search.contrast import EVIDENCE, Cohort, Contrast, stand_in

DIM = 32


def drawn(rows: int, seed: int) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=(rows, DIM)).astype(np.float32))


SENTENCES, FOOTAGE, SAMPLE = drawn(300, 0), drawn(500, 1), drawn(400, 2)
QUERY = drawn(1, 3)[0]


def facts_of(query: np.ndarray, frame: np.ndarray, frames: int = 100) -> dict[str, float]:
    cohort = Cohort.of(SENTENCES, FOOTAGE)
    contrast = Contrast.of(query, cohort, FOOTAGE, SAMPLE, frames)
    return dict(zip(EVIDENCE, contrast.facts(frame).tolist(), strict=True))


def test_the_facts_are_what_they_are_said_to_be() -> None:
    frame = unit(QUERY + 0.8 * drawn(1, 4)[0])
    query, sentences = QUERY - SENTENCES.mean(0), SENTENCES - SENTENCES.mean(0)
    about = frame - FOOTAGE.mean(0)
    outside, inside = (FOOTAGE - FOOTAGE.mean(0)) @ query, (SAMPLE - FOOTAGE.mean(0)) @ query
    told = FOOTAGE[:: 500 // 256] - FOOTAGE.mean(0)
    spread = np.sqrt(((sentences @ told.T).std(1) ** 2).mean())
    far = np.argsort(SENTENCES @ QUERY)[:-3]  # one in a hundred means what the query means
    share = 0.5 * 400 / 600
    mean = (1 - share) * outside.mean() + share * np.median(inside)
    tail = np.sort(outside)[-25:]
    rivals = np.sort((sentences @ about)[far])
    wanted = {
        "residual": (query @ about - mean) / spread,
        "above_footage": (query @ about - tail.mean()) / tail.std(),
        "above_sentences": (query @ about - rivals[-10:].mean()) / spread,
        "frames_seen": np.log(100),
    }
    facts = facts_of(QUERY, frame)
    rank = facts.pop("sentence_rank")
    assert facts == pytest.approx(wanted, rel=1e-3)
    assert rank == pytest.approx(-np.log(0.5 / 298)), "no other sentence fits it better"


def test_a_frame_that_another_sentence_fits_better_is_no_answer() -> None:
    frame = unit(SENTENCES[7] + 0.3 * QUERY)
    facts = facts_of(QUERY, frame)
    own = facts_of(QUERY, unit(QUERY + 0.3 * SENTENCES[7]))
    assert facts["above_sentences"] < 0 < own["above_sentences"]
    assert facts["sentence_rank"] < own["sentence_rank"]


@given(st.floats(0.0, 3.0), st.integers(0, 5))
@settings(max_examples=25)
def test_more_of_the_query_in_a_frame_is_more_evidence(more: float, seed: int) -> None:
    other = drawn(1, 10 + seed)[0]
    low, high = facts_of(QUERY, other + more * QUERY), facts_of(QUERY, other + (more + 0.1) * QUERY)
    assert high["residual"] > low["residual"]
    assert high["above_footage"] > low["above_footage"]


def test_what_all_pictures_and_all_sentences_have_in_common_says_nothing() -> None:
    """Models keep pictures and sentences apart: their similarities are of another size and sign."""
    frame = unit(QUERY + 0.8 * drawn(1, 4)[0])
    pictures, sentences = 5 * drawn(1, 5)[0], 3 * drawn(1, 6)[0]
    cohort = Cohort.of(SENTENCES + sentences, FOOTAGE + pictures)
    moved = Contrast.of(QUERY + sentences, cohort, FOOTAGE + pictures, SAMPLE + pictures, 100)
    before = Contrast.of(QUERY, Cohort.of(SENTENCES, FOOTAGE), FOOTAGE, SAMPLE, 100)
    # Which sentences mean the same is the one thing that hangs on it.
    same = Contrast(**{**moved.__dict__, "sentences": before.sentences, "stds": before.stds}).facts(
        frame + pictures
    )
    assert same == pytest.approx(before.facts(frame), abs=2e-3)


def test_the_scale_of_vectors_says_nothing() -> None:
    frame = unit(QUERY + 0.8 * drawn(1, 4)[0])
    small = Contrast.of(QUERY, Cohort.of(SENTENCES, FOOTAGE / 3), FOOTAGE / 3, SAMPLE / 3, 100)
    wanted = list(facts_of(QUERY, frame).values())
    assert small.facts(frame / 3) == pytest.approx(wanted, rel=1e-2)


def test_frames_count_up_to_where_they_show_nothing_new() -> None:
    frame = unit(QUERY + drawn(1, 4)[0])
    seen = [facts_of(QUERY, frame, frames)["frames_seen"] for frames in (0, 1, 100, 3000, 10**7)]
    assert seen == pytest.approx([0.0, 0.0, np.log(100), np.log(3000), np.log(3000)])
    rest = [{**facts_of(QUERY, frame, frames), "frames_seen": 0.0} for frames in (1, 100, 10**7)]
    assert rest[0] == rest[1] == rest[2], "nothing else hangs on their number"


def test_few_frames_and_no_library_have_finite_facts() -> None:
    few = FOOTAGE[:20]
    for sentences in (SENTENCES[:2], SENTENCES[:60]):
        contrast = Contrast.of(QUERY, Cohort.of(sentences, few), few, SAMPLE, 10)
        assert np.isfinite(contrast.facts(QUERY)).all()
    for sample in (SAMPLE[:0], SAMPLE[:1], QUERY[None]):
        contrast = Contrast.of(QUERY, Cohort.of(SENTENCES, few), few, sample, 1)
        assert np.isfinite(contrast.facts(QUERY)).all()


def test_a_library_full_of_what_is_asked_for_is_still_answered() -> None:
    """Its own frames move what is taken for chance halfway at most."""
    frame = unit(QUERY + 0.5 * drawn(1, 4)[0])
    cohort = Cohort.of(SENTENCES, FOOTAGE)
    full = Contrast.of(QUERY, cohort, FOOTAGE, np.repeat(frame[None], 2000, 0), 2000).facts(frame)
    other = Contrast.of(QUERY, cohort, FOOTAGE, SAMPLE, 2000).facts(frame)
    assert 0.4 * other[0] < full[0] < other[0]
    assert full[1:].tolist() == other[1:].tolist()


def test_a_null_distribution_gives_the_evidence_where_it_has_a_cohort() -> None:
    cohort = Cohort.of(SENTENCES, FOOTAGE)
    null = NullDistribution.of(QUERY, FOOTAGE, SAMPLE, 100, cohort)
    facts = dict(zip(FEATURES, null.features(0.9, 0.8, 0.1, QUERY), strict=True))
    assert {name: facts[name] for name in EVIDENCE} == pytest.approx(facts_of(QUERY, QUERY))
    plain = NullDistribution.of(QUERY, FOOTAGE, SAMPLE, 100).features(0.9, 0.8, 0.1, QUERY)
    assert plain[: len(EVIDENCE)].tolist() == [0.0] * len(EVIDENCE)
    assert plain[len(EVIDENCE) :].tolist() == [facts[n] for n in FEATURES[len(EVIDENCE) :]]


def test_sentences_stand_for_frames_where_the_library_has_few() -> None:
    gap = 4 * drawn(1, 6)[0]  # models keep pictures and sentences apart
    films = np.stack([unit(QUERY + 0.8 * drawn(1, 4)[0]), *drawn(5, 7)])
    few = np.asarray(films + gap, np.float32)
    standing = stand_in(few, SENTENCES)
    np.testing.assert_array_equal(standing[:6], few)
    assert len(standing) == 6 + len(SENTENCES)
    np.testing.assert_allclose(standing[6:].mean(0), few.mean(0), atol=1e-5)

    def above(footage: NDArray[np.float32]) -> float:
        contrast = Contrast.of(QUERY, Cohort.of(SENTENCES, footage), footage, few, 6)
        return float(contrast.facts(few[0])[EVIDENCE.index("above_footage")])

    right = above(np.asarray(drawn(500, 1) + gap, np.float32))
    assert abs(above(standing) - right) < abs(above(few) - right)
    assert len(stand_in(few[:0], SENTENCES)) == 0


def test_of_many_sentences_some_stand_for_frames() -> None:
    assert len(stand_in(FOOTAGE, drawn(2000, 9))) == len(FOOTAGE) + 512
