"""A float32 ONNX graph written anew so that it computes in half precision.

TensorRT takes each tensor's type from the graph, and since version 11 from nowhere else. What loses
too much in half precision (normalizations, softmax, lengths of vectors) stays in float32; inputs
and outputs keep their types.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from tempo_edge.errors import MissingExtraError

__all__ = ["half", "load_onnx", "write_half"]

#: Nodes that go on computing in float32: sums over many values, and what divides by them.
KEPT = frozenset(
    """GroupNormalization InstanceNormalization LayerNormalization LogSoftmax Max Pow RMSNormalization
    Range ReduceL2 ReduceMean ReduceSum ReduceSumSquare Resize Softmax Sqrt""".split()
)

# The smallest and the largest of half precision, IEEE 754 binary16.
_SMALLEST, _LARGEST = 2.0**-24, 65504.0


def load_onnx() -> Any:
    """The onnx module.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingExtraError(
            'onnx is not installed, which exporting needs: pip install "tempo-edge[train]"'
        ) from error
    return onnx


def write_half(source: Path, out: Path) -> None:
    """Write the half precision graph of the model ``source`` to ``out``, in one step.

    Raises:
        MissingExtraError: onnx is not installed.
        OSError: a file can't be read or written.
    """
    onnx = load_onnx()
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    partial.write_bytes(half(onnx.load(str(source))).SerializeToString(deterministic=True))
    partial.replace(out)


def half(model: Any) -> Any:
    """A checked copy of a model that computes in half precision.

    Numbers beyond half precision's range become its largest; those too small, its smallest.
    """
    onnx = load_onnx()
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    _Halved(onnx, copy.graph, _floats(onnx, inferred)).rewrite()
    del copy.graph.value_info[:]
    onnx.checker.check_model(copy, full_check=True)
    return copy


def _floats(onnx: Any, graph: Any) -> set[str]:
    """Names of the values that are float32."""
    told = (*graph.value_info, *graph.input, *graph.output)
    kinds = {each.name: each.type.tensor_type.elem_type for each in told}
    kinds |= {each.name: each.data_type for each in graph.initializer}
    return {name for name, kind in kinds.items() if kind == onnx.TensorProto.FLOAT}


class _Halved:
    """Rewrites a graph in place; ``floats`` are the values that were float32."""

    def __init__(self, onnx: Any, graph: Any, floats: set[str]) -> None:
        self.onnx, self.graph, self.floats = onnx, graph, floats
        self.nodes: list[Any] = []

    def rewrite(self) -> None:
        types = self.onnx.TensorProto
        weights = {each.name for each in self.graph.initializer}
        given = {each.name for each in self.graph.input if each.name in self.floats} - weights
        names = {name: f"{name}_half" for name in given}
        for name in sorted(given):
            self._cast(name, names[name], types.FLOAT16)
        shown = {each.name for each in self.graph.output if each.name in self.floats}
        names |= {name: f"{name}_half" for name in shown}
        for tensor in self.graph.initializer:
            self._shrink(tensor)
        for node in self.graph.node:
            node.input[:] = [names.get(name, name) for name in node.input]
            node.output[:] = [names.get(name, name) for name in node.output]
            self.floats |= {*node.input, *node.output} & set(names.values())
            self._node(node)
        for name in sorted(shown):
            self._cast(names[name], name, types.FLOAT)
        del self.graph.node[:]
        self.graph.node.extend(self.nodes)

    def _node(self, node: Any) -> None:
        types = self.onnx.TensorProto
        if node.op_type not in KEPT:
            for attribute in node.attribute:
                if node.op_type == "Cast" and attribute.name == "to" and attribute.i == types.FLOAT:
                    attribute.i = types.FLOAT16
                elif attribute.HasField("t"):
                    self._shrink(attribute.t)
            self.nodes.append(node)
            return
        place = len(self.nodes)
        for at, name in enumerate(node.input):
            if name in self.floats:
                node.input[at] = f"{name}_float_{place}_{at}"
                self._cast(name, node.input[at], types.FLOAT)
        self.nodes.append(node)
        for at, name in enumerate(node.output):
            if name in self.floats:
                node.output[at] = f"{name}_float_{place}"
                self._cast(node.output[at], name, types.FLOAT16)

    def _cast(self, name: str, result: str, kind: int) -> None:
        self.nodes.append(self.onnx.helper.make_node("Cast", [name], [result], to=kind))

    def _shrink(self, tensor: Any) -> None:
        """Store a float32 tensor in half precision."""
        if tensor.data_type != self.onnx.TensorProto.FLOAT:
            return
        values = self.onnx.numpy_helper.to_array(tensor)
        small = np.sign(values) * np.maximum(np.abs(values), _SMALLEST)
        stored = np.clip(small, -_LARGEST, _LARGEST).astype(np.float16)
        tensor.CopyFrom(self.onnx.numpy_helper.from_array(stored, tensor.name))
