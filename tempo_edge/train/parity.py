"""What the compact files lose against float32, and what each way of storing them costs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from tempo_edge.train import export
from tempo_edge.train.backbones import Tensors
from tempo_edge.train.evaluate import Retrieval, retrieval
from tempo_edge.train.features import session
from tempo_edge.train.graph import Storage
from tempo_edge.train.heads import ImageHead, TextHead

Floats = NDArray[np.float32]
Say = Callable[[str], None]


def encode(
    model: onnxruntime.InferenceSession, tokenizer: str, sentences: Sequence[str], batch: int
) -> tuple[Floats, float]:
    """Vectors [N, D] of sentences in batches of `batch`, and the milliseconds for one sentence."""
    from tokenizers import Tokenizer

    loaded = Tokenizer.from_str(tokenizer)
    loaded.enable_truncation(export.MAX_TOKENS)
    loaded.enable_padding(pad_id=0, pad_token="[PAD]")
    out: list[Floats] = []
    times: list[float] = []
    for start in range(0, len(sentences), batch):
        encoded = loaded.encode_batch(list(sentences[start : start + batch]))
        feed = {
            "input_ids": np.array([e.ids for e in encoded], np.int64),
            "attention_mask": np.array([e.attention_mask for e in encoded], np.int64),
        }
        started = time.perf_counter()
        out.append(model.run(None, feed)[0])
        times.append((time.perf_counter() - started) / len(encoded))
    return np.concatenate(out), 1e3 * float(np.median(times))


def _line(name: str, path: Path, found: Retrieval, extra: str) -> str:
    size = path.stat().st_size / 1e6
    recalls = f"R@1 {found['r1']:.1f} R@5 {found['r5']:.1f} R@10 {found['r10']:.1f}"
    return f"{name}: {size:.1f} MB, {recalls}, {extra}"


def text_parity(
    minilm: Tensors,
    tokenizer: str,
    head: TextHead,
    captions: Sequence[str],
    pictures: Floats,
    right: NDArray[np.int64],
    *,
    work: Path,
    say: Say,
) -> None:
    """Compare the text tower in float32, with eight-bit weights and quantised dynamically.

    Retrieval is from `captions` to `pictures` [N, 256], whose right rows are `right`.
    """
    full, rounded, dynamic = (work / f"text-{n}.onnx" for n in ("fp32", "int8", "dynamic"))
    export.write_text(full, minilm, head, "fp32")
    export.write_text(rounded, minilm, head, "int8")
    export.write_text_dynamic(dynamic, full)
    reference: Floats | None = None
    for name, path in (("float32", full), ("int8 weights", rounded), ("dynamic int8", dynamic)):
        model = session(path, os.cpu_count() or 1)
        alone, took = encode(model, tokenizer, captions, 1)
        together, _ = encode(model, tokenizer, captions[:640], 64)
        reference = alone if reference is None else reference
        agree = (alone * reference).sum(axis=1)
        drift = float(np.abs(together - alone[:640]).max())
        say(
            _line(
                name,
                path,
                retrieval(alone, pictures, right),
                f"cosine to float32 mean {agree.mean():.5f} least {agree.min():.5f}, "
                f"batch of 64 differs by {drift:.1e}, {took:.1f} ms a sentence",
            )
        )


def image_parity(
    lite0: Tensors, head: ImageHead, pictures: NDArray[np.uint8], *, work: Path, say: Say
) -> None:
    """Compare ways of storing the image tower to float32.

    `pictures` is uint8 [N, 224, 224, 3]; both are run in batches of 16.
    """
    reference: list[Floats] | None = None
    kinds: list[tuple[Storage, Storage]] = [("fp32", "fp32"), ("fp16", "fp16"), ("fp16", "int8")]
    for storage, head_storage in kinds:
        path = work / f"image-{storage}-{head_storage}.onnx"
        export.write_image(path, lite0, head, storage, head_storage)
        model = session(path, os.cpu_count() or 1)
        parts: list[list[Floats]] = []
        times: list[float] = []
        for start in range(0, len(pictures), 16):
            started = time.perf_counter()
            parts.append(model.run(["vectors", "tokens"], {"images": pictures[start : start + 16]}))
            times.append((time.perf_counter() - started) / len(pictures[start : start + 16]))
        found = [np.concatenate(each) for each in zip(*parts, strict=True)]
        reference = found if reference is None else reference
        least = [float((a * b).sum(axis=-1).min()) for a, b in zip(found, reference, strict=True)]
        say(
            f"image {storage}, head {head_storage}: {path.stat().st_size / 1e6:.1f} MB, "
            f"least cosine to float32 {least[0]:.5f} (picture) {least[1]:.5f} (tokens), "
            f"{1e3 * float(np.median(times)):.1f} ms a picture"
        )
