"""Files of SigLIP 2's published names, layout and sizes, with random weights in them.

The real ones are not always to be had; what opens, maps and runs them cannot tell these from those.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike
from onnx import TensorProto, helper, numpy_helper

from tempo_edge.models.published import ENCODERS, PinnedFile, PublishedEncoder

__all__ = ["write_siglip2"]

# Sizes of SigLIP 2 base: width, layers, heads, width within, words, tokens, pixels, a patch's edge.
_WIDTH, _LAYERS, _HEADS, _INNER = 768, 12, 12, 3072
_WORDS, _TOKENS, _PIXELS, _PATCH = 256_000, 64, 224, 16

# Pairs that a tokenizer of Gemma's merges: more than it has pieces, for one has several halves.
_MERGES = 580_000
_LONGEST = 31
_COMMON = "▁etaoinshrdl"

_PICTURES = {
    "do_resize": True,
    "resample": 2,
    "size": {"height": _PIXELS, "width": _PIXELS},
    "image_mean": [0.5] * 3,
    "image_std": [0.5] * 3,
}


def write_siglip2(folder: Path, seed: int = 0) -> PublishedEncoder:
    """Write the int8 graphs, the tokenizer and the descriptions below ``folder``.

    Gives the published encoder with the checksums of these in the place of its own.
    """
    rng = np.random.default_rng(seed)
    files: dict[str, Callable[[], bytes]] = {
        "onnx/vision_model_int8.onnx": lambda: _vision(rng),
        "onnx/text_model_int8.onnx": lambda: _text(rng),
        "tokenizer.json": _tokenizer,
        "config.json": lambda: json.dumps({"model_type": "siglip"}).encode(),
        "preprocessor_config.json": lambda: json.dumps(_PICTURES).encode(),
    }
    pinned = {}
    for name, make in files.items():
        data = make()
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        pinned[name] = PinnedFile(name, len(data), hashlib.sha256(data).hexdigest())
    return replace(
        ENCODERS["siglip2"],
        image=(pinned["onnx/vision_model_int8.onnx"],),
        text=(pinned["onnx/text_model_int8.onnx"],),
        beside=tuple(
            pinned[name] for name in ("tokenizer.json", "config.json", "preprocessor_config.json")
        ),
    )


@dataclass
class _Graph:
    """A graph that grows node by node; what a method gives is the name of a value."""

    rng: np.random.Generator
    nodes: list[Any] = field(default_factory=list)
    weights: list[TensorProto] = field(default_factory=list)

    def node(self, kind: str, *inputs: str, called: str | None = None, **attributes: Any) -> str:
        """The one output of a node."""
        name = called or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, values: ArrayLike, dtype: DTypeLike = np.float32) -> str:
        """A weight."""
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def levels(self, *shape: int) -> str:
        """A weight of eight bits, uniform."""
        return self.constant(self.rng.integers(-127, 128, shape, np.int8), np.int8)

    def scaled(self, numbers: str, scale: str, width: int) -> str:
        """Whole numbers times the scales of what they are products of, and a bias."""
        real = self.node("Cast", numbers, to=TensorProto.FLOAT)
        # A weight of about 1 / sqrt(width), which keeps what passes through at its size.
        step = self.node("Mul", scale, self.constant(1.0 / (73 * width**0.5)))
        return self.node("Mul", real, step)

    def linear(self, value: str, wide: int, narrow: int) -> str:
        """A dense layer, its inputs of eight bits by a scale of their own."""
        numbers, scale, zero = self.quantized(value)
        weight, none = self.levels(wide, narrow), self.constant(0, np.int8)
        product = self.node("MatMulInteger", numbers, weight, zero, none)
        bias = self.constant(self.rng.normal(0, 0.02, narrow))
        return self.node("Add", self.scaled(product, scale, wide), bias)

    def quantized(self, value: str) -> tuple[str, str, str]:
        """A value in eight bits, its scale and its zero point."""
        names = [f"{part}{len(self.nodes)}" for part in ("q", "s", "z")]
        self.nodes.append(helper.make_node("DynamicQuantizeLinear", [value], names))
        return names[0], names[1], names[2]

    def norm(self, value: str) -> str:
        """A layer's normalisation."""
        ones, zeros = self.constant(np.ones(_WIDTH)), self.constant(np.zeros(_WIDTH))
        return self.node("LayerNormalization", value, ones, zeros, axis=-1, epsilon=1e-6)

    def heads(self, value: str) -> str:
        """``[b, l, w]`` as ``[b, h, l, w / h]``."""
        shape = self.constant([0, -1, _HEADS, _WIDTH // _HEADS], np.int64)
        return self.node("Transpose", self.node("Reshape", value, shape), perm=[0, 2, 1, 3])

    def attention(self, asked: str, seen: str) -> str:
        """What ``asked`` attends to in ``seen``."""
        query, key, value = (
            self.heads(self.linear(each, _WIDTH, _WIDTH)) for each in (asked, seen, seen)
        )
        scores = self.node("MatMul", query, self.node("Transpose", key, perm=[0, 1, 3, 2]))
        scale = self.constant((_WIDTH // _HEADS) ** -0.5)
        weights = self.node("Softmax", self.node("Mul", scores, scale), axis=-1)
        found = self.node("Transpose", self.node("MatMul", weights, value), perm=[0, 2, 1, 3])
        flat = self.node("Reshape", found, self.constant([0, -1, _WIDTH], np.int64))
        return self.linear(flat, _WIDTH, _WIDTH)

    def mlp(self, value: str) -> str:
        """Two dense layers, and between them GELU by its tanh."""
        wide = self.linear(value, _WIDTH, _INNER)
        cube = self.node("Mul", self.node("Mul", wide, wide), wide)
        bent = self.node("Add", wide, self.node("Mul", cube, self.constant(0.044715)))
        tanh = self.node("Tanh", self.node("Mul", bent, self.constant(0.7978845608)))
        half = self.node("Mul", wide, self.constant(0.5))
        gelu = self.node("Mul", half, self.node("Add", tanh, self.constant(1.0)))
        return self.linear(gelu, _INNER, _WIDTH)

    def layers(self, value: str) -> str:
        """The transformer's layers, and the normalisation after them."""
        for _ in range(_LAYERS):
            normed = self.norm(value)
            value = self.node("Add", value, self.attention(normed, normed))
            value = self.node("Add", value, self.mlp(self.norm(value)))
        return self.norm(value)

    def model(self, takes: str, kind: int, shape: list[Any]) -> bytes:
        """The file of the graph from an input to ``pooler_output``, which its last node gives."""
        graph = helper.make_graph(
            self.nodes,
            "stand-in",
            [helper.make_tensor_value_info(takes, kind, shape)],
            [helper.make_tensor_value_info("pooler_output", TensorProto.FLOAT, ["b", _WIDTH])],
            self.weights,
        )
        opsets = [helper.make_opsetid("", 17)]
        made = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        return bytes(made.SerializeToString())


def _vision(rng: np.random.Generator) -> bytes:
    """Patches by ConvInteger, twelve layers, and a head whose one query looks for all."""
    graph = _Graph(rng)
    numbers, scale, zero = graph.quantized("pixel_values")
    patch = graph.levels(_WIDTH, 3, _PATCH, _PATCH)
    none = graph.constant(0, np.int8)
    maps = graph.node("ConvInteger", numbers, patch, zero, none, strides=[_PATCH] * 2)
    maps = graph.scaled(maps, scale, 3 * _PATCH**2)
    rows = graph.node("Reshape", maps, graph.constant([0, _WIDTH, -1], np.int64))
    places = graph.constant(rng.normal(0, 0.02, ((_PIXELS // _PATCH) ** 2, _WIDTH)))
    value = graph.node("Add", graph.node("Transpose", rows, perm=[0, 2, 1]), places)
    seen = graph.layers(value)
    # As many queries as pictures: what is seen, averaged and taken away from itself, is none.
    mean = graph.node("ReduceMean", seen, axes=[1], keepdims=1)
    probe = graph.constant(rng.normal(0, 1, (1, 1, _WIDTH)))
    asked = graph.node("Add", graph.node("Sub", mean, mean), probe)
    found = graph.attention(asked, seen)
    found = graph.node("Add", found, graph.mlp(graph.norm(found)))
    graph.node("Squeeze", found, graph.constant([1], np.int64), called="pooler_output")
    return graph.model("pixel_values", TensorProto.FLOAT, ["b", 3, "h", "w"])


def _text(rng: np.random.Generator) -> bytes:
    """A quarter of a million words in eight bits, twelve layers, and a head at the last token."""
    graph = _Graph(rng)
    rows = graph.node("Gather", graph.levels(_WORDS, _WIDTH), "input_ids")
    scale, zero = graph.constant(0.01), graph.constant(0, np.int8)
    words = graph.node("DequantizeLinear", rows, scale, zero)
    places = graph.constant(rng.normal(0, 0.02, (_TOKENS, _WIDTH)))
    read = graph.layers(graph.node("Add", words, places))
    last = graph.node("Gather", read, graph.constant(_TOKENS - 1, np.int64), axis=1)
    pooled = graph.linear(last, _WIDTH, _WIDTH)
    graph.node("Identity", pooled, called="pooler_output")
    return graph.model("input_ids", TensorProto.INT64, ["b", _TOKENS])


def _tokenizer() -> bytes:
    """A byte pair encoding like Gemma's: as many pieces and merges, of runs of common letters."""
    marks = ["<pad>", "<eos>", "<bos>", "<unk>"]
    letters = ["▁", *map(chr, range(33, 127)), *map(chr, range(0x00C0, 0x0250))]
    pieces = [*marks, *(f"<0x{byte:02X}>" for byte in range(256)), *letters]
    runs = ("▁" * length for length in range(2, _LONGEST + 1))
    words = ("".join(each) for length in range(2, 6) for each in product(_COMMON, repeat=length))
    ids = dict.fromkeys((*pieces, *runs))
    for word in words:
        if len(ids) < _WORDS:
            ids.setdefault(word)
    pieces = list(ids)
    merges: dict[tuple[str, str], None] = {}
    # Each piece comes of its first cut, and of others as long as there is room.
    for cut in range(1, _LONGEST):
        for piece in pieces[len(marks) + 256 + len(letters) :]:
            if cut < len(piece) and len(merges) < _MERGES:
                merges[piece[:cut], piece[cut:]] = None
    model = {
        "type": "BPE",
        "unk_token": "<unk>",
        "fuse_unk": True,
        "byte_fallback": True,
        "vocab": {piece: place for place, piece in enumerate(pieces)},
        "merges": [list(pair) for pair in merges],
    }
    added = [
        {
            "id": place,
            "content": mark,
            "special": True,
            **dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False),
        }
        for place, mark in enumerate(marks)
    ]
    about = {
        "version": "1.0",
        "added_tokens": added,
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        "model": model,
    }
    return json.dumps(about, ensure_ascii=False, indent=2).encode()
