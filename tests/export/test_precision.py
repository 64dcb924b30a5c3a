"""Graphs at another precision, by what TensorRT reads of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from graphs import FLOAT, array, model, node, tensor
from onnx import numpy_helper
from tempo_export.precision import Method, measured_ranges, static_int8

SHAPE = [2, 3, 8, 8]


def two_layers() -> Any:
    """Two convolutions; no weight and nothing between them is below zero."""
    rng = np.random.default_rng(0)
    nodes = [
        node("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1]),
        node("Relu", ["a"], ["b"]),
        node("Conv", ["b", "v"], ["y"], pads=[1, 1, 1, 1]),
    ]
    weights = [array(name, rng.uniform(0, 1, (3, 3, 3, 3))) for name in ("w", "v")]
    shape = (tensor("x", FLOAT, SHAPE),), (tensor("y", FLOAT, SHAPE),)
    return model(nodes, *weights, inputs=shape[0], outputs=shape[1])


def test_eight_bits_lie_evenly_about_zero() -> None:
    """Zero points other than 0 are refused by TensorRT, also where every value is positive."""
    plain = two_layers()
    feeds = [{"x": np.random.default_rng(1).uniform(0, 1, SHAPE).astype(np.float32)}]
    eight = static_int8(plain, measured_ranges(plain, feeds, "minmax"))
    stored = {each.name: numpy_helper.to_array(each) for each in eight.graph.initializer}
    steps = [each for each in eight.graph.node if each.op_type.endswith("Linear")]
    assert {each.op_type for each in steps} == {"QuantizeLinear", "DequantizeLinear"}
    for each in steps:
        zero = stored[each.input[2]]
        assert zero.dtype == np.int8 and not zero.any(), each.name


@pytest.mark.parametrize("method", ["minmax", "entropy", "percentile"])
def test_ranges_are_those_of_all_feeds_whatever_their_order(method: Method) -> None:
    """The highest value may come first or last: each feed is measured by itself."""
    plain = two_layers()
    low, high = (
        {"x": np.random.default_rng(1).uniform(0, top, SHAPE).astype(np.float32)} for top in (1, 4)
    )
    alone, *both = (
        measured_ranges(plain, feeds, method)["x"].range_value
        for feeds in ([low], [low, high], [high, low])
    )
    assert alone[1] < 1.001
    assert all(each[1] > 1.5 for each in both)
    assert both[0][1] == pytest.approx(both[1][1], rel=0.05)
