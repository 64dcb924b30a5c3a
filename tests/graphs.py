"""Tiny ONNX graphs, written down in a line each."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, DTypeLike
from onnx import TensorProto, helper, numpy_helper

node = helper.make_node
tensor = helper.make_tensor_value_info

FLOAT, HALF, DOUBLE = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE
INT8, UINT8, INT32, INT64 = (
    TensorProto.INT8,
    TensorProto.UINT8,
    TensorProto.INT32,
    TensorProto.INT64,
)
Made = onnx.ModelProto

#: A float32 matrix in and out.
X = tensor("x", TensorProto.FLOAT, [4, 64])
Y = tensor("y", TensorProto.FLOAT, [4, 64])
#: An output of unknown shape.
ANY = tensor("y", TensorProto.FLOAT, None)


def array(name: str, values: ArrayLike, dtype: DTypeLike = np.float32) -> onnx.TensorProto:
    """A weight."""
    return numpy_helper.from_array(np.array(values, dtype), name)


def whole(name: str, *values: int) -> onnx.TensorProto:
    """A one-dimensional int64 weight."""
    return array(name, values, np.int64)


def four_bits(name: str, *shape: int) -> onnx.TensorProto:
    """A weight of int4 ones."""
    count = int(np.prod(shape))
    return helper.make_tensor(name, TensorProto.INT4, shape, np.ones(count, np.int8))


def model(
    nodes: list[Any],
    *weights: onnx.TensorProto,
    inputs: tuple[Any, ...] = (X,),
    outputs: tuple[Any, ...] = (Y,),
    opset: int = 17,
    functions: tuple[Any, ...] = (),
    domains: tuple[str, ...] = (),
) -> onnx.ModelProto:
    """A model of these nodes."""
    graph = helper.make_graph(nodes, "tiny", list(inputs), list(outputs), list(weights))
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(d, 1) for d in domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10, functions=functions)


_COUNT = itertools.count()


def save(made: onnx.ModelProto, folder: Path) -> Path:
    """Write a model under a name of its own."""
    path = folder / f"{next(_COUNT)}.onnx"
    path.write_bytes(made.SerializeToString())
    return path


def relu(*shape: Any, opset: int = 17, kind: int = FLOAT) -> Made:
    inputs, outputs = (tensor("x", kind, shape),), (tensor("y", kind, shape),)
    return model([node("Relu", ["x"], ["y"])], inputs=inputs, outputs=outputs, opset=opset)


def unary(operator: str, kind: int, given: int | None = None, **attributes: Any) -> Made:
    inputs = (tensor("x", kind, [4, 64]),)
    outputs = (tensor("y", kind if given is None else given, None),)
    return model([node(operator, ["x"], ["y"], **attributes)], inputs=inputs, outputs=outputs)


def fed(operator: str, weight: Any, opset: int = 17, **attributes: Any) -> Made:
    """An operator whose second input `w` is a weight."""
    return model(
        [node(operator, ["x", "w"], ["y"], **attributes)], weight, outputs=(ANY,), opset=opset
    )


def asked(operator: str, *shape: int, opset: int = 17, **attributes: Any) -> Made:
    """The same operator, whose second input is the model's."""
    inputs = (X, tensor("w", INT64, shape))
    nodes = [node(operator, ["x", "w"], ["y"], **attributes)]
    return model(nodes, inputs=inputs, outputs=(ANY,), opset=opset)


def dequantized(weight: Any, *scale: int, opset: int = 21, **attributes: Any) -> Made:
    """A matrix product with a quantized weight."""
    nodes = [
        node("DequantizeLinear", ["w", "s"], ["v"], **attributes),
        node("MatMul", ["x", "v"], ["y"]),
    ]
    return model(nodes, weight, array("s", np.ones(scale)), outputs=(ANY,), opset=opset)


def quantized(zero: int = 0, scale: float = 1.0, kind: Any = np.int8, between: str = "") -> Made:
    """A value that is rounded and restored, and something in between."""
    inner = [node(between, ["q"], ["r"])] if between else []
    last = "r" if between else "q"
    nodes = [
        node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        *inner,
        node("DequantizeLinear", [last, "s", "z"], ["y"]),
    ]
    return model(nodes, array("s", scale), array("z", zero, kind))


