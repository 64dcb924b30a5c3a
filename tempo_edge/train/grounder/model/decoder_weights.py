"""The weights of a decoder that was written as ONNX, taken back to be taught further.

Whoever has a profile has its decoder as a search reads it, and no checkpoint. The graph is built
anew with a decoder of the same sizes and any weights, and of each of these it is noted under which
name it is stored; the file has its own under the same name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto

from tempo_edge.search.grounders.decoder import PRESENCE
from tempo_edge.train.data.archives import DataError
from tempo_edge.train.grounder.model.decoder_graph import build_decoder
from tempo_edge.train.grounder.model.network import DecoderShape, GrounderNetwork
from tempo_edge.train.onnx_graph import Graph, Storage, read_weights

__all__ = ["read_decoder"]

_STORED: dict[int, Storage] = {
    TensorProto.INT8: "int8",
    TensorProto.FLOAT16: "fp16",
    TensorProto.FLOAT: "fp32",
}


@dataclass(frozen=True)
class _Stored:
    """A weight by its address, whether it is stored transposed, and under which name."""

    address: int
    turned: bool
    name: str


class _NotingGraph(Graph):
    """A graph that notes under which name each of its weights is stored."""

    def __init__(self, storage: Storage) -> None:
        super().__init__("noted", storage)
        self.noted: list[_Stored] = []

    def weight(self, value: NDArray[Any], hint: str, axis: int | None = None) -> str:
        before = len(self._weights)
        restored = super().weight(value, hint, axis)
        turned, name = not value.flags.c_contiguous, self._weights[before].name
        self.noted.append(_Stored(value.__array_interface__["data"][0], turned, name))
        return restored


def read_decoder(path: Path) -> GrounderNetwork:
    """The decoder of a written file, in whatever storage it is.

    What a search does not need is not in the file, and begins anew: the layer that says of each
    frame whether it shows what is asked for.

    Raises:
        DataError: the file is no such graph, or of a release whose decoder was another one.
    """
    try:
        graph = onnx.load(str(path)).graph
        gate = _first(graph, "gate_proj")
        model = GrounderNetwork(_shape(graph, inner=gate.dims[1]))
        noting = _NotingGraph(_STORED[gate.data_type])
        build_decoder(noting, model)
        noted = noting.noted
        if all(output.name != PRESENCE for output in graph.output):
            # One that told presence by a word has nothing that could take its place.
            noted = [each for each in noted if not each.name.startswith(PRESENCE)]
        _take(model, noted, read_weights(graph))
    except Exception as error:  # whatever a file of another kind makes of the reader
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise DataError(f"{path} holds no decoder to go on with: {reason}") from error
    return model


def _first(graph: onnx.GraphProto, hint: str) -> onnx.TensorProto:
    """The first stored weight that was named after `hint`."""
    found: onnx.TensorProto = next(
        each
        for each in graph.initializer
        if each.name.startswith(f"{hint}_") and each.name.removeprefix(f"{hint}_").isdigit()
    )
    return found


def _shape(graph: onnx.GraphProto, inner: int) -> DecoderShape:
    """The sizes of a decoder by its cache, ``[layers, 2, heads, p, size]``, and inner width."""
    cache = next(each for each in graph.input if each.name == "past")
    layers, _, heads, _, size = (each.dim_value for each in cache.type.tensor_type.shape.dim)
    return DecoderShape(hidden=heads * size, layers=layers, heads=heads, inner=inner)


@torch.no_grad()
def _take(
    model: GrounderNetwork, noted: Sequence[_Stored], kept: dict[str, NDArray[np.float32]]
) -> None:
    """Put the stored weights in the place of those that were noted."""
    by_address = {each.data_ptr(): each for each in model.parameters()}
    values = []
    for stored in noted:
        value = kept[stored.name]
        place = by_address[stored.address]
        value = value.T if stored.turned else value
        if place.shape != value.shape:
            raise ValueError(f"{stored.name} is {value.shape} and not {tuple(place.shape)}")
        values.append((place, value))
    for place, value in values:
        place.copy_(torch.from_numpy(np.ascontiguousarray(value)))
