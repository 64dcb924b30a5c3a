"""ONNX graphs whose types are what TensorRT is to compute in.

TensorRT takes each tensor's type from the graph, and since version 11 from nowhere else. In half
precision what loses too much (normalizations, softmax, lengths of vectors) stays in float32; inputs
and outputs keep their types.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from tempo_edge._extras import lacking
from tempo_edge.errors import MissingExtraError
from tempo_export.files import write_whole

__all__ = ["Precision", "cast_first", "half", "load_onnx", "write_typed"]

Precision = Literal["fp32", "fp16", "int8"]

#: Nodes that go on computing in float32: sums over many values, and what divides by them.
KEPT = frozenset(
    {
        "Div",
        "GroupNormalization",
        "InstanceNormalization",
        "LayerNormalization",
        "LogSoftmax",
        "Max",
        "Pow",
        "RMSNormalization",
        "Range",
        "ReduceL2",
        "ReduceMean",
        "ReduceSum",
        "ReduceSumSquare",
        "Resize",
        "Softmax",
        "Sqrt",
    }
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
        raise MissingExtraError(lacking("onnx")) from error
    return onnx


def write_typed(source: Path, out: Path, precision: Precision) -> None:
    """Write the model ``source`` to ``out`` as TensorRT is to read it, in one step.

    Eight bits are for who quantised the model: its graph is taken as it is.

    Raises:
        MissingExtraError: onnx is not installed.
        OSError: a file can't be read or written.
    """
    model = cast_first(load_onnx().load(str(source)))
    model = half(model) if precision == "fp16" else model
    write_whole(out, model.SerializeToString(deterministic=True))


def cast_first(model: Any) -> Any:
    """A checked copy of a model that casts bytes before it transposes them.

    TensorRT takes bytes only as a network's input, and there only for a cast (see UINT8 of
    ``tensorrt.DataType``). The result is the same to the bit.
    """
    onnx = load_onnx()
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    told = {each.name: each.type.tensor_type.elem_type for each in graph.input}
    for node in graph.node:
        if node.op_type != "Transpose" or told.get(node.input[0]) != onnx.TensorProto.UINT8:
            continue
        readers = [each for each in graph.node if node.output[0] in each.input]
        if len(readers) == 1 and readers[0].op_type == "Cast":
            (reader,) = readers
            moved, attributes = list(node.attribute), list(reader.attribute)
            del node.attribute[:], reader.attribute[:]
            node.op_type, reader.op_type = "Cast", "Transpose"
            node.attribute.extend(attributes)
            reader.attribute.extend(moved)
    del graph.value_info[:]
    onnx.checker.check_model(copy, full_check=True)
    return copy


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
        # What was computed in float32, by the name of the same in half precision.
        self.exact: dict[str, str] = {}

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
            self._show(names[name], name)
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
            if name in self.exact:
                node.input[at] = self.exact[name]
            elif name in self.floats:
                node.input[at] = f"{name}_float_{place}_{at}"
                self._cast(name, node.input[at], types.FLOAT)
        self.nodes.append(node)
        for at, name in enumerate(node.output):
            if name in self.floats:
                node.output[at] = f"{name}_float_{place}"
                self.exact[name] = node.output[at]
                self._cast(node.output[at], name, types.FLOAT16)

    def _show(self, name: str, result: str) -> None:
        """Give a value out in float32, unrounded if it is there so."""
        source = next((node for node in self.nodes if name in node.output), None)
        if source is not None and source.op_type == "Identity" and source.input[0] in self.exact:
            source.input[0], source.output[0] = self.exact[source.input[0]], result
        else:
            self._cast(name, result, self.onnx.TensorProto.FLOAT)

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
