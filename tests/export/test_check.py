"""The static check of ONNX graphs against TensorRT's documented limits."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from graphs import (
    ANY,
    DOUBLE,
    FLOAT,
    INT8,
    INT64,
    Made,
    X,
    array,
    attention,
    branched,
    looped,
    lstm,
    model,
    node,
    quantized,
    relu,
    save,
    tensor,
    whole,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from tempo_export.check import Finding, GraphError, Report, check_graph, format_report
from tempo_export.operators import read_support

from tempo_edge.models import registry


def check(made: Made, folder: Path, version: str = "10") -> Report:
    return check_graph(save(made, folder), version=version)


def said(report: Report) -> list[tuple[str, str, str]]:
    return [(f.severity, f.operator, f.reason) for f in report.findings]


def test_what_is_computed_from_sizes_is_no_surprise(tmp_path: Path) -> None:
    nodes = [node("Shape", ["x"], ["s"]), node("ConstantOfShape", ["s"], ["y"])]
    made = model(nodes, inputs=(tensor("x", FLOAT, ["N", 64]),), outputs=(ANY,))
    assert check(made, tmp_path).findings == ()


def test_other_domains_are_refused_and_named(tmp_path: Path) -> None:
    nodes = [node("MatMulNBits", ["x", "w", "s"], ["y"], domain="com.microsoft", K=64, N=64)]
    weights = array("w", np.ones((64, 2, 16)), np.uint8), array("s", np.ones(128))
    report = check(model(nodes, *weights, domains=("com.microsoft",)), tmp_path)
    reason = "domain com.microsoft is not ONNX's own: it needs a plugin"
    assert ("refused", "com.microsoft.MatMulNBits", reason) in said(report)
    assert report.nodes == {"com.microsoft.MatMulNBits": 1}
    assert ("doubtful", "", "1 tensors have no known element type, which went unchecked") not in (
        said(report)
    ), "the output's type is declared"


def test_an_operator_that_the_table_lacks_is_refused(tmp_path: Path) -> None:
    report = check(model([node("Swish", ["x"], ["y"])], opset=24), tmp_path)
    assert said(report) == [("refused", "Swish", "no operator of TensorRT 10.15")]


def test_an_unknown_type_is_owned_up_to(tmp_path: Path) -> None:
    nodes = [node("Odd", ["x"], ["v"], domain="odd"), node("Relu", ["v"], ["y"])]
    report = check(model(nodes, domains=("odd",)), tmp_path)
    reason = "1 tensors have no known element type, which went unchecked"
    assert ("doubtful", "", reason) in said(report)


def test_the_place_is_told_inside_branches_loops_and_functions(tmp_path: Path) -> None:
    inner = [node("Bernoulli", ["x"], ["a"], name="inner")]
    then = helper.make_graph(inner, "then", [], [tensor("a", FLOAT, None)])
    orelse = helper.make_graph(
        [node("Identity", ["x"], ["b"])], "else", [], [tensor("b", FLOAT, None)]
    )
    wide = [helper.make_opsetid("", 17)]
    twice = helper.make_function(
        "own", "Twice", ["p"], ["q"], [node("Cast", ["p"], ["q"], to=DOUBLE)], wide
    )
    nodes = [
        node("If", ["c"], ["m"], name="choice", then_branch=then, else_branch=orelse),
        node("Twice", ["m"], ["y"], name="call", domain="own"),
    ]
    inputs = (tensor("x", FLOAT, [3, 3]), tensor("c", TensorProto.BOOL, []))
    outputs = (tensor("y", DOUBLE, None),)
    made = model(nodes, inputs=inputs, outputs=outputs, functions=(twice,), domains=("own",))
    report = check(made, tmp_path)
    places = {finding.operator: finding.place for finding in report.findings if finding.operator}
    assert places == {
        "Bernoulli": "then_branch of choice, node 0",
        "Cast": "graph, node 1 of function own.Twice",
    }
    assert report.nodes == {"If": 1, "Bernoulli": 1, "Identity": 1, "Cast": 1}


def test_a_function_of_another_opset_is_checked_as_well(tmp_path: Path) -> None:
    older = [helper.make_opsetid("", 13)]
    body = [node("Cast", ["p"], ["r"], to=DOUBLE), node("Cast", ["r"], ["q"], to=FLOAT)]
    function = helper.make_function("own", "Older", ["p"], ["q"], body, older)
    call = node("Older", ["x"], ["y"], domain="own")
    report = check(model([call], functions=(function,), domains=("own",)), tmp_path)
    assert report.nodes == {"Cast": 2}
    assert not report.acceptable


def test_a_weight_that_is_an_input_too_needs_no_name_for_its_sizes(tmp_path: Path) -> None:
    inputs = (X, tensor("w", FLOAT, [None]))
    made = model([node("Add", ["x", "w"], ["y"])], array("w", np.ones(64)), inputs=inputs)
    assert check(made, tmp_path).findings == ()


def test_types_without_a_name_and_names_that_are_no_text_are_told(tmp_path: Path) -> None:
    report = check(relu(4, kind=99), tmp_path)
    assert ("refused", "", "input is type 99") in said(report)
    path = tmp_path / "bytes.onnx"
    path.write_bytes(relu(4).SerializeToString().replace(b"Relu", b"\xff\xfelu"))
    report = check_graph(path)
    assert ("refused", r"\xff\xfelu", "no operator of TensorRT 10.15") in said(report)
    json.dumps(report.to_json())
    format_report(report)


def test_a_circle_of_nodes_ends(tmp_path: Path) -> None:
    nodes = [
        node("Identity", ["b"], ["z"]),
        node("Identity", ["z"], ["b"]),
        node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        node("DequantizeLinear", ["q", "s", "z"], ["y"]),
    ]
    found = said(check(model(nodes, array("s", 1)), tmp_path))
    assert (
        "doubtful",
        "QuantizeLinear",
        "input y_zero_point must be zero, which can't be read here",
    ) in found


def test_a_graph_that_contradicts_itself_is_an_error_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match="Input 1 is out of bounds") as told:
        check(model([node("Add", ["x"], ["y"])]), tmp_path)
    assert "\n" not in str(told.value)
    own = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    again = [node("Round", ["p"], ["q"], domain="own")]
    function = helper.make_function("own", "Round", ["p"], ["q"], again, own)
    call = node("Round", ["x"], ["y"], domain="own")
    with pytest.raises(GraphError, match="recursive"):
        check(model([call], functions=(function,), domains=("own",)), tmp_path)


def test_a_weight_of_the_graph_is_known_inside_a_branch(tmp_path: Path) -> None:
    inner = [node("ReduceSum", ["x", "w"], ["a"])]
    then = helper.make_graph(inner, "then", [], [tensor("a", FLOAT, None)])
    orelse = helper.make_graph(
        [node("ReduceSum", ["x", "v"], ["b"])], "else", [], [tensor("b", FLOAT, None)]
    )
    nodes = [node("If", ["c"], ["y"], then_branch=then, else_branch=orelse)]
    inputs = (X, tensor("c", TensorProto.BOOL, []), tensor("v", INT64, [1]))
    report = check(model(nodes, whole("w", 1), inputs=inputs, outputs=(ANY,)), tmp_path)
    found = [(f.reason, f.place) for f in report.findings]
    assert found == [("input axes must be an initializer", "else_branch of y, node 0")]


def test_a_zero_point_is_seen_through_a_cast_and_outside_the_file(tmp_path: Path) -> None:
    nodes = [
        node("Cast", ["whole"], ["z"], to=INT8),
        node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        node("DequantizeLinear", ["q", "s", "z"], ["y"]),
    ]
    made = model(nodes, array("s", 1), array("whole", 1, np.int32))
    assert ("refused", "QuantizeLinear", "input y_zero_point must be zero") in said(
        check(made, tmp_path)
    )
    apart = tmp_path / "apart.onnx"
    onnx.save(
        quantized(zero=1), apart, save_as_external_data=True, location="weights", size_threshold=0
    )
    assert ("refused", "QuantizeLinear", "input y_zero_point must be zero") in said(
        check_graph(apart)
    )
    (tmp_path / "weights").unlink()
    lost = {(severity, reason) for severity, _, reason in said(check_graph(apart))}
    assert lost == {
        ("doubtful", "input y_zero_point must be zero, which can't be read here"),
        ("doubtful", "input y_scale must be above zero, which can't be read here"),
        ("doubtful", "input x_zero_point must be zero, which can't be read here"),
        ("doubtful", "input x_scale must be above zero, which can't be read here"),
    }


def test_an_older_version_lacks_what_came_later(tmp_path: Path) -> None:
    made = attention(4)
    assert check(made, tmp_path, "10.14").acceptable
    report = check(made, tmp_path, "10.13")
    assert ("refused", "Attention", "came with TensorRT 10.14, this is 10.13") in said(report)
    assert report.version == "10.13"


@pytest.mark.parametrize(
    ("opset", "version", "verdict"),
    [
        (20, "10.0", None),
        (21, "10.0", "refused"),
        (21, "10.1", "doubtful"),
        (22, "10.3", "doubtful"),
        (22, "10", None),
    ],
)
def test_an_opset_between_two_documented_ones_is_doubted(
    opset: int, version: str, verdict: str | None, tmp_path: Path
) -> None:
    severities = {
        severity for severity, _, _ in said(check(relu(4, opset=opset), tmp_path, version))
    }
    assert severities == ({verdict} if verdict else set())


@pytest.mark.parametrize("version", ["9", "10.16", "10.", "11", "ten", "10.-1", ""])
def test_a_version_without_facts_is_an_error(version: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must be '10' or from '10\.0' to '10\.15'"):
        check_graph(tmp_path / "any.onnx", version=version)


def test_a_file_that_is_no_graph_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x\n.onnx"
    with pytest.raises(GraphError, match=r"x\\n\.onnx: No such file") as told:
        check_graph(path)
    assert "\n" not in str(told.value)
    for content in (b"", b"no graph", b"\x08\x0a"):
        path.write_bytes(content)
        with pytest.raises(GraphError, match="is no ONNX graph"):
            check_graph(path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_checked_or_refused_in_one_line(
    data: st.DataObject, tmp_path: Path
) -> None:
    made = (quantized(between="Identity"), looped("three"), branched("other", 64), lstm(layout=1))
    content = bytearray(data.draw(st.sampled_from(made)).SerializeToString())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.onnx"
    path.write_bytes(bytes(content[: data.draw(st.integers(place, len(content)))]))
    try:
        report = check_graph(path)
    except GraphError as error:
        assert "\n" not in str(error)
    else:
        json.dumps(report.to_json())
        assert all("\n" not in line for line in format_report(report).split("\n"))


@given(
    operators=st.lists(st.sampled_from(["Relu", "Det", "Abs", "Unique"]), min_size=1, max_size=8)
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_graph_is_as_good_as_its_worst_node(operators: list[str], tmp_path: Path) -> None:
    nodes = [node(kind, [f"v{i}"], [f"v{i + 1}"]) for i, kind in enumerate(operators)]
    inputs, outputs = (tensor("v0", FLOAT, [3, 3]),), (tensor(f"v{len(nodes)}", FLOAT, None),)
    report = check(model(nodes, inputs=inputs, outputs=outputs), tmp_path)
    bad = [kind for kind in operators if kind in {"Det", "Unique"}]
    assert [f.operator for f in report.findings if f.severity == "refused"] == bad
    assert report.acceptable == (not bad)
    assert sum(report.nodes.values()) == len(operators)


def test_the_report_is_plain_text_and_plain_objects(tmp_path: Path) -> None:
    nodes = [node("Det", ["x"], ["a"]), node("Det", ["b"], ["c"]), node("Relu", ["a"], ["y"])]
    inputs = (tensor("x", FLOAT, [3, 3]), tensor("b", FLOAT, [None, 3, 3]))
    path = save(model(nodes, inputs=inputs, outputs=(ANY,)), tmp_path)
    report = check_graph(path)
    assert format_report(report).splitlines() == [
        f"{path}: refused by TensorRT 10.15",
        "opset 17, IR version 10, 3 nodes: 2 Det, 1 Relu",
        "refused   2x  Det  TensorRT 10.15 has none"
        "                                  first: a (graph, node 0)",
        "doubtful  1x  -    axis 0 has neither size nor name for a profile of sizes"
        "  first: b (model)",
    ]
    plain = json.loads(json.dumps(report.to_json()))
    assert plain["acceptable"] is False
    assert plain["path"] == str(path)
    assert plain["nodes"] == {"Det": 2, "Relu": 1}
    assert plain["findings"][1] == {
        "severity": "refused", "name": "a", "operator": "Det", "place": "graph, node 0",
        "reason": "TensorRT 10.15 has none",
    }  # fmt: skip
    fine = check(relu(3), tmp_path)
    assert format_report(fine).splitlines()[0].endswith("acceptable to TensorRT 10.15")


def test_names_of_nodes_stay_on_their_line(tmp_path: Path) -> None:
    report = check(model([node("Det", ["x"], ["y"], name="a\n\x1b[2J")]), tmp_path)
    assert report.findings[0] == Finding(
        "refused", "a\n\x1b[2J", "Det", "graph, node 0", "TensorRT 10.15 has none"
    )
    assert "\x1b" not in format_report(report)
    assert len(format_report(report).splitlines()) == 3


def test_the_facts_are_whole() -> None:
    support = read_support("10")
    assert len(support.operators) == 200
    assert sum(not operator.supported for operator in support.operators.values()) == 42
    for name, operator in support.operators.items():
        assert operator.types <= support.tensors, name
        assert bool(operator.types) == operator.supported, name
        for attribute in operator.attributes or {}:
            schema = onnx.defs.get_schema(name)
            assert attribute in schema.attributes, f"{name} has no {attribute}"


def test_the_built_in_towers_get_the_verdict_they_get() -> None:
    image, text = (
        check_graph(registry.BUILT_IN / "nano" / f"{tower}.onnx") for tower in ("image", "text")
    )
    weight = "is int8 and a weight, which DequantizeLinear alone may read"
    assert [(f.operator, f.name) for f in image.findings if weight not in f.reason] == [
        ("Transpose", "transpose_3"), ("Transpose", "transpose_3"), ("Cast", "cast_4"),
    ]  # fmt: skip
    assert all("uint8" in f.reason for f in image.findings[:3]), "pictures are turned, then cast"
    assert [f.operator for f in image.findings[3:]] == ["Cast"] * 5
    refused = [f.operator for f in text.findings if f.severity == "refused"]
    assert refused == ["Gather", *["Cast"] * 40]
    assert all(weight in f.reason for f in text.findings if f.severity == "refused")
    assert (image.opset, image.ir_version) == (text.opset, text.ir_version) == (17, 8)


def test_a_tower_is_taken_once_its_pictures_are_cast_first_and_its_weights_whole(
    tmp_path: Path,
) -> None:
    tower = onnx.load(registry.BUILT_IN / "nano" / "image.onnx")
    nodes, weights = tower.graph.node, {w.name: w for w in tower.graph.initializer}
    turn, cast = nodes[0], nodes[1]
    turn.input[0], turn.output[0], cast.input[0], cast.output[0] = (
        "f",
        cast.output[0],
        "images",
        "f",
    )
    nodes.remove(turn)
    nodes.insert(1, turn)
    for one in nodes:
        stored = weights.get(one.input[0])
        if one.op_type == "Cast" and stored is not None and stored.data_type == INT8:
            held = onnx.numpy_helper.to_array(stored).astype(np.float16)
            stored.CopyFrom(onnx.numpy_helper.from_array(held, stored.name))
    onnx.checker.check_model(tower, full_check=True)
    assert check(tower, tmp_path).findings == ()
