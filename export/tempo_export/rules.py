"""What speaks against one node: its element types, where its inputs come from, its attributes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Literal

import numpy as np

from tempo_export.operators import Operator, Support
from tempo_export.values import Origin, Scope, attributes_of

__all__ = ["Severity", "Use", "objections"]

Severity = Literal["refused", "doubtful"]
Objection = tuple[Severity, str]


@dataclass(frozen=True)
class Use:
    """One node, what is known of its operator, and the tensors around it.

    `border` are the names of the inputs and outputs of the whole model.
    """

    node: Any
    operator: Operator
    support: Support
    scope: Scope
    opset: int
    border: frozenset[str]

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """The node's attributes as Python values."""
        return attributes_of(self.node)

    @cached_property
    def schema(self) -> Any:
        """ONNX's own description of the operator, or nothing where it has none."""
        from onnx import defs

        try:
            return defs.get_schema(self.node.op_type, self.opset, "")
        except defs.SchemaError:
            return None

    def input(self, place: int) -> str:
        """The name of an input, empty where it is left out."""
        return str(self.node.input[place]) if place < len(self.node.input) else ""

    def called(self, place: int, output: bool = False) -> str:
        """What ONNX calls an input or output, as ``input axes``; numbered where it doesn't say."""
        parameters = (
            [] if self.schema is None else self.schema.outputs if output else self.schema.inputs
        )
        name = parameters[min(place, len(parameters) - 1)].name if parameters else str(place)
        side = "output" if output else "input"
        return side if name == side else f"{side} {name}"

    def default(self, attribute: str) -> Any:
        """An attribute's value, or the one that ONNX gives it, or nothing."""
        from onnx import helper

        if attribute in self.attributes or self.schema is None:
            return self.attributes.get(attribute)
        described = self.schema.attributes.get(attribute)
        if described is None or not described.default_value.name:
            return None
        value = helper.get_attribute_value(described.default_value)
        return value.decode() if isinstance(value, bytes) else value


def objections(use: Use) -> Iterator[Objection]:
    """Everything that speaks against a node whose operator TensorRT has."""
    checks: tuple[Callable[[Use], Iterator[Objection]], ...] = (
        _types, _origins, _values, _attributes, _shapes, _outputs, _doubt,
    )  # fmt: skip
    for check in checks:
        yield from check(use)
    for name in use.operator.special:
        yield from _SPECIAL[name](use)


def _parameters(use: Use) -> Iterator[tuple[str, str, str, bool]]:
    """Of each input and output that is there: its name, what it is called, its type variable."""
    for output, names in ((False, use.node.input), (True, use.node.output)):
        listed = [] if use.schema is None else use.schema.outputs if output else use.schema.inputs
        for place, name in enumerate(names):
            if name:
                variable = listed[min(place, len(listed) - 1)].type_str if listed else ""
                yield name, use.called(place, output), variable, output


def _governed(use: Use) -> Callable[[str, bool], bool]:
    """Whether the operator's list of types holds for a parameter of a type variable."""
    if use.operator.of == "all" or use.schema is None:
        return lambda variable, output: True
    if isinstance(use.operator.of, int) and use.schema.inputs:
        first = min(use.operator.of, len(use.schema.inputs) - 1)
        ruling = use.schema.inputs[first].type_str
        # A variable's letter names the same type on both sides, a written-out type does not.
        return lambda variable, output: (
            variable == ruling and not (output and ruling.startswith("tensor("))
        )
    ruling = use.schema.outputs[0].type_str
    return lambda variable, output: variable == ruling and output


def _types(use: Use) -> Iterator[Objection]:
    """Element types that the operator, or TensorRT as a whole, does not take."""
    operator = use.operator
    governed = _governed(use)
    for name, called, variable, output in _parameters(use):
        kind = use.scope.type(name)
        if kind:
            listed = not governed(variable, output) or kind in operator.types
            yield from _type(use, name, f"{called} is {kind}", listed, output)
    if operator.gives and use.node.output:
        kind = use.scope.type(use.node.output[0])
        if kind and kind not in operator.gives:
            yield "refused", f"{use.called(0, output=True)} is {kind}{_taken(operator.gives)}"
    for place, taken in (operator.input_types or {}).items():
        kind = use.scope.type(use.input(place))
        if kind and kind not in taken:
            yield "refused", f"{use.called(place)} is {kind}{_taken(taken)}"


def _taken(types: frozenset[str]) -> str:
    """The end of a sentence that says what would do."""
    return f", taken is {', '.join(sorted(types))}"


