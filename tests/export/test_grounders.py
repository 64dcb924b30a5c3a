"""A published grounder from a hub to an answer: pulled, put beside towers, gated, asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("peft")
constants = pytest.importorskip("huggingface_hub.constants")

# ruff: noqa: E402 - the imports below need the hub extra
from checkpoints import SIZE, write
from harness import Said
from hub import Hub, running

from tempo_edge import models
from tempo_edge.models import registry
from tempo_edge.models.checkpoint import read_checkpoint
from tempo_edge.models.published import PUBLISHED, Published
from tempo_edge.search.calibrate import READ_FEATURES
from tempo_edge.train import training_state
from tempo_edge.train.hub import load_hub

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is:FutureWarning")

KINDS = {"qwen3-vl-2b-instruct": "qwen3_vl", "smolvlm2-500m-video-instruct": "smolvlm"}


@pytest.mark.parametrize("name", sorted(KINDS))
def test_from_a_hub_to_an_answer(
    name: str,
    tempo: Callable[..., Said],
    labelled: Path,
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(models, "load_profile", registry.load_profile)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    real, kind = PUBLISHED[name], KINDS[name]
    tiny = Published(real.name, real.repository, real.revision, real.kind, real.licence, 1)
    monkeypatch.setitem(PUBLISHED, name, tiny)
    source = write(tmp_path / "source", kind)
    files = {path.name: path.read_bytes() for path in source.iterdir()}
    with running(Hub({real.repository: files}, real.revision)) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        assert tempo("models", "pull", name, "--quiet").status == 0
    monkeypatch.delenv("HF_ENDPOINT")
    adapter = _taught(read_checkpoint(name).folder, tmp_path / "adapter.pt")

    size = ("--size", str(SIZE[kind]))
    said = tempo("export", name, *size, "--adapter", adapter, "--videos", labelled)
    assert said.status == 0, said.err
    profile = f"nano-{name}"
    about = json.loads((registry.load_profile(profile).folder / "profile.json").read_text())
    assert about["grounder"]["revision"] == real.revision and about["grounder"]["adapter"]
    gate = registry.load_profile(profile).calibration.part("vlm")
    assert gate.some_of("features", READ_FEATURES)
    assert 0 <= gate.number("threshold") <= 1

    assert tempo("index", labelled, "--profile", profile, "-q").status == 0
    said = tempo("find", "a dog jumps", "--grounder", "vlm", "--min-confidence", "0", "--json")
    assert said.status == 0, said.err
    first = json.loads(said.out.splitlines()[0])
    assert 0 <= first["start_seconds"] < first["end_seconds"] <= 4.1
    said = tempo("export", name, *size)
    assert said.status == 2 and "is there already" in said.err
    whole = (registry.load_profile(profile).folder / "grounder-weights.data").stat().st_size
    for precision, share in (("fp16", 0.6), ("int8", 0.75)):
        said = tempo("export", profile, "--precision", precision, "--pictures", pictures)
        assert said.status == 0, said.err
        folder = registry.load_profile(f"{profile}-{precision}").folder
        sizes = [path.stat().st_size for path in folder.glob("grounder-*.onnx*")]
        assert sum(sizes) < share * whole + 400_000  # what graphs take without weights
        assert not (folder / "grounder-weights.data").exists()
        kept = ("--library", tmp_path / f"{precision}.db")
        assert tempo("index", labelled, "--profile", folder.name, "-q", *kept).status == 0
        asked = ("find", "a dog jumps", "--grounder", "vlm", "--min-confidence", "0", "--json")
        said = tempo(*asked, *kept)
        assert said.status == 0, said.err
    said = tempo("export", name, *size, "--replace", "--precision", "int8")
    assert said.status == 2 and "precision 'int8' of a grounder must be fp32 at first" in said.err


def _taught(folder: Path, path: Path) -> Path:
    """An adapter that says something else than the checkpoint, as PIR-GRPO would save it."""
    policy = load_hub(folder, rank=2)
    torch.manual_seed(1)
    for weight in policy.parameters():
        weight.data.normal_(std=0.05)
    training_state.save(path, policy.state())
    return path
