"""What PyTorch trains and what ONNX Runtime runs are the same towers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("transformers")

# ruff: noqa: E402 - the imports below need the train extra
from tempo_edge.train.data import held_out
from tempo_edge.train.onnx_graph import Graph, Storage, quantize_rows, read_weights
from tempo_edge.train.towers import backbones, profile_files
from tempo_edge.train.towers.encoders import SentenceEncoder, TrainedImageTower, TrainedTextTower
from tempo_edge.train.towers.heads import DIM, ImageHead, TextHead
from tempo_edge.train.towers.profile_files import background_rows, write_background
from tempo_edge.train.towers.stem import FrozenStem
from tempo_edge.train.towers.trunk import Trunk

CLASSES = 30


@pytest.fixture(scope="module")
def lite0() -> backbones.Tensors:
    return backbones.fold(backbones.load_lite0())


def _run(path: Path, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return list(session.run(None, feed))


def _image(lite0: backbones.Tensors) -> TrainedImageTower:
    torch.manual_seed(0)
    head = ImageHead(1280, CLASSES, 32, 0.0)
    head.start(
        torch.rand(64, 1280),
        torch.randn(CLASSES, 1280),
        torch.zeros(CLASSES),
        torch.nn.functional.normalize(torch.randn(CLASSES, DIM), dim=-1),
    )
    # A trained head looks at some places more than at others.
    torch.nn.init.normal_(head.attend.weight, std=0.05)
    return TrainedImageTower(Trunk(lite0, 5), head).eval()


def test_the_classifier_tells_apart_as_many_classes_as_its_archive_names() -> None:
    weight, bias = backbones.classifier(backbones.load_lite0())
    assert (weight.shape, bias.shape) == ((held_out.CLASSES, 1280), (held_out.CLASSES,))


@pytest.mark.parametrize("storage", ["fp32", "fp16"])
def test_image_file_agrees_with_torch(
    tmp_path: Path, lite0: backbones.Tensors, storage: str
) -> None:
    tower = _image(lite0)
    pictures = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)
    head_storage = "int8" if storage == "fp16" else "fp32"
    profile_files.write_image(
        tmp_path / "image.onnx", tower.trunk.tensors(), tower.head, storage, head_storage
    )
    vectors, tokens = _run(tmp_path / "image.onnx", {"images": pictures})
    with torch.no_grad():
        kept = tower.trunk.stem_features(torch.from_numpy(pictures))
        last = tower.trunk(kept)
        cells = torch.nn.functional.avg_pool2d(last, 3, stride=2).flatten(2).transpose(1, 2)
        expected = [tower(kept).numpy(), tower.head.embed(cells, cells).numpy()]
    assert tokens.shape == (3, 9, DIM)
    least = 0.9999 if storage == "fp32" else 0.995
    for found, wanted in zip((vectors, tokens), expected, strict=True):
        assert (found * wanted).sum(axis=-1).min() > least


@pytest.mark.parametrize("frozen", [0, 5, 11])
def test_the_stem_by_itself_agrees_with_torch(lite0: backbones.Tensors, frozen: int) -> None:
    classifier = backbones.classifier(backbones.load_lite0())
    pictures = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    learned = {name: 0.9 * value for name, value in lite0.items()}
    digests = set()
    for tensors in (lite0, learned):
        trunk, whole = Trunk(tensors, frozen), Trunk(lite0, frozen)
        stem = FrozenStem(tensors, lite0, classifier, frozen=frozen, size=64, threads=1)
        maps, classes = stem(pictures)
        with torch.no_grad():
            expected = trunk.stem_features(torch.from_numpy(pictures)).permute(0, 2, 3, 1)
            last = whole(whole.stem_features(torch.from_numpy(pictures))).mean(dim=(2, 3))
            weight, bias = (torch.from_numpy(part) for part in classifier)
            taught = torch.softmax(last @ weight.T + bias, dim=1)
        assert np.abs(maps - expected.numpy()).max() < 0.01
        assert np.abs(classes - taught.numpy()).max() < 0.001
        digests.add(stem.digest)
    assert len(digests) == 2


def test_a_head_that_never_learned_reads_the_plain_mean() -> None:
    head = ImageHead(1280, CLASSES, 32, 0.0)
    maps = torch.rand(2, 1280, 4, 4)
    assert torch.allclose(head.pool(maps), maps.mean(dim=(2, 3)), atol=1e-6)


def test_frozen_blocks_do_not_learn(lite0: backbones.Tensors) -> None:
    trunk = Trunk(lite0, 5)
    trunk(trunk.stem_features(torch.zeros(1, 64, 64, 3, dtype=torch.uint8))).sum().backward()
    assert all(p.grad is None for p in [*trunk.first.parameters(), *trunk.stem.parameters()])
    learning = [p for p in trunk.top.parameters() if p.requires_grad]
    assert learning
    assert all(p.grad is not None and bool(p.grad.abs().sum() >= 0) for p in learning)


def test_too_many_frozen_blocks_are_refused(lite0: backbones.Tensors) -> None:
    with pytest.raises(ValueError, match="frozen=17: 0 to 16"):
        Trunk(lite0, 17)


@pytest.mark.parametrize(("storage", "least"), [("fp32", 0.99999), ("int8", 0.99)])
def test_text_file_agrees_with_torch(tmp_path: Path, storage: str, least: float) -> None:
    minilm, _ = backbones.load_minilm()
    torch.manual_seed(0)
    tower = TrainedTextTower(SentenceEncoder(minilm), TextHead(384, 32, 0.0)).eval()
    torch.nn.init.normal_(tower.head.map.down.weight, std=0.05)
    path = tmp_path / "text.onnx"
    profile_files.write_text(path, tower.reader.tensors(), tower.head, storage)  # type: ignore[arg-type]
    sentences = [[101, 3899, 5320, 102], [101, 1037, 2158, 5991, 1037, 3586, 102], [101, 102]]
    with torch.no_grad():
        expected = tower(sentences).numpy()
    ids = np.zeros((3, 7), np.int64)
    mask = np.zeros((3, 7), np.int64)
    for row, sentence in enumerate(sentences):
        ids[row, : len(sentence)] = sentence
        mask[row, : len(sentence)] = 1
    found, states = _run(path, {"input_ids": ids, "attention_mask": mask})
    assert (found * expected).sum(axis=-1).min() > least
    assert states.shape == (3, 7, 384)
    alone = _run(path, {"input_ids": ids[:1, :4], "attention_mask": mask[:1, :4]})[1]
    assert np.allclose(states[0, :4], alone[0], atol=1e-4)


def test_rounded_rows_stay_within_half_a_step() -> None:
    weight = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)
    weight[2] = 0.0
    for axis in (0, 1):
        rounded, scale = quantize_rows(weight, axis)
        assert rounded.dtype == np.int8
        assert (np.abs(rounded * scale - weight) <= scale / 2 + 1e-7).all()


@pytest.mark.parametrize(("storage", "off"), [("fp32", 0.0), ("fp16", 2e-3), ("int8", 2e-2)])
def test_weights_are_read_as_they_are_at_run_time(storage: Storage, off: float) -> None:
    rng = np.random.default_rng(0)
    wide, bias = (rng.normal(size=shape).astype(np.float32) for shape in ((4, 6), (6,)))
    graph = Graph("g", storage)
    x = graph.input("x", onnx.TensorProto.FLOAT, ["N", 4])
    graph.output(graph.linear(x, wide.T, bias, "w"), "y", ["N", 6])
    graph.ints(1, 2)
    model = graph.model().graph
    found = {name.rpartition("_")[0]: value for name, value in read_weights(model).items()}
    assert found.keys() == {"w", "w_bias"}
    for value, wanted in ((found["w"], wide), (found["w_bias"], bias)):
        assert value.dtype == np.float32
        assert np.allclose(value, wanted, rtol=0.0, atol=off)
    if storage == "int8":
        del model.initializer[1]
        with pytest.raises(ValueError, match=r"weight 'w_\d+' has no scales behind it"):
            read_weights(model)


def test_weights_too_large_for_half_precision_are_refused() -> None:
    with pytest.raises(ValueError, match="does not fit half precision"):
        Graph("g", "fp16").weight(np.array([1e6], np.float32), "w")


def test_background_is_a_fixed_sample_in_eight_bits(tmp_path: Path) -> None:
    rows = background_rows(100, 16, seed=0)
    assert len(set(rows.tolist())) == 16
    assert (rows == background_rows(100, 16, seed=0)).all()
    vectors = np.random.default_rng(1).normal(size=(16, DIM)).astype(np.float32)
    write_background(tmp_path / "background.npy", vectors)
    stored = np.load(tmp_path / "background.npy")
    assert stored.dtype == np.int8
    assert (np.abs(stored).max(axis=1) == 127).all()


def test_weights_have_the_names_that_checkpoints_have(lite0: backbones.Tensors) -> None:
    image = {
        name.split(".", 2)[0] + "." + name.split(".")[1] for name in _image(lite0).state_dict()
    }
    head = {"attend", "gain", "logits", "map", "mean", "names", "scale"}
    assert image == {f"head.{part}" for part in head} | {
        f"trunk.{part}" for part in ("first", "stem", "top", "last")
    }
    text = TrainedTextTower(SentenceEncoder(backbones.load_minilm()[0]), TextHead(384, 16))
    names = {name for name in text.state_dict() if not name.startswith("reader.bert.encoder.")}
    embeddings = {
        f"reader.bert.embeddings.{name}.weight"
        for name in ("word_embeddings", "position_embeddings", "token_type_embeddings", "LayerNorm")
    }
    assert names == embeddings | {
        "reader.bert.embeddings.LayerNorm.bias",
        *(f"head.map.{name}" for name in ("straight.weight", "straight.bias", "up.weight")),
        *("head.map.up.bias", "head.map.down.weight"),
    }
