"""The loss prefers right pairs, and training finds a relation that is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

# ruff: noqa: E402 - the imports below need the train extra
from tempo_edge.train.contrastive import (
    Config,
    Corpus,
    build_heads,
    contrastive_loss,
    targets,
    train,
)
from tempo_edge.train.evaluate import retrieval
from tempo_edge.train.export import background_rows, write_background
from tempo_edge.train.graph import Graph, quantize_rows
from tempo_edge.train.heads import DIM

PICTURES, WIDTH, READ, CLASSES = 240, 48, 288, 10


def _corpus() -> Corpus:
    """Pictures and sentences that are two noisy linear looks at one hidden thing."""
    rng = np.random.default_rng(3)
    hidden = rng.normal(size=(PICTURES, 12))
    seen = hidden @ rng.normal(size=(12, WIDTH))
    views = [
        (seen[:, None] + 0.3 * rng.normal(size=(PICTURES, 10, WIDTH))).astype(np.float16)
        for _ in range(2)
    ]
    said = np.repeat(hidden @ rng.normal(size=(12, READ)), 2, axis=0)
    said = said + 0.3 * rng.normal(size=said.shape)
    said /= np.linalg.norm(said, axis=1, keepdims=True)
    first = 2 * np.arange(PICTURES)
    names = rng.normal(size=(CLASSES, 2, READ)) / READ**0.5
    weight = rng.normal(size=(CLASSES, WIDTH)).astype(np.float32)
    label = np.full(PICTURES, -1, np.int64)
    label[:20] = np.arange(20) % CLASSES
    return Corpus(
        views=views,
        sentences=said.astype(np.float32),
        spans=np.stack([first, first + 2], axis=1).astype(np.int64),
        label=label,
        names=names.astype(np.float32),
        classifier=(weight, np.zeros(CLASSES, np.float32)),
    )


CONFIG = Config(
    epochs=25, batch=80, learning_rate=3e-3, image_hidden=64, text_hidden=64, ema=0.9, captions=2
)


def test_loss_is_least_for_right_pairs() -> None:
    vectors = torch.eye(8)
    right = contrastive_loss(vectors, vectors, 0.1)
    wrong = contrastive_loss(vectors, vectors.roll(1, dims=0), 0.1)
    chance = contrastive_loss(vectors, torch.ones(8, 8) / 8**0.5, 0.1)
    assert right < chance < wrong
    assert float(chance) == pytest.approx(np.log(8), abs=1e-4)


def test_loss_is_symmetric() -> None:
    torch.manual_seed(0)
    a, b = torch.nn.functional.normalize(torch.randn(2, 6, DIM), dim=-1)
    assert float(contrastive_loss(a, b, 0.1)) == pytest.approx(float(contrastive_loss(b, a, 0.1)))


def test_targets_share_the_weight_among_right_answers() -> None:
    group = torch.tensor([5, 5, 9])
    expected = torch.tensor([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
    assert torch.equal(targets(group), expected)
    soft = targets(group, torch.eye(3), 0.2)
    assert torch.allclose(soft.sum(dim=1), torch.ones(3))
    assert float(soft[2, 0]) > 0.0


def test_training_improves_retrieval_and_repeats() -> None:
    corpus = _corpus()
    pictures = torch.from_numpy(corpus.views[0][:, 0].astype(np.float32))
    said = torch.from_numpy(corpus.sentences[::2])
    right = np.arange(PICTURES)
    found = []
    with torch.no_grad():
        image, text = build_heads(corpus, CONFIG)
        before = retrieval(text.eval()(said).numpy(), image.eval()(pictures).numpy(), right)
    for _ in range(2):
        image, text = train(corpus, CONFIG, say=lambda line: None)
        with torch.no_grad():
            found.append((text(said).numpy(), image(pictures).numpy()))
    after = retrieval(*found[0], right)
    assert after["r5"] > before["r5"] + 30.0
    assert all(np.array_equal(a, b) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize("storage", ["fp32", "fp16", "int8"])
def test_exported_heads_agree_with_torch(tmp_path: Path, storage: str) -> None:
    corpus = _corpus()
    image, text = (head.eval() for head in build_heads(corpus, CONFIG))
    features = torch.from_numpy(corpus.views[0][:6].astype(np.float32))
    sentences = torch.from_numpy(corpus.sentences[:6])
    for name, head, value in (("image", image, features), ("text", text, sentences)):
        graph = Graph(name, storage)  # type: ignore[arg-type]
        shape = ["N", *value.shape[1:]]
        result = head.build(graph, graph.input("x", onnx.TensorProto.FLOAT, shape))
        graph.output(result, "y", [*shape[:-1], DIM])
        graph.save(tmp_path / f"{name}.onnx")
        session = onnxruntime.InferenceSession(
            str(tmp_path / f"{name}.onnx"), providers=["CPUExecutionProvider"]
        )
        (found,) = session.run(None, {"x": value.numpy()})
        with torch.no_grad():
            expected = head(value).numpy()
        assert found.shape == expected.shape
        assert (found * expected).sum(axis=-1).min() > (0.9999 if storage != "int8" else 0.99)


def test_rounded_rows_stay_within_half_a_step() -> None:
    weight = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)
    weight[2] = 0.0
    for axis in (0, 1):
        rounded, scale = quantize_rows(weight, axis)
        assert rounded.dtype == np.int8
        assert (np.abs(rounded * scale - weight) <= scale / 2 + 1e-7).all()


def test_weights_too_large_for_half_precision_are_refused() -> None:
    with pytest.raises(ValueError, match="does not fit half precision"):
        Graph("g", "fp16").weight(np.array([1e6], np.float32), "w")


def test_ranks_count_ties_against_the_right_answer() -> None:
    texts, pictures = np.ones((2, 4), np.float32), np.ones((3, 4), np.float32)
    assert retrieval(texts, pictures, np.array([0, 1]))["median_rank"] == 3.0


def test_background_is_a_fixed_sample_in_eight_bits(tmp_path: Path) -> None:
    rows = background_rows(100, 16, seed=0)
    assert len(set(rows.tolist())) == 16
    assert (rows == background_rows(100, 16, seed=0)).all()
    vectors = np.random.default_rng(1).normal(size=(16, DIM)).astype(np.float32)
    write_background(tmp_path / "background.npy", vectors)
    stored = np.load(tmp_path / "background.npy")
    assert stored.dtype == np.int8
    assert (np.abs(stored).max(axis=1) == 127).all()
