"""Graphs as TensorRT reads them, run by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tempo_export.typed import KEPT, cast_first, half, write_typed

from tempo_edge.models import Profile, load_profile

Arrays = dict[str, NDArray[Any]]


@pytest.fixture(scope="module")
def nano() -> Profile:
    return load_profile("nano")


def given(file: str, seed: int = 0) -> Arrays:
    rng = np.random.default_rng(seed)
    if file == "image.onnx":
        return {"images": rng.integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)}
    words = rng.integers(1000, 20000, (1, 9))
    return {"input_ids": words, "attention_mask": np.ones_like(words)}


def run(model: onnx.ModelProto, inputs: Arrays) -> list[NDArray[Any]]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    found: list[NDArray[Any]] = session.run(None, inputs)
    return found


def types(model: onnx.ModelProto) -> dict[str, int]:
    graph = onnx.shape_inference.infer_shapes(model).graph
    told = (*graph.value_info, *graph.input, *graph.output)
    return {each.name: each.type.tensor_type.elem_type for each in told}


def small(
    nodes: list[onnx.NodeProto],
    weights: Arrays,
    kind: int = TensorProto.FLOAT,
    shape: tuple[int, ...] = (2, 3),
) -> Any:
    """A model of one input `x` [2, 3] and one float32 output `y`."""
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", kind, [2, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])


def test_bytes_are_cast_before_anything_else(nano: Profile) -> None:
    model = onnx.load(str(nano.folder / "image.onnx"))
    typed = cast_first(model)
    assert [node.op_type for node in typed.graph.node if "images" in node.input] == ["Cast"]
    assert not any(
        kind == TensorProto.UINT8 for name, kind in types(typed).items() if name != "images"
    )
    for mine, meant in zip(
        run(typed, given("image.onnx")), run(model, given("image.onnx")), strict=True
    ):
        np.testing.assert_array_equal(mine, meant)


def test_bytes_that_something_else_reads_too_are_left() -> None:
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[1, 0]),
        helper.make_node("Cast", ["t"], ["a"], to=TensorProto.FLOAT),
        helper.make_node("Shape", ["t"], ["s"]),
        helper.make_node("Cast", ["s"], ["b"], to=TensorProto.FLOAT),
        helper.make_node("Concat", ["b", "c"], ["d"], axis=0),
        helper.make_node("MatMul", ["d", "a"], ["y"]),
    ]
    model = small(nodes, {"c": np.ones(1, np.float32)}, TensorProto.UINT8, (2,))
    assert [node.op_type for node in cast_first(model).graph.node] == [n.op_type for n in nodes]


@pytest.mark.parametrize("file", ["image.onnx", "text.onnx"])
def test_half_precision_computes_the_same(nano: Profile, tmp_path: Path, file: str) -> None:
    write_typed(nano.folder / file, tmp_path / file, "fp16")
    typed, model = onnx.load(str(tmp_path / file)), onnx.load(str(nano.folder / file))
    assert [p.name for p in tmp_path.iterdir()] == [file]
    (mine, more), (meant, most) = run(typed, given(file)), run(model, given(file))
    assert mine.dtype == more.dtype == np.float32
    assert np.linalg.norm(mine, axis=1) == pytest.approx(np.ones(len(mine)), abs=1e-4)
    assert (mine * meant).sum(axis=1) == pytest.approx(np.ones(len(mine)), abs=1e-3)
    assert np.abs(more - most).max() < 0.02


@pytest.mark.parametrize("file", ["image.onnx", "text.onnx"])
def test_what_is_heavy_is_halved_and_what_is_delicate_is_not(nano: Profile, file: str) -> None:
    model = half(onnx.load(str(nano.folder / file)))
    kinds = types(model)
    for node in model.graph.node:
        if node.op_type in ("Conv", "MatMul"):
            assert kinds[node.output[0]] == TensorProto.FLOAT16, node.name
        if node.op_type in KEPT:
            floats = {kinds[name] for name in (*node.input, *node.output) if name in kinds}
            assert TensorProto.FLOAT16 not in floats, node.op_type
    inputs = {each.name: each.type.tensor_type.elem_type for each in model.graph.input}
    assert TensorProto.FLOAT16 not in inputs.values()
    assert all(each.data_type != TensorProto.FLOAT for each in model.graph.initializer)


def test_other_precisions_leave_the_numbers(nano: Profile, tmp_path: Path) -> None:
    write_typed(nano.folder / "text.onnx", tmp_path / "text.onnx", "fp32")
    model = onnx.load(str(nano.folder / "text.onnx"))
    for mine, meant in zip(
        run(onnx.load(str(tmp_path / "text.onnx")), given("text.onnx")),
        run(model, given("text.onnx")),
        strict=True,
    ):
        np.testing.assert_array_equal(mine, meant)


def test_numbers_beyond_half_precision_become_its_outermost() -> None:
    weights = np.array([1e9, -1e9, 1e-12], np.float32)
    model = half(small([helper.make_node("Add", ["x", "w"], ["y"])], {"w": weights}))
    (stored,) = (numpy_helper.to_array(each) for each in model.graph.initializer)
    assert stored.dtype == np.float16
    assert stored.tolist() == [65504.0, -65504.0, 2.0**-24]
    (found,) = run(model, {"x": np.zeros((2, 3), np.float32)})
    assert np.isfinite(found).all() and found[0, 2] > 0


def test_nothing_stays_nothing() -> None:
    model = half(
        small([helper.make_node("Add", ["x", "w"], ["y"])], {"w": np.zeros(3, np.float32)})
    )
    assert numpy_helper.to_array(model.graph.initializer[0]).tolist() == [0, 0, 0]


def test_what_is_in_float32_is_given_out_unrounded() -> None:
    nodes = [
        helper.make_node("Softmax", ["x"], ["s"], axis=-1),
        helper.make_node("Identity", ["s"], ["y"]),
    ]
    x = np.array([[0.1, 0.2, 0.3], [3, 2, 1]], np.float16).astype(np.float32)
    meant = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    (found,) = run(half(small(nodes, {})), {"x": x})
    assert found == pytest.approx(meant, abs=1e-6)


def test_every_node_that_is_kept_is_one_of_onnx() -> None:
    known = {schema.name for schema in onnx.defs.get_all_schemas()}
    assert [name for name in sorted(KEPT) if name not in known] == []
