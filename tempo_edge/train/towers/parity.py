"""The loss of compact files against float32, and the cost of each way of storing them."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from tempo_edge.train.progress_log import Say
from tempo_edge.train.towers import profile_files
from tempo_edge.train.towers.backbones import Tensors
from tempo_edge.train.towers.heads import ImageHead, TextHead
from tempo_edge.train.towers.retrieval import Floats, retrieval

_CALIBRATION = 128  # pictures that set the ranges of eight-bit activations


def session(path: Path) -> onnxruntime.InferenceSession:
    """An ONNX Runtime session on all cores of the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count() or 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        str(path), sess_options=options, providers=["CPUExecutionProvider"]
    )


def encode(
    model: onnxruntime.InferenceSession, tokenizer: str, sentences: Sequence[str], batch: int
) -> tuple[Floats, float]:
    """Vectors [N, D] of sentences in batches of `batch`, and the milliseconds for one sentence."""
    from tokenizers import Tokenizer

    loaded = Tokenizer.from_str(tokenizer)
    loaded.enable_truncation(profile_files.MAX_TOKENS)
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
        out.append(model.run(["vectors"], feed)[0])
        times.append((time.perf_counter() - started) / len(encoded))
    return np.concatenate(out), 1e3 * float(np.median(times))


def see(
    model: onnxruntime.InferenceSession, pictures: NDArray[np.uint8]
) -> tuple[list[Floats], float]:
    """Vectors and tokens of pictures in batches of 16, and the milliseconds for one picture."""
    parts: list[list[Floats]] = []
    times: list[float] = []
    for start in range(0, len(pictures), 16):
        batch = pictures[start : start + 16]
        started = time.perf_counter()
        parts.append(model.run(["vectors", "tokens"], {"images": batch}))
        times.append((time.perf_counter() - started) / len(batch))
    return [np.concatenate(each) for each in zip(*parts, strict=True)], 1e3 * float(
        np.median(times)
    )


def _least_cosine(found: Floats, reference: Floats) -> float:
    return float((found * reference).sum(axis=-1).min())


def text_parity(
    reader: Tensors,
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
    profile_files.write_text(full, reader, head, "fp32")
    profile_files.write_text(rounded, reader, head, "int8")
    profile_files.write_text_dynamic(dynamic, full)
    reference: Floats | None = None
    for name, path in (("float32", full), ("int8 weights", rounded), ("dynamic int8", dynamic)):
        model = session(path)
        alone, took = encode(model, tokenizer, captions, 1)
        together, _ = encode(model, tokenizer, captions[:640], 64)
        reference = alone if reference is None else reference
        drift = float(np.abs(together - alone[:640]).max())
        found = retrieval(alone, pictures, right)
        say(
            f"text {name}: {path.stat().st_size / 1e6:.1f} MB, R@1 {found['r1']:.1f} "
            f"R@10 {found['r10']:.1f}, least cosine {_least_cosine(alone, reference):.5f}, "
            f"alone against in a batch of 64 {drift:.1e}, {took:.1f} ms a sentence"
        )


def image_parity(
    trunk: Tensors,
    head: ImageHead,
    ranges: NDArray[np.uint8],
    pictures: NDArray[np.uint8],
    texts: Floats,
    right: NDArray[np.int64],
    *,
    work: Path,
    say: Say,
) -> None:
    """Compare ways of storing and computing the image tower to float32.

    `pictures` and `ranges` are uint8 [N, 224, 224, 3]; the latter, from training, set the ranges
    of eight-bit activations. Retrieval is from `texts` [T, 256] with right rows `right`.
    """
    full = work / "image-fp32.onnx"
    profile_files.write_image(full, trunk, head, "fp32", "fp32")
    kinds = {"float32": full}
    half = kinds["float16 weights, int8 head"] = work / "image-fp16.onnx"
    profile_files.write_image(half, trunk, head, "fp16", "int8")
    for method in ("minmax", "entropy", "percentile"):
        path = kinds[f"static int8 ({method})"] = work / f"image-{method}.onnx"
        profile_files.write_image_static(path, full, ranges[:_CALIBRATION], method)
    reference: list[Floats] | None = None
    for name, path in kinds.items():
        (vectors, tokens), took = see(session(path), pictures)
        reference = [vectors, tokens] if reference is None else reference
        found = retrieval(texts, vectors, right)
        say(
            f"image {name}: {path.stat().st_size / 1e6:.1f} MB, R@1 {found['r1']:.1f} "
            f"R@10 {found['r10']:.1f}, least cosine {_least_cosine(vectors, reference[0]):.5f} "
            f"(picture) {_least_cosine(tokens, reference[1]):.5f} (tokens), {took:.1f} ms a picture"
        )