def _type(use: Use, name: str, told: str, listed: bool, output: bool) -> Iterator[Objection]:
    """What speaks against the type of one tensor, which the operator's facts list or do not."""
    kind, origin = use.scope.type(name), use.scope.origin(name)
    quantizes = use.node.op_type in {"QuantizeLinear", "DequantizeLinear"}
    if kind == "float64":
        yield "refused", f"{told}, which would be narrowed to float32 unasked"
    elif kind not in use.support.tensors:
        yield "refused", f"{told}, which TensorRT has no tensors of"
    elif kind in use.support.quantized and not quantizes:
        # A Constant node's output is a weight too: whoever reads it is asked.
        if origin == Origin.WEIGHT and not output:
            yield "refused", f"{told} and a weight, which DequantizeLinear alone may read"
        elif origin != Origin.WEIGHT and not listed:
            yield "doubtful", f"{told}, documented between QuantizeLinear and DequantizeLinear"
    elif not listed:
        yield "refused", f"{told}{_taken(use.operator.types)}"
    elif kind == "uint8" and name not in use.border and not use.operator.gives:
        severity: Severity = "doubtful" if origin <= Origin.CONSTANT else "refused"
        yield severity, f"{told}, which only inputs and outputs of the model may be"


def _origins(use: Use) -> Iterator[Objection]:
    """Inputs that must be known when the engine is built, and are not."""
    operator = use.operator
    asked: tuple[tuple[tuple[int, ...], Origin, Severity, str], ...] = (
        (operator.weights, Origin.CONSTANT, "refused", "must be an initializer"),
        (operator.constants, Origin.CONSTANT, "refused", "must be a constant"),
        (operator.steady, Origin.CONSTANT, "doubtful", "is documented as a constant"),
        (operator.sizes, Origin.SIZE, "doubtful", "is known only when the graph runs"),
    )
    for places, needed, severity, reason in asked:
        for place in places:
            name = use.input(place)
            if name and use.scope.origin(name) > needed:
                yield severity, f"{use.called(place)} {reason}"
    for place in operator.weights:
        name = use.input(place)
        if name and use.scope.origin(name) == Origin.CONSTANT:
            yield "doubtful", f"{use.called(place)} is computed, an initializer is documented"


def _values(use: Use) -> Iterator[Objection]:
    """Constants that must be zero, positive or small."""
    operator = use.operator
    limits: list[tuple[int, str, Callable[[Any], bool]]] = [
        *((place, "be zero", lambda held: not held.any()) for place in operator.zero),
        *(
            (place, "be above zero", lambda held: bool((held > 0).all()))
            for place in operator.positive
        ),
    ]
    for place, most in (operator.at_most or {}).items():
        limits.append((place, f"be at most {most}", partial(_within, most)))
    told = operator.weights + operator.constants + operator.steady
    for place, asked, holds in limits:
        name = use.input(place)
        if not name:
            continue
        held = use.scope.array(name)
        if held is not None:
            if not holds(np.asarray(held, np.float64)):
                yield "refused", f"{use.called(place)} must {asked}"
        elif place not in told or use.scope.origin(name) <= Origin.CONSTANT:
            yield "doubtful", f"{use.called(place)} must {asked}, which can't be read here"


def _within(most: int, held: Any) -> bool:
    """Whether no number is above the highest."""
    return bool((held <= most).all())


def _attributes(use: Use) -> Iterator[Objection]:
    """Attributes with values that are not among those taken."""
    for name, allowed in (use.operator.attributes or {}).items():
        if name not in use.attributes and name not in use.operator.required:
            continue
        value = use.default(name)
        for one in value if isinstance(value, list | tuple) else [value]:
            if one not in allowed:
                taken = ", ".join(map(str, allowed))
                shown = f"is {one}, taken is {taken}" if allowed else "can't be had"
                yield "refused", f"attribute {name} {shown}"
                break


def _shapes(use: Use) -> Iterator[Objection]:
    """Ranks that are not taken, and sizes that must be numbers."""
    for place, taken in (use.operator.ranks or {}).items():
        shape = use.scope.shape(use.input(place))
        if shape is not None and len(shape) not in taken:
            ranks = " or ".join(map(str, taken))
            yield "refused", f"{use.called(place)} has rank {len(shape)}, taken is {ranks}"
    for place, which in (use.operator.static or {}).items():
        shape = use.scope.shape(use.input(place))
        if shape is None:
            continue
        axis = use.default("axis")
        looked = shape if which == "all" else shape[axis:][:1]
        if not all(isinstance(size, int) for size in looked):
            yield "refused", f"{use.called(place)} must have fixed sizes"
    for name, called, _, _ in _parameters(use):
        shape = use.scope.shape(name)
        if shape is not None and len(shape) > use.support.largest_rank:
            most = use.support.largest_rank
            yield "refused", f"{called} has rank {len(shape)}, the highest is {most}"


def _outputs(use: Use) -> Iterator[Objection]:
    """Inputs and outputs that must be left out."""
    for place in use.operator.unused:
        if use.input(place):
            yield "refused", f"{use.called(place)} can't be had"
    if use.operator.outputs is not None:
        for place, name in enumerate(use.node.output):
            if name and place >= use.operator.outputs:
                yield "refused", f"{use.called(place, output=True)} can't be had"


def _doubt(use: Use) -> Iterator[Objection]:
    """What is taken, but not as the graph may mean it."""
    if use.operator.doubt == "random":
        yield "doubtful", "the seed is not heeded, so that results differ from run to run"
    elif use.operator.doubt == "sizes":
        yield "doubtful", "the size of its output depends on data"


