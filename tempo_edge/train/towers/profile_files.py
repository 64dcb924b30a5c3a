"""Writes a profile: two ONNX files, the tokenizer, the background cohort and `profile.json`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge._files import atomic_write
from tempo_edge.train.onnx_graph import Graph, Storage
from tempo_edge.train.towers import backbones
from tempo_edge.train.towers.heads import DIM, ImageHead, TextHead

VERSION = "0.3.0"
MAX_TOKENS = 64
FILES = ("image.onnx", "text.onnx", "tokenizer.json", "background.npy")
LICENCES = {
    "weights": "Apache-2.0",
    "efficientnet-lite0": "Apache-2.0",
    "all-MiniLM-L6-v2": "Apache-2.0",
    "training data": "see docs/nano.md; several sources allow research use only",
}


def write_image(
    path: Path,
    trunk: backbones.Tensors,
    head: ImageHead,
    storage: Storage = "fp16",
    head_storage: Storage = "int8",
) -> None:
    """Write the image tower: uint8 [N, 224, 224, 3] to `vectors` and `tokens`.

    `trunk` are folded tensors. The convolutions keep half precision; the head's wide matrices bear
    eight bits.
    """
    graph = Graph("tempo-edge-nano-image", storage)
    maps = backbones.image_tower(graph, trunk)
    graph.storage = head_storage
    vectors, tokens = head.build(graph, maps)
    graph.output(vectors, "vectors", ["N", DIM])
    graph.output(tokens, "tokens", ["N", backbones.GRID**2, DIM])
    graph.save(path)


def write_text(
    path: Path, reader: backbones.Tensors, head: TextHead, storage: Storage = "int8"
) -> None:
    """Write the text tower: `input_ids` and `attention_mask` int64 [N, L] to two outputs.

    `vectors` are float32 [N, 256], of unit length; `states` float32 [N, L, 384] are the tokens'
    last states, for a grounder that reads the query word by word.

    Eight-bit storage rounds the weights only, one scale for each output channel or word. The
    arithmetic stays in float32, so a sentence's vector does not depend on its neighbours in a
    batch, which the scales of dynamically quantised activations would make it do.
    """
    graph = Graph("tempo-edge-nano-text", storage)
    sentence, states = backbones.text_tower(graph, reader)
    graph.output(head.build(graph, sentence), "vectors", ["N", DIM])
    graph.output(states, "states", ["N", "L", backbones.TEXT_WIDTH])
    graph.save(path)


def write_image_static(
    path: Path, full: Path, pictures: NDArray[np.uint8], method: str = "percentile"
) -> None:
    """Quantise the float32 image tower to eight bits, weights and activations.

    Ranges come from `pictures` uint8 [N, 224, 224, 3], by `method`: minmax, entropy or percentile.
    """
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            # The calibrators stack what they see, so every batch must be as large as the first.
            size = min(16, len(pictures))
            even = len(pictures) // size * size
            self._left = iter(np.split(pictures[:even], range(size, even, size)))

        def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
            batch = next(self._left, None)
            return None if batch is None else {"images": batch}

    prepared = path.with_suffix(".prepared.onnx")
    quant_pre_process(str(full), str(prepared), skip_symbolic_shape=True)
    quantize_static(
        str(prepared),
        str(path),
        Reader(),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv"],
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method={
            "minmax": CalibrationMethod.MinMax,
            "entropy": CalibrationMethod.Entropy,
            "percentile": CalibrationMethod.Percentile,
        }[method],
    )
    prepared.unlink()


def write_text_dynamic(path: Path, full: Path) -> None:
    """Quantise the float32 text tower dynamically, the usual way: for comparison."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        str(full),
        str(path),
        op_types_to_quantize=["MatMul", "Gather"],
        per_channel=True,
        weight_type=QuantType.QInt8,
    )


def write_tokenizer(path: Path, tokenizer: str) -> None:
    """Write the tokenizer, cutting at 64 tokens and padding to the longest of a batch."""
    from tokenizers import Tokenizer

    loaded = Tokenizer.from_str(tokenizer)
    loaded.enable_truncation(MAX_TOKENS)
    loaded.enable_padding(pad_id=0, pad_token="[PAD]")
    with atomic_write(path) as draft:
        draft.write_text(loaded.to_str(pretty=False), encoding="utf-8")


def write_background(path: Path, vectors: NDArray[np.float32]) -> None:
    """Write unit vectors [M, 256] as int8, each row scaled to its own peak."""
    peak = np.abs(vectors).max(axis=1, keepdims=True)
    with atomic_write(path) as draft, draft.open("wb") as file:
        np.save(file, np.rint(127.0 * vectors / peak).astype(np.int8))


def write_profile(folder: Path, training: dict[str, Any]) -> None:
    """Write `profile.json` with the size and checksum of every other file in `folder`."""
    files = {}
    for name in FILES:
        content = (folder / name).read_bytes()
        files[name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    profile = {
        "name": "nano",
        "version": VERSION,
        "dim": DIM,
        "image_size": backbones.IMAGE_SIZE,
        "tokens_per_frame": backbones.GRID**2,
        "text_max_tokens": MAX_TOKENS,
        "languages": "English",
        "files": files,
        "training": training,
        "licences": LICENCES,
    }
    text = json.dumps(profile, indent=2) + "\n"
    with atomic_write(folder / "profile.json") as draft:
        draft.write_text(text, encoding="utf-8")


def runtime_operators(path: Path, work: Path) -> dict[str, int]:
    """The count of each operator that remains after ONNX Runtime has optimised the model."""
    import onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    optimised = work / "optimised.onnx"
    options.optimized_model_filepath = str(optimised)
    onnxruntime.InferenceSession(
        str(path), sess_options=options, providers=["CPUExecutionProvider"]
    )
    counts: dict[str, int] = {}
    for node in onnx.load(optimised).graph.node:
        counts[node.op_type] = counts.get(node.op_type, 0) + 1
    optimised.unlink()
    return dict(sorted(counts.items()))


def background_rows(total: int, wanted: int, seed: int) -> NDArray[np.int64]:
    """A fixed sample of `wanted` of `total` row numbers, in order; all if there are fewer."""
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(total, min(wanted, total), replace=False))
