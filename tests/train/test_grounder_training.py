"""A training from its YAML to a profile that a search reads with."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

# ruff: noqa: E402 - the imports below need the train extra
import archives
from harness import Said
from videos import make_video, motion, texture

from tempo_edge import Library, ProfileError, QueryError, eta, models
from tempo_edge.models import load_profile, registry
from tempo_edge.models.profile_manifest import record_file
from tempo_edge.search.calibrate import READ_FEATURES
from tempo_edge.train.data.archives import DataError
from tempo_edge.train.grounder import training
from tempo_edge.train.grounder.annotated_windows import AnnotatedVideos
from tempo_edge.train.grounder.grpo.pir_grpo import GrpoSettings
from tempo_edge.train.grounder.model.checkpoint_files import load_grounder
from tempo_edge.train.grounder.profile_export import export_grounder
from tempo_edge.train.grounder.sft import SftSettings
from tempo_edge.train.grounder.training import Places
from tempo_edge.train.run_folder import RunFolder
from tempo_edge.train.settings import read_settings

SFT = """
steps: 8
batch: 2
every: 4
warmup: 1
bfloat16: false
archives: [flickr8k]
shape: {hidden: 32, layers: 2, heads: 2, inner: 48}
mix: {shots: [2, 3], looks: 24, doubt: [0.5, 1.0]}
"""
GRPO = """
steps: 2
every: 1
prompts: 2
group: 4
warmup: 0
bfloat16: false
archives: [flickr8k]
mix: {shots: [2, 3], looks: 24}
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archives.write(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


def _settings(folder: Path) -> SftSettings:
    (folder / "sft.yaml").write_text(SFT)
    return read_settings(folder / "sft.yaml", SftSettings)


def _teach(data: Path, work: Path, out: Path, say: Callable[[str], None] = print) -> Path:
    out.mkdir(exist_ok=True)
    profile = load_profile("nano")
    return training.sft(_settings(out), Places(data, work, out), profile, trials=6, say=say)


def test_an_interrupted_run_ends_as_an_unbroken_one(data: Path, work: Path, tmp_path: Path) -> None:
    def impatient(line: str) -> None:
        if line.startswith("step 4"):
            raise KeyboardInterrupt

    whole = _teach(data, work, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        _teach(data, work, tmp_path / "broken", impatient)
    heard: list[str] = []
    # Stopped before its first checkpoint, it begins anew; stopped after it, it goes on.
    _teach(data, work, tmp_path / "broken", heard.append)
    assert not any("going on" in line for line in heard)
    _teach(data, work, tmp_path / "broken", heard.append)
    assert "going on after step 8" in heard
    one, two = (load_grounder(path) for path in (whole, tmp_path / "broken" / "best.pt"))
    pairs = zip(one.parameters(), two.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    rows = [json.loads(line) for line in (whole.parent / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [4, 8]
    assert {"answer", "when", "whether", "r1_at_0.7", "auroc_hard_blind"} <= set(rows[0])
    assert (whole.parent / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_goes_on_from_the_weights_of_another(data: Path, work: Path, tmp_path: Path) -> None:
    first = _teach(data, work, tmp_path / "first").with_name("last.pt")
    out = tmp_path / "next"
    out.mkdir()
    settings = dataclasses.replace(_settings(out), steps=4, learning_rate=0.0)
    taught = training.sft(
        settings, Places(data, work, out), load_profile("nano"), start=first, trials=6
    )
    one, two = (load_grounder(path) for path in (first, taught))
    pairs = zip(one.parameters(), two.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_annotated_videos_take_the_place_of_made_up_windows(
    tempo: Callable[..., Said],
    data: Path,
    work: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(training, "sft", partial(training.sft, trials=6))
    shots = [(texture(1), 3), (motion(3), 3), (texture(4), 2)]
    make_video(tmp_path / "film.mp4", shots=shots, size=(160, 120), rate=Fraction(25))
    section = "videos: {library: films.db, annotations: charades.txt, kind: charades-sta}\n"
    (tmp_path / "sft.yaml").write_text(SFT.replace("[flickr8k]", "[elsewhere]") + section)
    lines = ("film 3.0 6.0##clouds move", "film 0.0 3.0##sand", "boat 0.0 1.0##a boat")
    (tmp_path / "charades.txt").write_text("\n".join(lines) + "\n")
    arguments = ("--data", data, "--work", work, "--out", tmp_path / "run", "--threads", "1")
    command = ("train", "sft", tmp_path / "sft.yaml", *arguments)
    assert tempo(*command).error == (
        f"{tmp_path / 'films.db'} is missing: index the annotated videos into it first"
    )
    with Library.open(tmp_path / "films.db") as library:
        library.index(tmp_path / "film.mp4")
    said = tempo(*command)
    assert said.status == 0, said.err
    assert f"2 of 3 annotations are of {tmp_path / 'films.db'}" in said.err
    about = json.loads((tmp_path / "run" / "settings.json").read_text())
    assert about["videos"]["kind"] == "charades-sta"
    assert load_grounder(tmp_path / "run" / "best.pt").shape.hidden == 32


def test_a_run_that_names_no_videos_is_as_one_was_before_it_could(
    data: Path, work: Path, tmp_path: Path
) -> None:
    """So a folder that an older release began goes on."""
    _teach(data, work, tmp_path / "run")
    about = json.loads((tmp_path / "run" / "settings.json").read_text())
    assert list(about)[-4:] == ["archives", "shape", "mix", "start"]


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [({"kind": "lsmdc"}, "kind 'lsmdc' must be one of"), ({"library": "a.db"}, "or neither")],
)
def test_impossible_videos_are_named(wrong: dict[str, str], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        AnnotatedVideos(**wrong)


def test_another_recipe_needs_another_folder(data: Path, work: Path, tmp_path: Path) -> None:
    _teach(data, work, tmp_path / "run")
    (tmp_path / "run" / "settings.json").write_text("{}")
    with pytest.raises(DataError, match="written for other settings: choose another folder"):
        _teach(data, work, tmp_path / "run")


def test_what_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.pt is missing"):
        load_grounder(tmp_path / "none.pt")
    torch.save({"shape": {"hidden": 32}}, tmp_path / "odd.pt")
    with pytest.raises(DataError, match=r"odd\.pt holds no grounder: 'layers'"):
        load_grounder(tmp_path / "odd.pt")


def test_a_step_that_has_nothing_to_say_of_something_ends_no_run(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run", {})
    rows = [{"step": 1.0, "reward": 0.5, "refused_absent": 0.2}, {"step": 2.0, "reward": 0.6}]
    for order in (rows, rows[::-1]):
        folder.save({}, order)
        assert (folder.path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_from_sft_to_pir_grpo_to_a_search_that_reads(
    data: Path, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught = _teach(data, work, tmp_path / "sft")
    (tmp_path / "grpo.yaml").write_text(GRPO)
    settings = read_settings(tmp_path / "grpo.yaml", GrpoSettings)
    out, profile = tmp_path / "grpo", load_profile("nano")
    best = training.pir_grpo(settings, taught, Places(data, work, out), profile, trials=6)
    row = json.loads((out / "log.jsonl").read_text().splitlines()[-1])
    assert {"reward", "kl", "entropy", "refused_present", "reject_f1"} <= set(row)

    built = tmp_path / "profiles" / "nano"
    shutil.copytree(profile.folder, built)
    monkeypatch.setenv("TEMPO_EDGE_PROFILES", str(built.parent))
    monkeypatch.setattr(models, "load_profile", registry.load_profile)  # not the one kept by tests
    _without_reading(built)
    make_video(
        tmp_path / "film.mp4",
        shots=[(texture(1), 3), (motion(3), 3), (texture(4), 2)],
        size=(320, 240),
        rate=Fraction(25),
    )
    with Library.open(tmp_path / "library.db") as library:
        library.index(tmp_path / "film.mp4")
        assert library.find("clouds", min_confidence=0).evidence[0].grounding is None
        with pytest.raises(QueryError, match="profile 'nano' has no grounder 'mllm'"):
            library.find("clouds", grounder="mllm")
    said = export_grounder(best, built, "int8")
    assert said[0].endswith("MB") and said[-1] == "calibrate it next"
    assert "of torch's, the same first word to " in said[1]
    _calibrated(built)
    with Library.open(tmp_path / "library.db") as library:
        answer = library.find("clouds", min_confidence=0)
        assert answer.moments and len(answer.evidence) == len(answer.moments)
        for moment, candidate in zip(answer.moments, answer.evidence, strict=True):
            assert candidate.grounding is not None
            assert eta.read(candidate.grounding.said)
            assert moment.start_seconds in candidate.window.edges
            assert moment.end_seconds in candidate.window.edges
        assert library.find("clouds", min_confidence=0, grounder="curve").moments
        with pytest.raises(QueryError, match="grounder 'guess' must be one of mllm, curve"):
            library.find("clouds", grounder="guess")


def _without_reading(folder: Path) -> None:
    about = json.loads((folder / "profile.json").read_text())
    about["files"].pop("grounder.onnx", None)
    (folder / "profile.json").write_text(json.dumps(about))


def _calibrated(folder: Path) -> None:
    """Confidence is what the decoder says, whatever else."""
    path = folder / "calibration.json"
    facts = json.loads(path.read_text())
    weights = [1.0] + [0.0] * (len(READ_FEATURES) - 1)
    facts["default"] = "mllm"
    facts["mllm"] = {
        "features": list(READ_FEATURES),
        "weights": weights,
        "bias": 0.0,
        "threshold": 0.5,
    }
    path.write_text(json.dumps(facts))
    record_file(folder, "calibration.json")


def test_bad_exports_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="storage 'int4' must be int8, fp16 or fp32"):
        export_grounder(tmp_path / "best.pt", tmp_path, "int4")
    with pytest.raises(DataError, match=r"holds no profile\.json"):
        export_grounder(tmp_path / "best.pt", tmp_path, "int8")
    (tmp_path / "profile.json").write_text("{")
    with pytest.raises(ProfileError, match="can't be read"):
        export_grounder(tmp_path / "best.pt", tmp_path, "int8")


def test_a_folder_of_another_run_is_refused(data: Path, work: Path, tmp_path: Path) -> None:
    _teach(data, work, tmp_path / "run")
    torch.save({"model": {}}, tmp_path / "run" / "last.pt")
    with pytest.raises(DataError, match=r"last\.pt is of another run: .* choose another folder"):
        _teach(data, work, tmp_path / "run")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("--device", "gpu"), "device 'gpu' must be auto, cpu or cuda"),
        (("--threads", "-1"), "threads -1 must be at least 1, or 0 for all cores"),
        (("--seed", "-1"), "seed -1 must not be negative"),
        (("--out", "/proc/nowhere"), "No such file or directory: '/proc/nowhere'"),
        (("--work", "/proc/nowhere"), "No such file or directory: '/proc/nowhere'"),
    ],
)
def test_what_a_training_is_asked_for_is_looked_at(
    tempo: Callable[..., Said],
    data: Path,
    work: Path,
    tmp_path: Path,
    wrong: tuple[str, str],
    message: str,
) -> None:
    _settings(tmp_path)
    arguments = ("--data", data, "--work", work, "--out", tmp_path / "run")
    said = tempo("train", "sft", tmp_path / "sft.yaml", *arguments, *wrong)
    assert said.status == 2 and said.out == ""
    assert message in said.err and "Traceback" not in said.err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA GPU")
def test_without_a_gpu_cuda_is_refused(tempo: Callable[..., Said], tmp_path: Path) -> None:
    places = ("--data", tmp_path, "--work", tmp_path, "--out", tmp_path)
    said = tempo("train", "sft", *places, "--device", "cuda")
    assert said.error == "device 'cuda' can't be used: this PyTorch finds no CUDA GPU"