def int8(*shape: int) -> onnx.TensorProto:
    return array("w", np.ones(shape), np.int8)


def pooled(operator: str, *sizes: int, outputs: tuple[str, ...] = ("y",), **more: Any) -> Made:
    kernel = [2] * len(sizes)
    shape = tensor("x", FLOAT, [1, 2, *sizes])
    nodes = [node(operator, ["x"], list(outputs), kernel_shape=kernel, **more)]
    return model(nodes, inputs=(shape,), outputs=(ANY,))


def resized(**attributes: Any) -> Made:
    nodes = [node("Resize", ["x", "", "w"], ["y"], **attributes)]
    return model(
        nodes, array("w", [1, 1, 2, 2]), inputs=(tensor("x", FLOAT, [1, 1, 4, 4]),), outputs=(ANY,)
    )


def branched(name: str, *rank: int) -> Made:
    """A choice between x and another constant."""
    then = helper.make_graph(
        [node("Identity", ["x"], ["a"])], "then", [], [tensor("a", FLOAT, [4, 64])]
    )
    other = [node("Identity", ["c"], [name])]
    orelse = helper.make_graph(other, "else", [], [tensor(name, FLOAT, list(rank))])
    nodes = [node("If", ["b"], ["y"], then_branch=then, else_branch=orelse)]
    inputs = (X, tensor("b", TensorProto.BOOL, []))
    return model(nodes, array("c", np.ones(rank)), inputs=inputs, outputs=(ANY,))


def looped(rounds: str, stacks: bool = True, after: str = "v") -> Made:
    """A loop that carries one value and may stack another."""
    body_in = [tensor("i", INT64, []), tensor("b", TensorProto.BOOL, []), tensor("v", FLOAT, None)]
    nodes = [
        node("Identity", ["b"], ["go"]),
        node("Identity", [after], ["kept"]),
        node("Relu", ["x"], ["seen"]),
    ]
    outs = [tensor("go", TensorProto.BOOL, []), tensor("kept", FLOAT, None)]
    outs += [tensor("seen", FLOAT, None)] * stacks
    body = helper.make_graph(nodes, "body", body_in, outs)
    outer = [node("Loop", [rounds, "", "x"], ["y", "all"][: 1 + stacks], body=body)]
    inputs = (X, tensor("n", INT64, []))
    weights = array("three", 3, np.int64), array("wide", np.ones((4, 65)))
    return model(outer, *weights, inputs=inputs, outputs=(ANY,))


def lstm(**attributes: Any) -> Made:
    ways = 2 if attributes.get("direction") == "bidirectional" else 1
    nodes = [node("LSTM", ["x", "w", "r"], ["y"], hidden_size=3, **attributes)]
    shape = tensor("x", FLOAT, [2, 1, 5])
    weights = array("w", np.ones((ways, 12, 5))), array("r", np.ones((ways, 12, 3)))
    return model(nodes, *weights, inputs=(shape,), outputs=(ANY,))


def dropped(training: bool) -> Made:
    return model([node("Dropout", ["x", "", "t"], ["y"])], array("t", training, np.bool_))


def constant(**value: Any) -> Made:
    return model([node("Constant", [], ["y"], **value)], inputs=(), outputs=(ANY,))


def attention(rank: int, outputs: int = 1) -> Made:
    shape = [1, 2, 3, 8][:rank] if rank == 4 else [1, 3, 16]
    inputs = tuple(tensor(name, FLOAT, shape) for name in "qkv")
    more = {} if rank == 4 else {"q_num_heads": 2, "kv_num_heads": 2}
    names = ["y", "k1", "v1"][:outputs]
    nodes = [node("Attention", ["q", "k", "v"], names, **more)]
    return model(nodes, inputs=inputs, outputs=(ANY,), opset=23)


def turned(places: int) -> Made:
    shapes = ((FLOAT, [1, 2, 3, 8]), (FLOAT, [9, 4]), (FLOAT, [9, 4]), (places, [1, 3]))
    inputs = tuple(tensor(f"x{i}", kind, shape) for i, (kind, shape) in enumerate(shapes))
    nodes = [node("RotaryEmbedding", [value.name for value in inputs], ["y"])]
    return model(nodes, inputs=inputs, outputs=(ANY,), opset=23)


