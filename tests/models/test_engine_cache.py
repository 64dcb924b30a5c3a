"""Where engines are kept, what they are valid for, and which of them go."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from tempo_edge._system.nvidia import Device
from tempo_edge.models.engine_cache import EngineOrigin, engine_folder, engines_path

ORIGIN = EngineOrigin(
    "NVIDIA L4", "8.9", "580.65.06, CUDA 13.0", "10.16.1.11", "onnxruntime 1.31.1", "ab"
)


@pytest.mark.parametrize("field", [each.name for each in dataclasses.fields(EngineOrigin)])
def test_the_key_follows_everything_that_an_engine_depends_on(field: str) -> None:
    assert re.fullmatch("[0-9a-f]{32}", ORIGIN.key)
    assert dataclasses.replace(ORIGIN).key == ORIGIN.key
    assert dataclasses.replace(ORIGIN, **{field: "another"}).key != ORIGIN.key


def test_parts_of_a_key_do_not_run_into_each_other() -> None:
    one = dataclasses.replace(ORIGIN, gpu="ab", capability="c")
    other = dataclasses.replace(ORIGIN, gpu="a", capability="bc")
    assert one.key != other.key


def test_an_origin_is_of_a_device() -> None:
    device = Device("NVIDIA L4", "8.9", "580.65.06, CUDA 13.0")
    assert EngineOrigin.of(device, "10.16.1.11", "onnxruntime 1.31.1", "ab") == ORIGIN


def test_engines_lie_in_the_users_cache(tmp_path: Path) -> None:
    folder = engine_folder(ORIGIN, tmp_path / "image.onnx")
    assert folder == tmp_path / "cache" / "tempo-edge" / "tensorrt" / ORIGIN.key
    assert json.loads((folder / "origin.json").read_text()) == {
        **dataclasses.asdict(ORIGIN),
        "model": str(tmp_path / "image.onnx"),
    }


def test_kept_engines_stay_while_nothing_changes(tmp_path: Path) -> None:
    (engine_folder(ORIGIN, tmp_path / "image.onnx") / "graph.engine").write_bytes(b"engine")
    assert (engine_folder(ORIGIN, tmp_path / "image.onnx") / "graph.engine").exists()


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"driver": "590"}, False),
        ({"tensorrt": "10.17.0.1"}, False),
        ({"runtime": "onnxruntime 1.32.0"}, False),
        ({"model_sha256": "cd"}, False),
        ({"gpu": "NVIDIA H100"}, True),
        ({"capability": "9.0"}, True),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_engines_that_nothing_will_read_again_go(
    tmp_path: Path, change: dict[str, str], kept: bool
) -> None:
    """All but those for another GPU, which the machine may have too."""
    model = tmp_path / "image.onnx"
    old = engine_folder(ORIGIN, model)
    (old / "graph.engine").write_bytes(b"engine")
    new = engine_folder(dataclasses.replace(ORIGIN, **change), model)
    assert new != old
    assert (old / "graph.engine").exists() == kept
    assert new.exists()


def test_two_builders_do_not_clear_away_each_others_engines(tmp_path: Path) -> None:
    """One card may have both, and each process asks for the folders of both."""
    model = tmp_path / "image.onnx"
    (engine_folder(ORIGIN, model) / "graph.engine").write_bytes(b"engine")
    plugged = dataclasses.replace(ORIGIN, tensorrt="", runtime="onnxruntime 1.31.1, another")
    other = engine_folder(plugged, model, "tensorrt-rtx")
    assert other == tmp_path / "cache" / "tempo-edge" / "tensorrt-rtx" / plugged.key
    assert (engine_folder(ORIGIN, model) / "graph.engine").exists() and other.exists()


def test_the_engines_of_others_stay(tmp_path: Path) -> None:
    other = engine_folder(dataclasses.replace(ORIGIN, model_sha256="cd"), tmp_path / "text.onnx")
    unknown = engines_path() / "unknown"
    unknown.mkdir()
    (unknown / "origin.json").write_text("[]")
    broken = engines_path() / "broken"
    broken.mkdir()
    (broken / "origin.json").write_text("{")
    engine_folder(dataclasses.replace(ORIGIN, driver="590"), tmp_path / "image.onnx")
    assert other.exists() and unknown.exists() and broken.exists()


def test_the_same_model_elsewhere_is_the_same(tmp_path: Path) -> None:
    old = engine_folder(ORIGIN, tmp_path / "image.onnx")
    engine_folder(dataclasses.replace(ORIGIN, driver="590"), tmp_path / "copy.onnx")
    assert not old.exists()
