"""A small builder for ONNX graphs: named weights, readable node calls, compact storage.

The towers are built node by node rather than traced from PyTorch, so that the file holds exactly
what is meant: weights stored in half precision or in eight bits, restored to float32 by nodes that
ONNX Runtime folds away when it loads the model, and no other surprise.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tempo_edge._files import atomic_write

OPSET = 17
IR_VERSION = 8

Storage = Literal["fp32", "fp16", "int8"]


def quantize_rows(weight: NDArray[np.float32], axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Round a matrix to int8 with one scale for each index along `axis`.

    Returns the int8 array of the same shape and the float32 scales, shaped to broadcast.
    """
    other = tuple(i for i in range(weight.ndim) if i != axis % weight.ndim)
    peak = np.abs(weight).max(axis=other, keepdims=True)
    scale = np.where(peak > 0, peak / 127.0, 1.0).astype(np.float32)
    return np.clip(np.rint(weight / scale), -127, 127).astype(np.int8), scale


def read_weights(graph: onnx.GraphProto) -> dict[str, NDArray[np.float32]]:
    """The weights of a graph that a :class:`Graph` wrote, by their names, as they are at run time.

    Half precision is widened, and eight bits are multiplied by their scales, which are no entries
    of their own. Neither are whole numbers.

    Raises:
        ValueError: a weight in eight bits has no scales behind it.
    """
    found: dict[str, NDArray[np.float32]] = {}
    entries = iter(graph.initializer)
    for entry in entries:
        value = numpy_helper.to_array(entry)
        if value.dtype == np.int8:
            scale = next(entries, None)
            hint = entry.name.rpartition("_")[0]
            if scale is None or scale.name.rpartition("_")[0] != f"{hint}_scale":
                raise ValueError(f"weight {entry.name!r} has no scales behind it")
            found[entry.name] = value.astype(np.float32) * numpy_helper.to_array(scale)
        elif value.dtype.kind == "f":
            found[entry.name] = value.astype(np.float32)
    return found


class Graph:
    """Collects nodes and weights; `save` checks the result and writes it."""

    def __init__(self, name: str, storage: Storage = "fp32") -> None:
        self.name = name
        self.storage: Storage = storage
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._count = 0

    def _fresh(self, hint: str) -> str:
        self._count += 1
        return f"{hint}_{self._count}"

    def input(self, name: str, dtype: int, shape: list[int | str]) -> str:
        """Declare a graph input; a string in `shape` is a dynamic size."""
        self._inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def output(self, value: str, name: str, shape: list[int | str]) -> None:
        """Name `value` as a float32 graph output."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        result = self._fresh(kind.lower())
        self._nodes.append(helper.make_node(kind, list(inputs), [result], **attributes))
        return result

    def const(self, value: NDArray[Any], hint: str = "const") -> str:
        """Store an array as it is."""
        name = self._fresh(hint)
        self._weights.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def ints(self, *values: int) -> str:
        """Store a one-dimensional int64 constant."""
        return self.const(np.array(values, np.int64), "ints")

    def number(self, value: float) -> str:
        """Store a float32 scalar."""
        return self.const(np.array(value, np.float32), "number")

    def weight(self, value: NDArray[Any], hint: str, axis: int | None = None) -> str:
        """Store a float weight compactly and return the name of its float32 value.

        `axis` is the output axis, used for the scales of eight-bit storage; without it, or for
        vectors, eight-bit storage keeps the weight in half precision.
        """
        value = np.asarray(value, np.float32)
        if self.storage == "int8" and axis is not None and value.ndim > 1:
            rounded, scale = quantize_rows(value, axis)
            whole = self.op("Cast", self.const(rounded, hint), to=TensorProto.FLOAT)
            return self.op("Mul", whole, self.const(scale, f"{hint}_scale"))
        if self.storage == "fp32":
            return self.const(value, hint)
        if np.abs(value).max(initial=0.0) > 60000.0:
            raise ValueError(f"weight {hint!r} does not fit half precision")
        return self.op("Cast", self.const(value.astype(np.float16), hint), to=TensorProto.FLOAT)

    def linear(self, x: str, weight: NDArray[Any], bias: NDArray[Any] | None, hint: str) -> str:
        """`x @ weight.T + bias` for a PyTorch-shaped weight [out, in]."""
        y = self.op("MatMul", x, self.weight(np.asarray(weight).T, hint, axis=1))
        return y if bias is None else self.op("Add", y, self.weight(bias, f"{hint}_bias"))

    def gelu(self, x: str) -> str:
        """The exact Gelu, in the form that ONNX Runtime fuses into one kernel."""
        inner = self.op("Erf", self.op("Div", x, self.number(float(np.sqrt(2.0)))))
        scaled = self.op("Mul", x, self.op("Add", inner, self.number(1.0)))
        return self.op("Mul", scaled, self.number(0.5))

    def unit(self, x: str) -> str:
        """Divide by the Euclidean length along the last axis."""
        length = self.op("ReduceL2", x, axes=[-1], keepdims=1)
        return self.op("Div", x, self.op("Max", length, self.number(1e-12)))

    def model(self) -> onnx.ModelProto:
        """The checked model."""
        graph = helper.make_graph(
            self._nodes, self.name, self._inputs, self._outputs, initializer=self._weights
        )
        model = helper.make_model(
            graph,
            producer_name="tempo-edge",
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET)],
        )
        onnx.checker.check_model(model, full_check=True)
        return model

    def save(self, path: Path) -> None:
        """Write the checked model to `path`, replacing what was there in one step."""
        with atomic_write(path) as draft:
            draft.write_bytes(self.model().SerializeToString(deterministic=True))
