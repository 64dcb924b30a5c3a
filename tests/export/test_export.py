"""``tempo-edge export``: what a person gives, and what they get to use."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
constants = pytest.importorskip("huggingface_hub.constants")

# ruff: noqa: E402 - the imports below need the export extra
from encoders import CLIP, write_clip, write_siglip2
from harness import Said
from hub import Hub, running

from tempo_edge import Library, TempoEdgeError, models
from tempo_edge.evaluation import fitting
from tempo_edge.evaluation.truth import read_truth
from tempo_edge.models import registry
from tempo_edge.models.checkpoint import installed_checkpoints
from tempo_edge.models.published import PUBLISHED, Published
from tempo_edge.models.pull import pull
from tempo_edge.models.registry import installed_profiles, load_profile

Tempo = Callable[..., Said]


@pytest.fixture(autouse=True)
def _profiles_come_and_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "load_profile", registry.load_profile)  # not one kept by tests


@pytest.mark.parametrize(
    ("name", "write"),
    [(CLIP.name, write_clip), ("siglip2-base-patch16-224", write_siglip2)],
)
def test_from_a_hub_to_an_answer(
    name: str,
    write: Callable[[Path], Path],
    tempo: Tempo,
    pictures: Path,
    labelled: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = PUBLISHED.get(name, CLIP)
    tiny = Published(real.name, real.repository, real.revision, real.kind, real.licence, 1)
    monkeypatch.setitem(PUBLISHED, name, tiny)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    source = write(tmp_path / "source")
    files = {path.name: path.read_bytes() for path in source.iterdir()}
    with running(Hub({real.repository: files}, real.revision)) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        assert tempo("models", "pull", name, "--quiet").status == 0
    monkeypatch.delenv("HF_ENDPOINT")

    said = tempo("export", name, "--pictures", pictures)
    assert said.status == 0, said.err
    assert "not calibrated itself" in said.out
    said = tempo("index", labelled, "--profile", name, "-q")
    assert said.status == 0, said.err
    said = tempo("find", "a dog", "--min-confidence", "0", "--json")
    assert said.status == 0, said.err
    assert 0 < json.loads(said.out.splitlines()[0])["confidence"] < 1

    said = tempo("export", name, "--pictures", pictures, "--videos", labelled)
    assert said.status == 2 and "is there already: remove it, or say --replace" in said.err
    said = tempo("export", name, "--pictures", pictures, "--videos", labelled, "--replace")
    assert said.status == 0, said.err
    said = tempo("find", "a dog jumps", "--min-confidence", "0", "--json")
    assert said.status == 0, said.err
    first = json.loads(said.out.splitlines()[0])
    assert 0 <= first["start_seconds"] < first["end_seconds"] <= 4.1

    bundle = tmp_path / "carried.tar"
    assert tempo("models", "export-bundle", name, bundle).status == 0
    assert tempo("models", "remove", name).status == 0  # the pulled one goes first
    assert tempo("models", "remove", name).status == 0
    assert tempo("find", "a dog").status == 2
    assert tempo("models", "import-bundle", bundle).status == 0
    assert tempo("find", "a dog jumps", "--min-confidence", "0").status == 0


def test_a_small_network_at_every_precision(
    tempo: Tempo, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    said = tempo("export", "nano", "--precision", "fp16", "--pictures", pictures, "--out", out)
    assert said.status == 0, said.err
    monkeypatch.setenv("TEMPO_EDGE_PROFILES", str(out))
    half, whole = load_profile("nano-fp16"), load_profile("nano")
    assert half.fingerprint != whole.fingerprint
    sentence = "a dog jumps over a fence"
    ours, theirs = half.text_tower.encode([sentence])[0], whole.text_tower.encode([sentence])[0]
    assert 0 < np.abs(ours - theirs).max() < 1e-3
    about = json.loads((half.folder / "profile.json").read_text())
    assert about["precision"] == "fp16" and about["converted"]["from"]["sha256"] == whole.files
    assert about["converted"]["pictures"]["count"] == 40
    assert about["converted"]["graphs"]["image.onnx"]["cosine"]["least"] > 0.999

    said = tempo("export", "nano", "--precision", "int4", "--pictures", pictures, "--out", out)
    assert said.status == 0, said.err
    four = load_profile("nano-int4")
    sizes = [(each.folder / "grounder.onnx").stat().st_size for each in (four, half)]
    assert sizes[0] < 0.5 * sizes[1]
    assert four.text_tower.encode([sentence])[0] @ theirs > 0.95


def test_eight_bits_leave_the_costly_layers_alone(
    tempo: Tempo, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    arguments = ("export", "nano", "--precision", "int8", "--pictures", pictures, "--out", out)
    said = tempo(*arguments, "--json")
    assert said.status == 0, said.err
    report = json.loads(said.out)["graphs"]["image.onnx"]
    costs = list(report["cost_by_layer"].values())
    assert len(costs) == report["layers"] == 50 and costs == sorted(costs, reverse=True)
    assert report["left_in_fp32"] == list(report["cost_by_layer"])[: len(report["left_in_fp32"])]
    assert 1 <= len(report["left_in_fp32"]) < 20
    assert set(report["mean_cosine_by_method"]) == {"percentile", "entropy"}
    assert report["cosine"]["mean"] > 0.97
    monkeypatch.setenv("TEMPO_EDGE_PROFILES", str(out))
    square = np.full((1, 224, 224, 3), 90, np.uint8)
    eight, whole = load_profile("nano-int8"), load_profile("nano")
    assert eight.image_tower.encode(square)[0] @ whole.image_tower.encode(square)[0].T > 0.9


def test_what_lost_too_much_is_not_written(
    tempo: Tempo, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tempo_export import convert

    allowed = convert.Allowed(cosine=1.1)  # more than there is
    monkeypatch.setattr(convert, "Allowed", lambda points: allowed)
    out = tmp_path / "out"
    said = tempo("export", "nano", "--precision", "fp16", "--pictures", pictures, "--out", out)
    assert said.status == 2
    assert "at least 1.1 is asked for; nothing was written" in said.err
    assert list(out.iterdir()) == []


def test_the_search_is_judged_too(
    tempo: Tempo, pictures: Path, labelled: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ("export", "nano", "--precision", "fp16", "--pictures", pictures, "--out", out)
    said = tempo(*arguments, "--videos", labelled, "--json")
    assert said.status == 0, said.err
    search = json.loads(said.out)["search"]
    assert set(search) == {"videos", "curve", "mllm"}
    for grounder in ("curve", "mllm"):
        assert search[grounder]["same_answer"] == search[grounder]["after"]["queries"] == 15
        assert search[grounder]["before"] == search[grounder]["after"]
    said = tempo(*arguments, "--videos", labelled, "--replace", "--tolerance", "-1")
    assert said.status == 2 and "points may be lost; nothing was written" in said.err
    assert (out / "nano-fp16" / "profile.json").exists()  # the one from before


def test_what_is_missing_is_named(tempo: Tempo, pictures: Path, tmp_path: Path) -> None:
    for arguments, message in (
        (("giant",), "model 'giant' must be one of ['nano']"),
        (("nano",), "--pictures DIR is needed"),
        (("nano", "--to", "coreml"), "target 'coreml' must be one of onnx, tensorrt"),
        (("nano", "--precision", "fp8"), "precision 'fp8' must be one of fp32, fp16, int8, int4"),
        (("nano", "--pictures", tmp_path), "has 0 pictures that can be read, at least 32"),
    ):
        said = tempo("export", *arguments)
        assert said.status == 2 and message in said.err and said.err.count("\n") == 1
    assert not installed_profiles().exists()


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        (None, "truth.jsonl can't be read: [Errno 2]"),
        ('{"q": 1}', "truth.jsonl line 1 can't be read: KeyError('spans')"),
        ("[", "truth.jsonl line 1 can't be read: JSONDecodeError"),
        ('{"query": "a dog", "file": "a.mp4", "spans": []}', "a query has a file and spans"),
        ('{"query": "a dog", "file": null, "spans": []}', "must have a query that occurs"),
    ],
)
def test_videos_are_looked_at_before_anything_is_written(
    tempo: Tempo, pictures: Path, tmp_path: Path, truth: str | None, message: str
) -> None:
    if truth is not None:
        (tmp_path / "truth.jsonl").write_text(truth)
    arguments = ("--precision", "fp16", "--pictures", pictures, "--videos", tmp_path)
    said = tempo("export", "nano", *arguments, "--out", tmp_path / "out")
    assert said.status == 2 and message in said.error
    assert not (tmp_path / "out").exists()


def test_a_video_that_is_not_there_is_named(labelled: Path, tmp_path: Path) -> None:
    (labelled / "beach.mp4").unlink()
    queries = read_truth(labelled)
    with Library.open(tmp_path / "library.db") as library:
        library.index([labelled])
        with pytest.raises(TempoEdgeError, match=r"about 'beach[.]mp4': it isn't"):
            fitting.calibrate(library, queries, [], seed=0)


def test_what_makes_no_sense_is_refused(
    tempo: Tempo, pictures: Path, tmp_path: Path, labelled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    arguments = ("--pictures", pictures, "--out", out)
    said = tempo("export", "nano", "--precision", "fp16", *arguments, "--tolerance", "nan")
    assert "tolerance nan must be a number of points" in said.error
    said = tempo("export", "nano", "--verify", "--videos", tmp_path / "nowhere")
    assert "nowhere can't be read" in said.error

    assert tempo("export", "nano", "--precision", "fp16", *arguments).status == 0
    monkeypatch.setenv("TEMPO_EDGE_PROFILES", str(out))
    for precision in ("fp32", "fp16", "int8", "int4"):
        said = tempo("export", "nano-fp16", "--precision", precision, *arguments)
        assert "profile 'nano-fp16' is at fp16 already" in said.error

    bare = out / "bare"
    shutil.copytree(load_profile("nano").folder, bare)
    about = json.loads((bare / "profile.json").read_text())
    del about["files"]["calibration.json"]
    (bare / "profile.json").write_text(json.dumps({**about, "name": "bare"}))
    said = tempo("export", "bare", "--precision", "fp16", *arguments, "--videos", labelled)
    assert "profile 'bare' is not calibrated" in said.error


def test_engines_are_of_the_profile_that_was_made_of_a_model(tempo: Tempo, pictures: Path) -> None:
    name = CLIP.name
    pull(CLIP, installed_checkpoints(), source=write_clip(installed_profiles().parent / "source"))
    said = tempo("export", name, "--to", "tensorrt")
    assert f"export '{name}' to onnx first" in said.error
    assert tempo("export", name, "--pictures", pictures).status == 0
    said = tempo("export", name, "--to", "tensorrt")
    assert "TensorRT can't be used" in said.error or "there is none that can be used" in said.error


def test_every_provider_gives_the_same(tempo: Tempo, labelled: Path) -> None:
    said = tempo("export", "nano", "--verify", "--videos", labelled)
    assert said.status == 0, said.err
    last = " ".join(said.out.splitlines()[-1].split())
    assert last.startswith("cpu ok: vectors by 0.0e+00 at most, 6 of 6 answers the same")


def test_tensorrt_takes_the_built_in_graphs(tempo: Tempo) -> None:
    pytest.importorskip("tensorrt_rtx", reason="TensorRT for RTX is not installed")
    said = tempo("export", "nano", "--check")
    assert said.status == 0, said.out
    for file in ("image.onnx", "text.onnx", "grounder.onnx"):
        assert f"nano/{file}: acceptable to TensorRT" in said.out
    report = json.loads(tempo("export", "nano", "--check", "--json").out)
    assert report["image.onnx"]["findings"] == []


def test_without_tensorrt_the_onnx_path_is_named(tempo: Tempo, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    said = tempo("export", "nano", "--to", "tensorrt", "--out", tmp_path)
    if said.status == 0:
        pytest.skip("this machine has TensorRT")
    assert "TensorRT" in said.err.splitlines()[-1] and "ONNX" in said.err.splitlines()[-1]
    assert not list(tmp_path.glob("**/*.engine"))
