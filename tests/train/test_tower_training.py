"""Runs on small archives: they learn, they go on where they were killed, they say what is wrong."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("transformers")

# ruff: noqa: E402 - the imports below need the train extra
import archives

from benchmarks import tower_ablation
from tempo_edge.models.registry import load_profile
from tempo_edge.train import training_state
from tempo_edge.train.data import held_out, label_prompts
from tempo_edge.train.data.archives import Archive, DataError
from tempo_edge.train.data.held_out import imagenet_split
from tempo_edge.train.data.neighbours import nearest_neighbours
from tempo_edge.train.towers import __main__ as command_line
from tempo_edge.train.towers import curves, profile_report
from tempo_edge.train.towers import training as tower_training
from tempo_edge.train.towers import weight_mean as tower_mean
from tempo_edge.train.towers.backbones import load_minilm
from tempo_edge.train.towers.batches import grouped_order
from tempo_edge.train.towers.encoders import TrainedImageTower, TrainedTextTower
from tempo_edge.train.towers.heads import ImageHead, TextHead
from tempo_edge.train.towers.losses import (
    contrastive_loss,
    distillation_loss,
    margin_loss,
    retrieval_loss,
    shared_targets,
)
from tempo_edge.train.towers.profile_report import PROFILE
from tempo_edge.train.towers.recipe import RECIPES, TowerRecipe, override
from tempo_edge.train.towers.retrieval import retrieval
from tempo_edge.train.towers.start import Start, read_profile
from tempo_edge.train.towers.tokens import tokenize

TINY = dataclasses.replace(
    RECIPES["full"],
    # A thousand more classes cost minutes; the test of the command learns from them as well.
    archives=("flickr8k", "coco_thumbs", "sports100"),
    size=32,
    views=2,
    epochs=2,
    batch=16,
    labelled_batch=6,
    image_hidden=16,
    text_hidden=16,
    neighbours=2,
    reading_epochs=0,
    head_rate=3e-3,
    bfloat16=False,
)


# To name a thousand classes in every epoch takes minutes; a hundred of these are held out as well,
# and the head's beginning needs as many names and captions as it has dimensions.
CLASSES = 320


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The archives, for a classifier of fewer classes that are asked for in one wording."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(held_out, "CLASSES", CLASSES)
        once = {kind: asked[:1] for kind, asked in label_prompts.ASKED.items()}
        patch.setattr(label_prompts, "ASKED", once)
        yield archives.write(tmp_path_factory.mktemp("archives"), classes=CLASSES)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def _train(data: Path, recipe: TowerRecipe, work: Path, said: list[str]) -> Any:
    return tower_training.train(data, recipe, work, device="cpu", threads=1, say=said.append)


def test_a_run_learns_and_an_interrupted_one_ends_alike(
    data: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    whole = _train(data, TINY, work, said)
    watched = [row for row in whole.curves if "dev_r10" in row]
    assert whole.curves[-1]["loss"] < 0.97 * whole.curves[0]["loss"]
    # After two epochs one of twelve pictures more or less hangs on how the processor rounds.
    assert {"short", "pairs", "places", "counts", "seen", "held_out"} <= set(watched[-1])
    assert watched[-1]["dev_r1"] >= round(100.0 / 12, 1)
    (path,) = work.glob("run-*.pt")
    path.unlink()

    kept = training_state.save

    def interrupt(path: Path, state: dict[str, Any]) -> None:
        kept(path, state)
        if state["epoch"] == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(training_state, "save", interrupt)
    with pytest.raises(KeyboardInterrupt):
        _train(data, TINY, work, said)
    monkeypatch.setattr(training_state, "save", kept)
    said.clear()
    again = _train(data, TINY, work, said)
    assert any("going on after epoch 1" in line for line in said)
    assert not any("pictures in" in line for line in said), "the stem's output was kept"
    assert again.curves == whole.curves
    pairs = zip(whole.slow_image.parameters(), again.slow_image.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_a_run_begins_with_what_a_written_profile_says() -> None:
    start = read_profile(PROFILE)
    recipe = dataclasses.replace(TINY, image_hidden=1024, text_hidden=1024)
    trunk, encoder = tower_training.load_towers(recipe, start, "cpu")
    assert start.image_head is not None and start.text_head is not None
    image, text = ImageHead(1280, 900, 1024), TextHead(384, 1024)
    image.load(start.image_head)
    text.load(start.text_head)
    picture = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3)).astype(np.uint8)
    said = ["a dog jumps over a log", "beach"]
    encode = tokenize(load_minilm()[1])
    with torch.no_grad():
        tower = TrainedImageTower(trunk, image).eval()
        seen = tower(trunk.stem_features(torch.from_numpy(picture)))
        read = TrainedTextTower(encoder, text).eval()(encode(said))
    sessions = load_profile("nano")
    assert float(seen[0] @ torch.from_numpy(sessions.image_tower.encode(picture)[0][0])) > 0.999
    right = torch.from_numpy(sessions.text_tower.encode(said))
    assert bool(((read * right).sum(dim=1) > 0.9999).all())


def test_heads_of_another_size_are_named(data: Path, work: Path) -> None:
    recipe = dataclasses.replace(TINY, epochs=1)
    with pytest.raises(DataError, match="heads are of other sizes than the recipe's"):
        tower_training.train(
            data, recipe, work, device="cpu", threads=1, say=print, profile=PROFILE
        )


def test_a_folder_without_a_profile_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no profile to start from"):
        read_profile(tmp_path)


def test_frozen_towers_stay_as_they_are(data: Path, work: Path) -> None:
    named = ("flickr8k", "places100", "action_frames", "animals")
    recipe = dataclasses.replace(TINY, archives=named, trunk_rate=0.0, reader_rate=0.0, epochs=1)
    run = _train(data, recipe, work, [])
    fresh, _ = tower_training.load_towers(recipe, Start.from_packages(), "cpu")
    pairs = zip(run.image.trunk.parameters(), fresh.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_the_command_writes_a_profile_and_its_curves(
    data: Path, work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {
        field.name: getattr(TINY, field.name)
        for field in dataclasses.fields(TINY)
        if getattr(TINY, field.name) != getattr(RECIPES["full"], field.name)
    }
    settings["archives"] = "flickr8k,imagenet_samples"
    arguments = [x for name, value in settings.items() for x in ("--set", f"{name}={value}")]
    arguments += ["--data", str(data), "--work", str(work), "--threads", "1"]
    arguments += ["--out", str(tmp_path / "p"), "--curves", str(tmp_path / "curves.png")]
    assert command_line.main(arguments) == 0
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    about = json.loads((tmp_path / "p" / "profile.json").read_text())
    assert about["training"]["recipe"]["size"] == 32
    assert "--set size=32" in about["training"]["command"]
    assert set(about["files"]) == {"image.onnx", "text.onnx", "tokenizer.json", "background.npy"}
    assert np.load(tmp_path / "p" / "background.npy").shape == (36 + CLASSES - 100, 256)
    said = capsys.readouterr().out
    assert "static int8 (entropy)" in said
    assert "dynamic int8" in said
    mean = ["--old", str(tmp_path / "p"), "--new", str(tmp_path / "p"), "--share", "0.5"]
    assert tower_mean.main([*mean, "--data", str(data), "--out", str(tmp_path / "mean")]) == 0
    written, again = (read_profile(tmp_path / name) for name in ("p", "mean"))
    assert all(np.allclose(again.trunk[name], value) for name, value in written.trunk.items())
    about = json.loads((tmp_path / "mean" / "profile.json").read_text())
    assert about["training"]["share"] == 0.5
    assert about["training"]["command"].endswith("--share 0.5 --data DIR --out DIR")
    assert about["training"]["recipe"]["size"] == 32


def test_the_mean_lies_between_two_profiles() -> None:
    start = read_profile(PROFILE)
    reader = {name: value + 1.0 for name, value in start.reader.items()}
    between = tower_mean.weight_mean(start, dataclasses.replace(start, reader=reader), 0.25)
    for name, value in start.reader.items():
        assert np.allclose(between.reader[name], value + 0.25, atol=1e-5)
    assert all(np.allclose(between.trunk[name], value) for name, value in start.trunk.items())


def test_a_mean_of_towers_that_differ_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = read_profile(PROFILE)
    other = dataclasses.replace(start, trunk={"stem": np.zeros(3, np.float32)})
    with pytest.raises(DataError, match="no like weights"):
        tower_mean.weight_mean(start, other, 0.5)
    with pytest.raises(DataError, match="have no heads"):
        tower_mean.weight_mean(dataclasses.replace(start, image_head=None), start, 0.5)
    both = ["--old", str(PROFILE), "--new", str(tmp_path), "--data", str(tmp_path)]
    assert tower_mean.main([*both, "--out", str(tmp_path / "mean"), "--share", "1.5"]) == 2
    assert tower_mean.main([*both, "--out", str(tmp_path / "mean"), "--share", "0.5"]) == 2
    said = capsys.readouterr().err
    assert "--share 1.5: a number within (0, 1] is needed" in said
    assert "does not say how it was trained" in said


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("speed=3", "setting 'speed' is unknown"),
        ("epochs=many", "setting epochs='many' is not a int"),
        ("batch=0", "batch=0: at least 1"),
        ("archives=flickr9k", "only flickr8k, coco_thumbs"),
    ],
)
def test_bad_settings_are_named(
    setting: str, complaint: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--data", str(data), "--work", str(tmp_path), "--set", setting]
    assert command_line.main(command) == 2
    assert complaint in capsys.readouterr().err


def test_a_missing_archive_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["--data", str(tmp_path), "--work", str(tmp_path)]) == 2
    assert "'flickr8k' is missing" in capsys.readouterr().err


def test_settings_are_read_as_what_they_are() -> None:
    recipe = override(TowerRecipe(), ["bfloat16=false", "epochs=3", "archives=flickr8k,sports100"])
    assert recipe.bfloat16 is False
    assert recipe.epochs == 3
    assert recipe.archives == ("flickr8k", "sports100")


def test_a_broken_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.pt").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(DataError, match=r"run\.pt is not a readable checkpoint"):
        training_state.load(tmp_path / "run.pt")
    torch.save({"odd": Path("a")}, tmp_path / "odd.pt")  # torch tells of that at length
    with pytest.raises(DataError, match=r"odd\.pt is not a readable checkpoint: Unp") as found:
        training_state.load(tmp_path / "odd.pt")
    assert "\n" not in str(found.value)


def test_a_checkpoint_that_cannot_be_written_leaves_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(state: object, path: Path) -> None:
        path.write_bytes(b"a part")
        raise RuntimeError("[enforce fail at inline_container.cc:664]\nunexpected pos 64 vs 0")

    training_state.save(tmp_path / "last.pt", {"step": 1})
    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(DataError, match=r"last\.pt can't be written: .enforce fail .* pos 64"):
        training_state.save(tmp_path / "last.pt", {"step": 2})
    assert training_state.load(tmp_path / "last.pt") == {"step": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]


def test_held_out_classes_are_in_no_other_part(data: Path) -> None:
    with Archive(data, "imagenet_samples") as archive:
        train, unseen, held_out = imagenet_split(archive.records)
    parts = [{record.wnid for record in part} for part in (train, unseen, held_out)]
    assert len(parts[2]) == 100
    assert not parts[2] & (parts[0] | parts[1])
    assert parts[1] and parts[1] <= parts[0]
    assert not {r.file for r in train} & {r.file for r in unseen}


def test_loss_is_least_for_right_pairs_and_feels_wrong_sentences() -> None:
    vectors, own = torch.eye(8), torch.eye(8, dtype=torch.bool)
    right = contrastive_loss(vectors, vectors, 0.1, own)
    wrong = contrastive_loss(vectors, vectors.roll(1, dims=0), 0.1, own)
    even = torch.ones(8, 8) / 8**0.5
    chance = contrastive_loss(vectors, even, 0.1, own)
    assert right < chance < wrong
    assert float(chance) == pytest.approx(np.log(8), abs=1e-4)
    assert contrastive_loss(vectors, vectors, 0.1, own, vectors[:1]) > right + 0.04


def test_pictures_of_one_label_do_not_repel_each_other() -> None:
    alike = torch.eye(4)[[0, 0, 1, 1]]
    label = torch.tensor([0, 0, 1, 1])
    same = label[:, None] == label[None, :]
    plain = contrastive_loss(alike, alike, 0.05, torch.eye(4, dtype=torch.bool))
    aware = contrastive_loss(alike, alike, 0.05, same)
    assert float(aware) == pytest.approx(np.log(2), abs=1e-4), "each answer is one of two"
    assert float(plain) == pytest.approx(np.log(2), abs=1e-4)
    apart = torch.nn.functional.normalize(alike + 0.3 * torch.eye(4)[[2, 3, 2, 3]], dim=1)
    assert contrastive_loss(apart, apart, 0.05, torch.eye(4, dtype=torch.bool)) < plain
    assert contrastive_loss(apart, apart, 0.05, same) > aware, "to drift apart is no gain"


def test_what_nobody_told_costs_nothing() -> None:
    vectors, own = torch.eye(4)[[0, 0, 1, 2]], torch.eye(4, dtype=torch.bool)
    told = torch.ones(4, 4, dtype=torch.bool)
    told[0, 1] = told[1, 0] = False
    assert contrastive_loss(vectors, vectors, 0.02, own, told=told) < 1e-4
    assert contrastive_loss(vectors, vectors, 0.02, own) > 0.3


def test_a_short_query_is_right_for_all_that_answer_it() -> None:
    images = torch.eye(3)
    query = torch.nn.functional.normalize(torch.tensor([[1.0, 1.0, 0.0]]), dim=1)
    both = torch.tensor([[True, True, False]])
    assert float(retrieval_loss(query, images, 0.01, both)) == pytest.approx(np.log(2), abs=1e-4)
    assert retrieval_loss(query, images, 0.01, ~both) > 50.0
    assert retrieval_loss(query, images, 0.01, torch.zeros(1, 3, dtype=torch.bool)) == 0.0


def test_a_margin_asks_for_the_right_one_of_two() -> None:
    image, other = torch.eye(2)
    assert margin_loss(image[None], image[None], other[None], 0.05) < 1e-6
    even = margin_loss(image[None], other[None], other[None], 0.05)
    assert float(even) == pytest.approx(np.log(2), abs=1e-6)
    assert float(margin_loss(torch.empty(0, 2), torch.empty(0, 2), torch.empty(0, 2), 0.05)) == 0.0


def test_several_sentences_of_a_picture_share_the_weight() -> None:
    right = torch.tensor([[True, True, False], [False, False, True], [False, False, False]])
    expected = torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    assert torch.equal(shared_targets(right), expected)


def test_an_undecided_teacher_says_little() -> None:
    scores = torch.tensor([[2.0, 0.0]])
    sure = distillation_loss(scores, torch.tensor([[0.0, 1.0]]))
    assert float(distillation_loss(scores, torch.tensor([[0.0, 0.1]]))) == pytest.approx(
        0.1 * float(sure), rel=1e-5
    )


def test_order_is_a_permutation_in_which_alike_pictures_meet() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(10, 16))
    vectors = np.repeat(centres, 6, axis=0) + 0.01 * rng.normal(size=(60, 16))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    near = nearest_neighbours(vectors, 5)
    assert all(row // 6 == other // 6 for row in range(60) for other in near[row])
    order = grouped_order(near, 3, np.ones(60, np.int64), rng)
    assert sorted(order.tolist()) == list(range(60))
    together = (order[:-1] // 6 == order[1:] // 6).mean()
    assert together > 0.5
    times = rng.integers(0, 4, 60)
    order = grouped_order(near, 3, times, rng)
    assert np.array_equal(np.bincount(order, minlength=60), times)


def test_ranks_count_ties_against_the_right_answer() -> None:
    texts, pictures = np.ones((2, 4), np.float32), np.ones((3, 4), np.float32)
    assert retrieval(texts, pictures, np.array([0, 1]))["median_rank"] == 3.0


def test_curves_of_a_run_are_drawn(tmp_path: Path) -> None:
    row = {"epoch": 1.0, "loss": 2.0, "dev_r1": 1.0, "dev_r10": 2.0}
    rows = [row | {"sports": 3.0, "seen": 4.0, "held_out": 5.0}, {"epoch": 2.0, "loss": 1.0}]
    curves.draw(tmp_path / "c.png", rows, "a run")
    assert (tmp_path / "c.png").stat().st_size > 5000


def test_an_ablation_changes_one_thing_and_says_what_it_costs(
    data: Path, work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--data", str(data), "--work", str(work), "--threads", "1", "--epochs", "1"]
    for name in ("size", "views", "batch", "labelled_batch", "image_hidden", "text_hidden"):
        arguments += ["--set", f"{name}={getattr(TINY, name)}"]
    arguments += ["--set", f"archives={','.join(TINY.archives)}"]
    arguments += ["--set", "reading_epochs=0", "--only", "both frozen", "--only", "captions only"]
    assert tower_ablation.main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()[-4:]
    assert lines[0].startswith("| run | R@1 | R@5")
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| both frozen", "| captions only"]


def test_profiles_are_measured_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(held_out, "CLASSES", 120)
    data = archives.write(tmp_path / "data", classes=120)
    copy = tmp_path / "nano"
    copy.symlink_to(PROFILE)
    arguments = ["--data", str(data), "--profile-dir", str(PROFILE)]
    assert profile_report.main([*arguments, "--profile-dir", str(copy)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [str(PROFILE), str(copy)], "two of one name are told apart"
    figures = {line[:45].strip(): line[45:].split() for line in lines[1:-1]}
    assert figures["Flickr8k test text to image R@1"][0].replace(".", "").isdigit()
    recall = next(line for line in lines if line.startswith("Flickr8k test text to image R@10"))
    assert recall.split()[-4:-2] == recall.split()[-2:]
    assert any(line.startswith("minimal pairs, colour") for line in lines)
    assert any(line.startswith("places100 dev top-5") for line in lines)
    assert any(line.startswith("animals counted, held out, right (majority)") for line in lines)
    assert any(line.startswith("actions top-1, clips held out") for line in lines)
    assert profile_report.main(["--data", str(data), "--profile-dir", str(tmp_path)]) == 2
    assert "has no image.onnx" in capsys.readouterr().err
