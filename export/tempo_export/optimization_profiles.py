"""The shapes that an engine is built for, held against the graph that it is built from.

An engine may have several sets of them, TensorRT's optimisation profiles. A grounder has two: one
for a prompt, before which there is nothing, and one for each word after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tempo_edge.errors import TempoEdgeError
from tempo_edge.models.shapes import InputShape, Shapes, image_shapes, text_shapes
from tempo_export.typed import load_onnx

__all__ = ["EngineError", "Inputs", "check_profiles", "graph_inputs", "usual_profiles"]

#: Lengths of each input's axes by the input's name; one that isn't fixed is -1.
Inputs = dict[str, tuple[int, ...]]

# Positions of a grounder's longest prompt and of its longest answer; most are about 400 and 10.
_PROMPT, _ANSWER, _USUAL = 512, 64, 384


class EngineError(TempoEdgeError):
    """An engine can't be built from a model, or isn't one for this machine."""


def graph_inputs(model: Path) -> Inputs:
    """The inputs of an ONNX file.

    Raises:
        EngineError: it can't be read.
        MissingExtraError: onnx is not installed.
    """
    onnx = load_onnx()
    try:
        graph = onnx.load(str(model), load_external_data=False).graph
    except Exception as error:  # a file that is missing, or of another kind
        raise EngineError(f"{model} can't be read: {' '.join(str(error).split())}") from error
    weights = {each.name for each in graph.initializer}
    return {
        each.name: tuple(
            axis.dim_value if axis.HasField("dim_value") else -1
            for axis in each.type.tensor_type.shape.dim
        )
        for each in graph.input
        if each.name not in weights
    }


def usual_profiles(inputs: Inputs) -> list[Shapes]:
    """The shapes that a search gives the towers and the grounder of a profile.

    Raises:
        EngineError: the inputs are those of none of them.
    """
    names = set(inputs)
    if names == {"images"}:
        return [image_shapes(inputs["images"][1])]
    if names == {"input_ids", "attention_mask"}:
        return [text_shapes()]
    if names == {"words", "kinds", "features", "past"}:
        return [_reading(inputs, 0), _reading(inputs, 1)]
    raise EngineError(
        f"inputs {sorted(names)} must be those of a tower or a grounder, or come with their shapes"
    )


def _reading(inputs: Inputs, words: int) -> Shapes:
    """A grounder's shapes for a whole prompt (``words`` of 0), or for one word after it."""
    new = ((1,), (_USUAL,), (_PROMPT,)) if not words else ((words,),) * 3
    before = (0, 0, 0) if not words else (1, _USUAL, _PROMPT + _ANSWER)
    layers, two, heads, _, size = inputs["past"]
    width = inputs["features"][1]
    return {
        "words": InputShape(*new),
        "kinds": InputShape(*new),
        "features": InputShape(*((*length, width) for length in new)),
        "past": InputShape(*((layers, two, heads, length, size) for length in before)),
    }


def check_profiles(inputs: Inputs, profiles: Sequence[Shapes]) -> None:
    """Whether each set of shapes is one for these inputs.

    Raises:
        EngineError: it isn't; the text names the input.
    """
    if not profiles and any(-1 in axes for axes in inputs.values()):
        raise EngineError(f"inputs {sorted(inputs)} have no fixed shapes: profiles must say them")
    for number, shapes in enumerate(profiles):
        if set(shapes) != set(inputs):
            raise EngineError(
                f"profile {number} has shapes for {sorted(shapes)}, must be for {sorted(inputs)}"
            )
        for name, axes in inputs.items():
            shape = shapes[name]
            for told in (shape.least, shape.usual, shape.most):
                if len(told) != len(axes) or any(
                    fixed not in (-1, length) for fixed, length in zip(axes, told, strict=True)
                ):
                    raise EngineError(
                        f"profile {number}: shape {told} of input {name!r} must fit {axes}"
                    )
