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

FLOAT, DOUBLE = TensorProto.FLOAT, TensorProto.DOUBLE
UINT8, INT64 = TensorProto.UINT8, TensorProto.INT64

#: A float32 matrix in and out.
X = tensor("x", TensorProto.FLOAT, [4, 64])
Y = tensor("y", TensorProto.FLOAT, [4, 64])
#: An output of unknown shape.
ANY = tensor("y", TensorProto.FLOAT, None)


def array(name: str, values: ArrayLike, dtype: DTypeLike = np.float32) -> onnx.TensorProto:
    """A weight."""
    return numpy_helper.from_array(np.array(values, dtype), name)


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