def _mirrored(use: Use) -> Iterator[Objection]:
    """A recurrent layer that reads both ways does so with the same activations."""
    if use.default("direction") != "bidirectional":
        return
    for name in ("activations", "activation_alpha", "activation_beta"):
        values = use.attributes.get(name, [])
        half = len(values) // 2
        if values[:half] != values[half:]:
            yield "refused", f"attribute {name} differs between the two directions"


def _branches(use: Use) -> Iterator[Objection]:
    """Both branches give tensors of the same ranks under different names."""
    branches = [use.attributes.get(name) for name in ("then_branch", "else_branch")]
    outputs = [branch.output if branch else () for branch in branches]
    for one, other in zip(*outputs, strict=False):
        if one.name == other.name:
            yield "refused", "both branches give an output of the same name"
        types = [value.type.tensor_type for value in (one, other)]
        if all(t.HasField("shape") for t in types) and len({len(t.shape.dim) for t in types}) > 1:
            yield "refused", "the branches give outputs of different ranks"


def _iterations(use: Use) -> Iterator[Objection]:
    """What a loop stacks has a fixed length, and what it carries keeps its shape."""
    body = use.attributes.get("body")
    if body is None:
        return
    carried = len(body.input) - 2
    if len(body.output) - 1 > carried:
        trips = use.input(0)
        if not trips or use.scope.origin(trips) > Origin.CONSTANT:
            yield "refused", "it stacks an output over a number of rounds that is no constant"
    for before, after in zip(use.node.input[2:], body.output[1 : 1 + carried], strict=False):
        shape, tensor = use.scope.shape(before), after.type.tensor_type
        if shape is None or not tensor.HasField("shape"):
            continue
        then = tuple(size.dim_value or size.dim_param or None for size in tensor.shape.dim)
        if len(then) != len(shape) or any(
            isinstance(a, int) and isinstance(b, int) and a != b
            for a, b in zip(shape, then, strict=False)
        ):
            yield "refused", "a carried value changes its shape"


def _even_pads(use: Use) -> Iterator[Objection]:
    """A deformable convolution is padded alike before and behind."""
    pads = use.attributes.get("pads", [])
    half = len(pads) // 2
    if pads[:half] != pads[half:]:
        yield "refused", "attribute pads differs between the two ends of an axis"


def _every_axis(use: Use) -> Iterator[Objection]:
    """Scales that are computed must be there for every axis in order."""
    axes, scales = use.attributes.get("axes"), use.input(2)
    shape = use.scope.shape(use.input(0))
    if axes is None or not scales or use.scope.origin(scales) == Origin.WEIGHT:
        return
    if shape is None or list(axes) != list(range(len(shape))):
        yield "refused", "attribute axes must name every axis in order, as scales are computed"


def _real_signal(use: Use) -> Iterator[Objection]:
    """A signal has one number in each sample, not two."""
    shape = use.scope.shape(use.input(0))
    if shape is not None and len(shape) > 2 and shape[-1] == 2:
        yield "refused", f"{use.called(0)} must be real"


def _blocks(use: Use) -> Iterator[Objection]:
    """Scales of quantized tensors, and the four-bit ones, which are weights alone."""
    quantizes = use.node.op_type == "QuantizeLinear"
    quantized = str(use.node.output[0]) if quantizes else use.input(0)
    kind, shape = use.scope.type(quantized), use.scope.shape(use.input(0))
    scale = use.scope.shape(use.input(1))
    if kind == "int4" and use.scope.origin(use.input(0)) > Origin.CONSTANT:
        yield "doubtful", "int4 is documented for weights alone"
    sizes = [size for size in shape or () if isinstance(size, int)]
    fixed = shape is not None and len(sizes) == len(shape)
    if kind in {"int4", "float4e2m1"} and fixed and math.prod(sizes) % 2:
        yield "refused", "four-bit tensors must have an even number of elements"
    if shape is None or scale is None or len(scale) == 0 or scale == (1,):
        return
    if len(scale) == 1:
        axis = use.default("axis")
        axis = 1 if axis is None else axis
        if -len(shape) <= axis < len(shape) and shape[axis] != scale[0] and fixed:
            yield "refused", f"{use.called(1)} has {scale[0]} numbers for {shape[axis]} channels"
        return
    blocked = [
        axis for axis, size in enumerate(scale) if len(scale) == len(shape) and size != shape[axis]
    ]
    if len(scale) != len(shape):
        yield "refused", f"{use.called(1)} has rank {len(scale)}, taken is 0, 1 or {len(shape)}"
    elif fixed and len(blocked) > 1:
        yield "refused", "blocks run along more than one axis"
    elif fixed and blocked and blocked[0] < len(shape) - 2:
        yield "refused", "blocks must run along one of the last two axes"
    elif kind == "int8":
        yield "doubtful", "blocks are documented for four bits and for float8, not for int8"


_SPECIAL: dict[str, Callable[[Use], Iterator[Objection]]] = {
    "blocks": _blocks,
    "branches": _branches,
    "even_pads": _even_pads,
    "every_axis": _every_axis,
    "iterations": _iterations,
    "mirrored": _mirrored,
    "real_signal": _real_signal,
}
