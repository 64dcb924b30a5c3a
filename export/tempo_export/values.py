"""What a graph tells of its tensors before it runs: types, shapes, and what they come from."""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Origin", "Scope", "attributes_of", "type_name"]

#: A size is a number, a name, or nothing where it is unknown.
Shape = tuple[int | str | None, ...]

_NAMES = {"float": "float32", "double": "float64"}
_RANDOM = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli"}


class Origin(IntEnum):
    """What a tensor comes from, from the surest; a node's outputs are as unsure as its inputs."""

    WEIGHT = 0  #: stored in the file
    CONSTANT = 1  #: computed from weights alone
    SIZE = 2  #: computed from weights and from the sizes of other tensors
    DATA = 3  #: known only when the graph runs


def type_name(code: int) -> str:
    """An element type by its usual name: ``float32``, ``int8``; empty where it is unknown."""
    from onnx import TensorProto

    if not code:
        return ""
    if code not in TensorProto.DataType.values():
        return f"type {code}"
    name = str(TensorProto.DataType.Name(code)).lower()
    return _NAMES.get(name, name)


def attributes_of(node: Any) -> dict[str, Any]:
    """A node's attributes as Python values; text is decoded, subgraphs are left as they are."""
    from onnx import helper

    found = {}
    for attribute in node.attribute:
        value = helper.get_attribute_value(attribute)
        found[attribute.name] = (
            value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        )
    return found


def _shape(tensor: Any) -> Shape | None:
    """The shape in a tensor type, or nothing where even the rank is unknown."""
    if not tensor.HasField("shape"):
        return None
    return tuple(
        size.dim_value if size.HasField("dim_value") else size.dim_param or None
        for size in tensor.shape.dim
    )


class Scope:
    """The tensors of one graph; what it does not know it asks of the graph around it."""

    def __init__(self, graph: Any, folder: Path, outer: Scope | None = None) -> None:
        self.outer = outer
        self._folder = folder
        self._types: dict[str, tuple[int, Shape | None]] = {}
        self._origins: dict[str, Origin] = {}
        self._weights: dict[str, Any] = {}
        self._makers: dict[str, Any] = {}
        for value in (*graph.value_info, *graph.output, *graph.input):
            self._origins[value.name] = Origin.DATA
            if value.type.HasField("tensor_type"):
                tensor = value.type.tensor_type
                self._types[value.name] = (tensor.elem_type, _shape(tensor))
        for weight in graph.initializer:
            self._types[weight.name] = (weight.data_type, tuple(weight.dims))
            self._origins[weight.name] = Origin.WEIGHT
            self._weights[weight.name] = weight
        for node in graph.node:
            self._learn(node)

    def _learn(self, node: Any) -> None:
        """Tell what a node's outputs come from."""
        inputs = [self.origin(name) for name in node.input if name]
        origin = max([Origin.CONSTANT, *inputs])
        if node.op_type == "Constant":
            origin = Origin.WEIGHT
        elif node.op_type in {"Shape", "Size"} and node.input:
            sizes = self.shape(node.input[0])
            fixed = sizes is not None and all(isinstance(size, int) for size in sizes)
            origin = Origin.CONSTANT if fixed else Origin.SIZE
        elif node.op_type in _RANDOM or any(a.HasField("g") for a in node.attribute):
            origin = Origin.DATA
        for name in node.output:
            self._origins[name] = origin
            self._makers[name] = node

    def _owner(self, name: str) -> Scope | None:
        """The innermost graph that has a tensor of this name."""
        scope: Scope | None = self
        while scope is not None and name not in scope._origins:
            scope = scope.outer
        return scope

    def origin(self, name: str) -> Origin:
        """What a tensor comes from."""
        owner = self._owner(name)
        return Origin.DATA if owner is None else owner._origins[name]

    def type(self, name: str) -> str:
        """A tensor's element type, or nothing where it is unknown."""
        owner = self._owner(name)
        return "" if owner is None else type_name(owner._types.get(name, (0, None))[0])

    def shape(self, name: str) -> Shape | None:
        """A tensor's shape, or nothing where even the rank is unknown."""
        owner = self._owner(name)
        return None if owner is None else owner._types.get(name, (0, None))[1]

    def array(self, name: str) -> NDArray[Any] | None:
        """The contents of a weight, seen through Identity and Cast, or nothing."""
        from onnx import checker, numpy_helper

        tensor = self._stored(name)
        if isinstance(tensor, int | float | list):
            return np.asarray(tensor)
        if not hasattr(tensor, "data_type"):
            return None
        try:
            return np.asarray(numpy_helper.to_array(tensor, base_dir=str(self._folder)))
        except (checker.ValidationError, KeyError, OSError, TypeError, ValueError):
            return None  # damaged, or kept outside the file and missing

    def _stored(self, name: str) -> Any:
        """What is stored in the file for a tensor, or nothing."""
        seen: set[str] = set()
        while (owner := self._owner(name)) is not None and name not in seen:
            seen.add(name)
            if name in owner._weights:
                return owner._weights[name]
            maker = owner._makers.get(name)
            if maker is None:
                return None
            if maker.op_type == "Constant":
                return next(iter(attributes_of(maker).values()), None)
            if maker.op_type not in {"Identity", "Cast"} or not maker.input:
                return None
            name = maker.input[0]
        return None
