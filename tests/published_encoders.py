"""Tiny encoders with random weights: files of the names, inputs, outputs and types as published."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from encoders import clip_tokenizer, siglip2_tokenizer
from graphs import FLOAT, INT64, array, model, node, tensor
from onnx import ModelProto, NodeProto, TensorProto

from tempo_edge.models.published import ENCODERS, PinnedFile, PublishedEncoder

_PATCH = 16
_SIGLIP_SIZE, _CLIP_SIZE = 32, 48

Parts = tuple[list[NodeProto], list[TensorProto]]


def _weight(name: str, *shape: int) -> TensorProto:
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    return array(name, np.random.default_rng(seed).normal(size=shape) / 4)


def _seeing(dim: int, form: str, *outputs: str) -> Parts:
    """Patches, what is on average in them, and a vector of that."""
    if form == "float":
        nodes = [node("Conv", ["pixel_values", "patch"], ["maps"], strides=[_PATCH] * 2)]
        weights = [_weight("patch", dim, 3, _PATCH, _PATCH)]
    else:
        bits = np.uint8 if form == "uint8" else np.int8
        zero = 128 if form == "uint8" else 0
        rng = np.random.default_rng(3)
        levels = rng.integers(zero - 99, zero + 100, (dim, 3, _PATCH, _PATCH))
        nodes = [
            node("DynamicQuantizeLinear", ["pixel_values"], ["q", "scale", "zero"]),
            node("ConvInteger", ["q", "patch", "zero", "patch_zero"], ["sums"], strides=[16, 16]),
            node("Cast", ["sums"], ["numbers"], to=FLOAT),
            node("Mul", ["numbers", "scale"], ["scaled"]),
            node("Mul", ["scaled", "patch_scale"], ["maps"]),
        ]
        weights = [
            array("patch", levels, bits),
            array("patch_zero", zero, bits),
            array("patch_scale", 0.002),
        ]
    nodes += [
        node("Tanh", ["maps"], ["bent"]),
        node("ReduceMean", ["bent"], ["seen"], axes=[2, 3], keepdims=0),
        node("MatMul", ["seen", "look"], [outputs[0]]),
    ]
    return nodes, [*weights, _weight("look", dim, dim)]


def _reading(dim: int, words: int, tokens: int | None, output: str) -> Parts:
    """Words weighed by their places, or by the mask, and a vector of that."""
    nodes = [node("Gather", ["words", "input_ids"], ["embedded"])]
    weights = [_weight("words", words, dim), _weight("read", dim, dim)]
    if tokens is not None:
        nodes.append(node("Mul", ["embedded", "places"], ["weighed"]))
        weights.append(_weight("places", 1, tokens, dim))
    else:
        nodes += [
            node("Cast", ["attention_mask"], ["mask"], to=FLOAT),
            node("Unsqueeze", ["mask", "last"], ["weight"]),
            node("Mul", ["embedded", "weight"], ["weighed"]),
        ]
        weights.append(array("last", [-1], np.int64))
    nodes += [
        node("ReduceMean", ["weighed"], ["meant"], axes=[1], keepdims=0),
        node("MatMul", ["meant", "read"], [output]),
    ]
    return nodes, weights


def _made(parts: Parts, takes: tuple[str, ...], gives: tuple[str, ...], dim: int) -> bytes:
    known = {
        "pixel_values": tensor("pixel_values", FLOAT, ["b", 3, "h", "w"]),
        "input_ids": tensor("input_ids", INT64, ["t", "l"]),
        "attention_mask": tensor("attention_mask", INT64, ["t", "l"]),
    }
    nodes, weights = parts
    outputs = tuple(tensor(name, FLOAT, ["n", dim]) for name in gives)
    made: ModelProto = model(
        nodes, *weights, inputs=tuple(known[name] for name in takes), outputs=outputs
    )
    return made.SerializeToString()


def _beside(size: int, family: str) -> dict[str, bytes]:
    clip = family == "clip"
    tokenizer = clip_tokenizer() if clip else siglip2_tokenizer()
    tokenizer.enable_truncation(12)  # which is the tokenizer's own affair
    square = {"height": size, "width": size}
    pictures = {
        "do_resize": True,
        "resample": 3 if clip else 2,
        "do_center_crop": clip,
        "size": {"shortest_edge": size} if clip else square,
        **({"crop_size": square} if clip else {}),
        "image_mean": [0.48145466, 0.4578275, 0.40821073] if clip else [0.5] * 3,
        "image_std": [0.26862954, 0.26130258, 0.27577711] if clip else [0.5] * 3,
        "rescale_factor": 0.00392156862745098,
    }
    return {
        "tokenizer.json": tokenizer.to_str().encode(),
        "config.json": json.dumps({"model_type": family}).encode(),
        "preprocessor_config.json": json.dumps(pictures).encode(),
    }


def _siglip2(dim: int, image: dict[str, str], text: tuple[str, ...]) -> dict[str, bytes]:
    words = siglip2_tokenizer().get_vocab_size()
    seen = {
        name: _made(_seeing(dim, form, "pooler_output"), ("pixel_values",), ("pooler_output",), dim)
        for name, form in image.items()
    }
    read = _made(_reading(dim, words, 64, "pooler_output"), ("input_ids",), ("pooler_output",), dim)
    return {**seen, **dict.fromkeys(text, read), **_beside(_SIGLIP_SIZE, "siglip2")}


def _tinyclip() -> dict[str, bytes]:
    takes, gives = ("input_ids", "pixel_values", "attention_mask"), ("text_embeds", "image_embeds")
    graphs = {}
    for form in ("int8", "uint8"):
        seen = _seeing(20, form, "image_embeds")
        read = _reading(20, clip_tokenizer().get_vocab_size(), None, "text_embeds")
        both = (seen[0] + read[0], seen[1] + read[1])
        graphs[f"onnx/model_{form}.onnx"] = _made(both, takes, gives, 20)
    return {**graphs, **_beside(_CLIP_SIZE, "clip")}


def _clip() -> dict[str, bytes]:
    words = clip_tokenizer().get_vocab_size()
    seen = _made(_seeing(16, "uint8", "image_embeds"), ("pixel_values",), ("image_embeds",), 16)
    read = _reading(16, words, None, "text_embeds")
    takes = ("input_ids", "attention_mask")
    return {
        "onnx/vision_model_uint8.onnx": seen,
        "onnx/text_model.onnx": _made(read, takes, ("text_embeds",), 16),
        **_beside(_CLIP_SIZE, "clip"),
    }


_WRITERS: dict[str, Callable[[], dict[str, bytes]]] = {
    "siglip2": lambda: _siglip2(
        24,
        {
            "onnx/vision_model_int8.onnx": "int8",
            "onnx/vision_model_uint8.onnx": "uint8",
            "onnx/vision_model_fp16.onnx": "float",
            "onnx/vision_model.onnx": "float",
        },
        (
            "onnx/text_model_int8.onnx",
            "onnx/text_model_uint8.onnx",
            "onnx/text_model_fp16.onnx",
        ),
    ),
    "siglip2-so400m": lambda: _siglip2(
        36,
        {"onnx/vision_model_fp16.onnx": "float"},
        ("onnx/text_model_int8.onnx", "onnx/text_model_uint8.onnx"),
    ),
    "tinyclip": _tinyclip,
    "clip": _clip,
}


def tiny(
    name: str, files: dict[str, bytes] | None = None
) -> tuple[PublishedEncoder, dict[str, bytes]]:
    """A published encoder with tiny files in the place of its own, and these, by their paths."""
    files = files or _WRITERS[name]()
    real = ENCODERS[name]

    def pinned(each: PinnedFile) -> PinnedFile:
        data = files.get(each.name, b"")
        digest = hashlib.sha256(data).hexdigest() if each.sha256 is not None else None
        return PinnedFile(each.name, len(data), digest)

    image, text, beside = (
        tuple(map(pinned, each)) for each in (real.image, real.text, real.beside)
    )
    return replace(real, image=image, text=text, beside=beside), files
