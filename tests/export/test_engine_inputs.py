"""What engines are built from: the graph that is read, and the shapes that it is built for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tempo_export.engine import EngineError, prepare
from tempo_export.optimization_profiles import check_profiles, graph_inputs, usual_profiles

from tempo_edge.models import Profile, load_profile
from tempo_edge.models.shapes import InputShape, Shapes, image_shapes, text_shapes


@pytest.fixture(scope="module")
def nano() -> Profile:
    return load_profile("nano")


def described(**inputs: list[int | str]) -> onnx.ModelProto:
    """A model of these inputs."""
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()]
    nodes = [helper.make_node("Identity", [values[0].name], ["y"])]
    shown = [helper.make_tensor_value_info("y", TensorProto.FLOAT, next(iter(inputs.values())))]
    graph = helper.make_graph(nodes, "described", values, shown)
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])


def test_the_towers_are_built_for_what_a_search_gives_them(nano: Profile) -> None:
    image = graph_inputs(nano.folder / "image.onnx")
    assert image == {"images": (-1, 224, 224, 3)}
    assert usual_profiles(image) == [image_shapes(224)]
    text = graph_inputs(nano.folder / "text.onnx")
    assert text == {"input_ids": (-1, -1), "attention_mask": (-1, -1)}
    assert usual_profiles(text) == [text_shapes()]
    for inputs in (image, text):
        check_profiles(inputs, usual_profiles(inputs))


def test_a_grounder_is_built_for_a_prompt_and_for_a_word(tmp_path: Path) -> None:
    path = tmp_path / "grounder.onnx"
    layers: list[int | str] = [3, 2, 4, "P", 16]
    path.write_bytes(
        described(words=["T"], kinds=["T"], features=["T", 553], past=layers).SerializeToString()
    )
    inputs = graph_inputs(path)
    prompt, word = usual_profiles(inputs)
    check_profiles(inputs, [prompt, word])
    nothing = (3, 2, 4, 0, 16)
    assert prompt["past"] == InputShape(nothing, nothing, nothing)
    assert prompt["words"] == prompt["kinds"]
    assert (prompt["words"].least, prompt["words"].most) == ((1,), (512,))
    assert prompt["features"].usual == (384, 553)
    assert word["words"] == InputShape((1,), (1,), (1,))
    assert (word["past"].least[3], word["past"].most[3]) == (1, 576)


def test_a_model_of_another_kind_must_come_with_its_shapes() -> None:
    with pytest.raises(EngineError, match=r"inputs \['sound'\] must be those of a tower"):
        usual_profiles({"sound": (1,)})


@pytest.mark.parametrize(
    ("profiles", "error"),
    [
        ([], "have no fixed shapes"),
        ([text_shapes()], r"profile 0 has shapes for \['attention_mask', 'input_ids'\]"),
        ([image_shapes(224), image_shapes(192)], r"profile 1: shape \(1, 192, 192, 3\) of input"),
        ([{"images": InputShape((1,), (1,), (1,))}], r"must fit \(-1, 224, 224, 3\)"),
    ],
)
def test_shapes_that_do_not_fit(nano: Profile, profiles: list[Shapes], error: str) -> None:
    with pytest.raises(EngineError, match=error) as raised:
        check_profiles(graph_inputs(nano.folder / "image.onnx"), profiles)
    assert "\n" not in str(raised.value)


def test_fixed_shapes_need_no_profile() -> None:
    check_profiles({"x": (1, 3)}, [])


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_the_graph_that_is_read_lies_there(nano: Profile, tmp_path: Path, precision: Any) -> None:
    graph = tmp_path / "image.onnx"
    assert prepare(nano.folder / "image.onnx", graph, precision, None) == [image_shapes(224)]
    nodes = onnx.load(str(graph)).graph.node
    assert [node.op_type for node in nodes if "images" in node.input] == ["Cast"]


def test_shapes_of_one_s_own(nano: Profile, tmp_path: Path) -> None:
    mine: list[Shapes] = [{"images": InputShape(*((1, 224, 224, 3),) * 3)}]
    assert prepare(nano.folder / "image.onnx", tmp_path / "g.onnx", "fp32", mine) == mine
    with pytest.raises(EngineError, match="profile 0"):
        prepare(nano.folder / "text.onnx", tmp_path / "t.onnx", "fp32", mine)
    assert not (tmp_path / "t.onnx").exists()


def quantised() -> onnx.ModelProto:
    scale, zero = np.float32(0.1), np.int8(0)
    graph = helper.make_graph(
        [
            helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
            helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"]),
        ],
        "quantised",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])],
        [numpy_helper.from_array(np.asarray(v), n) for n, v in (("s", scale), ("z", zero))],
    )
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])


def test_eight_bits_are_for_a_quantised_model(nano: Profile, tmp_path: Path) -> None:
    model, graph = tmp_path / "q.onnx", tmp_path / "graph.onnx"
    model.write_bytes(quantised().SerializeToString())
    assert prepare(model, graph, "int8", []) == []
    assert onnx.load(str(graph)).graph.node[1].op_type == "DequantizeLinear"
    with pytest.raises(EngineError, match=r"q\.onnx has DequantizeLinear.* must be int8"):
        prepare(model, graph, "fp16", [])
    with pytest.raises(EngineError, match=r"image\.onnx has no .* must be fp32 or fp16"):
        prepare(nano.folder / "image.onnx", graph, "int8", None)


def test_a_precision_that_is_none(nano: Profile, tmp_path: Path) -> None:
    unknown: Any = "int4"
    with pytest.raises(EngineError, match=r"'int4' must be one of fp32, fp16, int8"):
        prepare(nano.folder / "image.onnx", tmp_path / "g.onnx", unknown, None)


def test_a_model_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"no model")
    for path in (tmp_path / "m.onnx", tmp_path / "nowhere.onnx"):
        with pytest.raises(EngineError, match=r"onnx can't be read: ") as raised:
            graph_inputs(path)
        assert "\n" not in str(raised.value)
