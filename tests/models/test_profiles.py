"""The registry, and the built-in profile's towers."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tempo_edge import ProfileError, QueryError
from tempo_edge.models import Profile, load_profile, profile_names, registry
from tempo_edge.models.description import load_json
from tempo_edge.search.calibrate import Calibration
from tempo_edge.search.similarity import CurveSettings


@pytest.fixture(scope="module")
def nano() -> Profile:
    return load_profile("nano")


def test_nano_is_built_in() -> None:
    assert "nano" in profile_names()


def test_an_unknown_profile_is_named_with_those_there_are() -> None:
    with pytest.raises(ProfileError, match=r"'giant' must be one of \['nano'\]"):
        load_profile("giant")


def test_every_file_has_the_published_contents(nano: Profile) -> None:
    for file in nano.files:
        assert nano.checked(file).is_file()
    sizes = {file: nano.checked(file).stat().st_size for file in nano.files}
    assert sizes["image.onnx"] + sizes["text.onnx"] < 45e6
    assert sum(sizes.values()) < 50e6


def test_a_changed_file_is_refused(nano: Profile, tmp_path: Path) -> None:
    shutil.copytree(nano.folder, tmp_path / "nano")
    broken = dataclasses.replace(nano, folder=tmp_path / "nano")
    (tmp_path / "nano" / "tokenizer.json").write_bytes(b"{}")
    with pytest.raises(ProfileError, match=r"tokenizer\.json has SHA-256 44136fa"):
        broken.checked("tokenizer.json")
    (tmp_path / "nano" / "text.onnx").unlink()
    with pytest.raises(ProfileError, match=r"lacks text\.onnx"):
        broken.checked("text.onnx")


def test_weights_beside_a_graph_are_checked_with_it(nano: Profile, tmp_path: Path) -> None:
    shutil.copytree(nano.folder, tmp_path / "nano")
    (tmp_path / "nano" / "image.onnx.data").write_bytes(b"weights")
    files = {**nano.files, "image.onnx.data": hashlib.sha256(b"weights").hexdigest()}
    beside = dataclasses.replace(nano, folder=tmp_path / "nano", files=files)
    assert beside.checked("image.onnx").is_file()
    (tmp_path / "nano" / "image.onnx.data").write_bytes(b"Weights")
    with pytest.raises(ProfileError, match=r"image\.onnx\.data has SHA-256"):
        beside.checked("image.onnx")


def test_files_that_changed_places_are_refused(nano: Profile, tmp_path: Path) -> None:
    shutil.copytree(nano.folder, tmp_path / "nano")
    swapped = dataclasses.replace(nano, folder=tmp_path / "nano")
    (tmp_path / "nano" / "text.onnx").rename(tmp_path / "nano" / "x")
    (tmp_path / "nano" / "image.onnx").rename(tmp_path / "nano" / "text.onnx")
    (tmp_path / "nano" / "x").rename(tmp_path / "nano" / "image.onnx")
    for file in ("image.onnx", "text.onnx"):
        with pytest.raises(ProfileError, match=f"profile 'nano': {file} has SHA-256"):
            swapped.checked(file)


def test_the_fingerprint_follows_the_towers_alone(nano: Profile) -> None:
    assert nano.fingerprint.startswith("nano-")
    calibrated = {**nano.files, "calibration.json": "0" * 64}
    retrained = {**nano.files, "image.onnx": "0" * 64}
    assert dataclasses.replace(nano, files=calibrated).fingerprint == nano.fingerprint
    assert dataclasses.replace(nano, files=retrained).fingerprint != nano.fingerprint


def test_pictures_become_unit_vectors_and_tokens(nano: Profile) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)
    vectors, tokens = nano.image_tower.encode(pictures)
    assert vectors.shape == (3, nano.dim)
    assert tokens.shape == (3, nano.tokens_per_frame, nano.dim)
    assert np.linalg.norm(vectors, axis=-1) == pytest.approx(np.ones(3), abs=1e-4)
    assert np.linalg.norm(tokens, axis=-1).ravel() == pytest.approx(np.ones(27), abs=1e-4)


def test_a_picture_does_not_depend_on_its_batch(nano: Profile) -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (5, 224, 224, 3), dtype=np.uint8)
    together, _ = nano.image_tower.encode(pictures)
    alone, _ = nano.image_tower.encode(pictures[2:3])
    assert together[2] @ alone[0] > 0.99999


def test_a_sentence_does_not_depend_on_its_neighbours(nano: Profile) -> None:
    together = nano.text_tower.encode(["a dog jumps", "a very long sentence about " + "mud " * 80])
    alone = nano.text_tower.encode(["a dog jumps"])
    assert together[0] @ alone[0] > 0.99999
    assert np.linalg.norm(together, axis=-1) == pytest.approx(np.ones(2), abs=1e-4)


def test_words_of_a_kind_lie_together(nano: Profile) -> None:
    dog, puppy, car = nano.text_tower.encode(["a dog runs", "a puppy is running", "a red car"])
    assert dog @ puppy > dog @ car + 0.2


@pytest.mark.parametrize("query", ["", "  ", "\n"])
def test_an_empty_sentence_is_refused(nano: Profile, query: str) -> None:
    with pytest.raises(QueryError, match="is empty"):
        nano.text_tower.encode([query])


def test_the_background_is_a_crowd_of_unit_vectors(nano: Profile) -> None:
    assert nano.background.shape == (2048, nano.dim)
    assert np.linalg.norm(nano.background, axis=1) == pytest.approx(np.ones(2048), abs=1e-4)


def test_the_calibration_is_of_this_code(nano: Profile) -> None:
    facts = load_json(nano.checked("calibration.json"))
    assert 0 < Calibration.of(nano.calibration).threshold < 1
    assert isinstance(CurveSettings(**facts["curve"]), CurveSettings)
    described = json.loads((nano.folder / "profile.json").read_text())
    assert set(described["files"]) == set(nano.files)


def test_profiles_of_one_s_own_go_before_the_built_in_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("nano", "mine"):
        shutil.copytree(load_profile("nano").folder, tmp_path / name)
    monkeypatch.setenv("TEMPO_EDGE_PROFILES", str(tmp_path))
    assert registry.profile_names() == ["mine", "nano"]
    assert registry.load_profile("nano").folder == tmp_path / "nano"
    monkeypatch.setenv("TEMPO_EDGE_PROFILES", str(tmp_path / "nowhere"))
    assert registry.profile_names() == ["nano"]