def written(**attributes: Any) -> Made:
    inputs = tensor("x", FLOAT, [1, 2, 8, 4]), tensor("u", FLOAT, [1, 2, 1, 4])
    nodes = [node("TensorScatter", ["x", "u"], ["y"], **attributes)]
    return model(nodes, inputs=inputs, outputs=(ANY,), opset=24)


def remembered(past: bool) -> Made:
    inputs = tuple(tensor(name, FLOAT, [1, 2, 3, 8]) for name in "qkvab")
    names = ["q", "k", "v", *(["", "a", "b"] if past else [])]
    return model([node("Attention", names, ["y"])], inputs=inputs, outputs=(ANY,), opset=23)


def heard(numbers: int) -> Made:
    weights = array("step", 8, np.int64), array("window", np.ones(16))
    nodes = [node("STFT", ["x", "step", "window"], ["y"])]
    signal = tensor("x", FLOAT, [1, 64, numbers])
    return model(nodes, *weights, inputs=(signal,), outputs=(ANY,))


def deformed(pads: list[int]) -> Made:
    shapes = ("x", [1, 1, 4, 4]), ("o", [1, 8, 4, 4])
    inputs = tuple(tensor(name, FLOAT, shape) for name, shape in shapes)
    nodes = [node("DeformConv", ["x", "w", "o"], ["y"], pads=pads)]
    return model(nodes, array("w", np.ones((1, 1, 2, 2))), inputs=inputs, outputs=(ANY,), opset=19)


def rescaled(axes: list[int]) -> Made:
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Cast", ["s"], ["f"], to=FLOAT),
        node("Resize", ["x", "", "f"], ["y"], axes=axes),
    ]
    shape = tensor("x", FLOAT, ["N", 1, 4, 4])
    return model(nodes, inputs=(shape,), outputs=(ANY,), opset=18)


def normalized(*outputs: str) -> Made:
    nodes = [node("LayerNormalization", ["x", "g"], list(outputs))]
    return model(nodes, array("g", np.ones(64)))


def hardened(*shape: Any) -> Made:
    nodes = [node("Hardmax", ["x"], ["y"], axis=-1)]
    return model(nodes, inputs=(tensor("x", FLOAT, shape),), outputs=(ANY,))


def between(kind: int) -> Made:
    nodes = [node("Cast", ["x"], ["v"], to=kind), node("Cast", ["v"], ["y"], to=FLOAT)]
    return model(nodes)


def added(kind: Any) -> Made:
    nodes = [node("Cast", ["w"], ["v"], to=FLOAT), node("Add", ["x", "v"], ["y"])]
    return model(nodes, array("w", np.ones(64), kind))


def listed(kind: Any) -> Made:
    nodes = [node("Relu", ["x"], ["y"])]
    return model(nodes, inputs=(X, kind))


def chosen() -> Made:
    """Axes that a choice between two weights gives."""
    branches = {}
    for name in ("then_branch", "else_branch"):
        out = [tensor(name[:4], INT64, [1])]
        branches[name] = helper.make_graph([node("Identity", ["w"], [name[:4]])], name, [], out)
    nodes = [node("If", ["c"], ["a"], **branches), node("Unsqueeze", ["x", "a"], ["y"])]
    return model(nodes, whole("w", 0), array("c", True, np.bool_), outputs=(ANY,))


def sized(*shape: Any) -> Made:
    """Axes that are the sizes of the input."""
    nodes = [node("Shape", ["x"], ["a"], end=1), node("Unsqueeze", ["x", "a"], ["y"])]
    return model(nodes, inputs=(tensor("x", FLOAT, shape),), outputs=(ANY,))


def thrown() -> Made:
    """Axes at random."""
    nodes = [
        node("RandomUniform", [], ["r"], shape=[1]),
        node("Cast", ["r"], ["a"], to=INT64),
        node("Unsqueeze", ["x", "a"], ["y"]),
    ]
    return model(nodes, outputs=(ANY,))


def picked(kind: int) -> Made:
    values = tensor("v", kind, [4]), tensor("z", kind, [4]), tensor("c", TensorProto.BOOL, [4])
    outputs = (tensor("y", kind, None),)
    return model([node("Where", ["c", "v", "z"], ["y"])], inputs=values, outputs=outputs)
