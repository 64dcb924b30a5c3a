"""Swapped words, minimal pairs, and captions that must not leak."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("PIL")

from tempo_edge.evaluation.minimal_pairs import KINDS, swap
from tempo_edge.train.data.archives import DataError
from tempo_edge.train.data.flickr30k import FILE, plain, read_captions
from tempo_edge.train.towers.pair_preferences import pairs, preferences


def test_one_word_is_swapped_for_another_of_its_kind() -> None:
    changed = swap("Two dogs play", np.random.default_rng(0), ("count",))
    assert changed is not None
    assert changed.kind == "count"
    assert changed.old == "two"
    assert changed.sentence == f"{changed.new.capitalize()} dogs play"
    assert changed.new in {"one", "three", "four", "five"}


def test_a_sentence_without_such_a_word_is_left_alone() -> None:
    assert swap("A quiet afternoon", np.random.default_rng(0)) is None
    assert swap("A dog runs", np.random.default_rng(0), ("colour",)) is None


def test_a_word_that_is_already_there_is_never_put_in() -> None:
    sentence = "black white red blue green yellow orange pink purple"
    for seed in range(40):
        changed = swap(sentence, np.random.default_rng(seed), ("colour",))
        assert changed is not None
        assert changed.new == "brown"


WORDS = ["dog", "Two", "runs", "snow", "red", "a", "the", "man,", "kicks", "xyz"]


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8), st.integers(0, 99))
def test_a_swap_changes_exactly_one_word(words: list[str], seed: int) -> None:
    sentence = " ".join(words)
    changed = swap(sentence, np.random.default_rng(seed))
    if changed is None:
        return
    before, after = sentence.split(), changed.sentence.split()
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1
    assert changed.kind in KINDS


def _captions(root: Path, lines: list[str]) -> Path:
    (root / "text").mkdir()
    with gzip.open(root / FILE, "wt") as file:
        file.write("".join(f"{line}\n" for line in lines))
    return root


def test_pictures_whose_captions_are_measured_are_left_out(tmp_path: Path) -> None:
    # Line i belongs to picture i modulo 2.
    lines = ["a1", "b1", "a2", "b2", "a3", "B 3.", "a4", "b4", "a5", "b5"]
    groups = read_captions(_captions(tmp_path, lines), held_out=["b3"])
    assert groups == [("a1", "a2", "a3", "a4", "a5")]


def test_a_broken_caption_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"flickr30k_train_captions\.txt\.gz is missing"):
        read_captions(tmp_path, [])
    with pytest.raises(DataError, match="has 3 lines, expected a multiple of 5"):
        read_captions(_captions(tmp_path, ["a", "b", "c"]), [])
    (tmp_path / FILE).write_bytes(b"no gzip")
    with pytest.raises(DataError, match="not readable gzip text"):
        read_captions(tmp_path, [])


def test_copies_of_a_caption_are_recognised() -> None:
    assert plain("A dog, running . ") == plain("a dog running")


def test_pairs_are_preferred_by_sight_and_not_by_habit() -> None:
    asked = pairs([["a dog runs"], ["a cat sits"], ["nothing here"], ["two men"]])
    assert {pair.picture for pair in asked} == {0, 1, 3}
    rng = np.random.default_rng(0)
    pictures = rng.normal(size=(4, 8)).astype(np.float32)
    true = pictures[[pair.picture for pair in asked]]
    found = preferences(asked, pictures, true, np.zeros_like(true))
    assert found["all"][0] == 100.0
    assert found["all"][2] == len(asked)
    # A model that dislikes every changed caption whatever it sees is no better than blind.
    always = np.ones_like(true)
    lifted = np.abs(pictures)
    prejudiced = preferences(asked, lifted, always, -always)
    assert prejudiced["all"][:2] == (100.0, 100.0)
