"""Generic sentences, and their vectors: shipped, or encoded once and kept."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tempo_edge.evaluation.sentences import main
from tempo_edge.models import stored_vectors
from tempo_edge.models.generic_sentences import COUNT, digest, generic_sentences
from tempo_edge.models.registry import load_profile
from tempo_edge.models.stored_vectors import kept_sentences, sentences_path


def test_the_sentences_are_the_same_everywhere() -> None:
    sentences = generic_sentences()
    assert len(sentences) == len(set(sentences)) == COUNT
    assert digest(sentences) == "cb741c798264c6bd0799507ecfd85895181e3d6381ae12f9ee8018e8d7827e9d"
    assert sentences[:3] == (
        "harbour",
        "riding a skateboard in a temple",
        "a baby in a striped shirt ice skating and then stops",
    )
    words = [len(sentence.split()) for sentence in sentences]
    assert np.mean(words[::3]) < 3 < np.mean(words[1::3]) < 8 < np.mean(words[2::3])


def test_the_built_in_profile_brings_their_vectors() -> None:
    nano = load_profile("nano")
    assert nano.sentences.shape == (COUNT, nano.dim)
    some = [0, 1, 2, 749, COUNT - 1]
    encoded = nano.text_tower.encode([generic_sentences()[i] for i in some])
    alike = (nano.sentences[some] * encoded).sum(1)
    assert alike == pytest.approx(np.ones(len(some)), abs=2e-3)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


class Tower:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def encode(self, sentences: Sequence[str]) -> np.ndarray:
        self.asked += 1
        vectors = np.random.default_rng(0).normal(size=(len(sentences), 8)).astype(np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_they_are_encoded_once_for_a_profile(cache: Path) -> None:
    tower = Tower()
    first = kept_sentences("a-1", 8, tower.encode)
    assert np.array_equal(kept_sentences("a-1", 8, tower.encode), first) and tower.asked == 1
    kept_sentences("a-2", 8, tower.encode)
    assert tower.asked == 2, "other towers have other vectors"
    assert sentences_path("a-1").is_relative_to(cache)


def test_what_was_changed_is_encoded_again(cache: Path) -> None:
    tower = Tower()
    first = kept_sentences("a", 8, tower.encode)
    path = sentences_path("a")
    whole = path.read_bytes()
    for broken in (whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1]), b""):
        path.write_bytes(broken)
        assert np.array_equal(kept_sentences("a", 8, tower.encode), first)
        assert path.read_bytes() == whole
    assert tower.asked == 4


@pytest.mark.skipif(os.name == "nt", reason="modes of folders")
def test_where_nothing_can_be_kept_they_are_encoded_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(in_the_way))
    tower = Tower()
    assert kept_sentences("a", 8, tower.encode).shape == (COUNT, 8)
    kept_sentences("a", 8, tower.encode)
    assert tower.asked == 2


def test_a_profile_is_given_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_vectors, "generic_sentences", lambda: generic_sentences()[:20])
    shutil.copytree(load_profile("nano").folder, tmp_path / "mine")
    about = json.loads((tmp_path / "mine" / "profile.json").read_text("utf-8"))
    del about["files"]["sentences.npy"]
    (tmp_path / "mine" / "profile.json").write_text(json.dumps(about), "utf-8")
    (tmp_path / "mine" / "sentences.npy").unlink()
    monkeypatch.setenv("TEMPO_EDGE_PROFILES", str(tmp_path))
    assert main(["--profile", "mine"]) == 0
    mine = load_profile("mine")
    assert np.array_equal(mine.sentences, load_profile("nano").sentences[:20])
    monkeypatch.setenv("TEMPO_EDGE_PROFILES", str(tmp_path / "nowhere"))
    assert main(["--profile", "mine"]) == 2
