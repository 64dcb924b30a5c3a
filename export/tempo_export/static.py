"""Static eight bits for an image tower: the better way to choose ranges, and layers left alone.

Small convolutional networks do not take eight bits everywhere: a few layers whose channels differ
widely ruin all that follows. So every layer is first quantised alone, to see what it costs, and the
costliest are left as they are until the vectors are near enough.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge._cores import cpu_count
from tempo_edge.models.sessions import open_session
from tempo_edge.models.towers import ImageTower
from tempo_export.graphs import write_graph
from tempo_export.precision import (
    Method,
    expanded,
    layers_of,
    measured_ranges,
    static_int8,
    weights_int8,
)

__all__ = ["Quantized", "quantize_tower"]

#: Mean cosine of vectors to what they were, from which on they are near enough.
NEAR = 0.99

_METHODS: tuple[Method, ...] = ("percentile", "entropy")


@dataclass(frozen=True)
class Quantized:
    """A model and what there is to say of it, as JSON would."""

    model: Any
    report: dict[str, Any]


def quantize_tower(model: Any, batches: Sequence[NDArray[np.uint8]]) -> Quantized:
    """Quantise the convolutions of an image tower.

    Args:
        batches: pictures uint8 ``[n, s, s, 3]``, all of one size, that set the ranges. The first
            batch is also what layers are judged on.
    """
    full = expanded(model)
    # In a network of convolutions the few products of its head cost next to nothing.
    kinds = ("Conv",) if len(layers_of(full, ("Conv",))) > 1 else ("Conv", "MatMul", "Gemm")
    looked = batches[0]
    wanted = _vectors(full, looked)
    if kinds == ("Conv",):
        full = weights_int8(full, ("MatMul",))
    layers = layers_of(full, kinds)
    feeds = [{"images": batch} for batch in batches]
    ranges = {method: measured_ranges(full, feeds, method, kinds) for method in _METHODS}
    means = {
        method: _mean(_vectors(static_int8(full, found, kinds=kinds), looked), wanted)
        for method, found in ranges.items()
    }
    method = max(means, key=lambda each: means[each])
    costs = {
        layer: 1
        - _mean(_vectors(static_int8(full, ranges[method], [layer], kinds), looked), wanted)
        for layer in layers
    }
    costly = sorted(layers, key=lambda layer: -costs[layer])
    left = 0
    while True:
        chosen = [layer for layer in layers if layer not in costly[:left]]
        done = static_int8(full, ranges[method], chosen, kinds) if chosen else full
        mean = _mean(_vectors(done, looked), wanted)
        if mean >= NEAR or not chosen:
            break
        left = min(max(1, 2 * left), len(layers))
    return Quantized(
        done,
        {
            "method": method,
            "mean_cosine_by_method": means,
            "layers": len(layers),
            "left_in_fp32": costly[:left],
            "cost_by_layer": {layer: costs[layer] for layer in costly},
        },
    )


def _vectors(model: Any, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.onnx"
        write_graph(model, path)
        return ImageTower(open_session(path, threads=cpu_count())).encode(pictures)[0]


def _mean(found: NDArray[np.float32], wanted: NDArray[np.float32]) -> float:
    return float((found * wanted).sum(axis=-1).mean())
