"""What the parser of TensorRT for RTX says of ONNX graphs, where it is installed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from graphs import ANY, FLOAT, array, model, node, save, tensor
from harness import each_without
from onnx import TensorProto, helper
from tempo_export.check import Finding, GraphReport, check_graph, format_report
from tempo_export.graphs import read_graph, write_graph
from tempo_export.precision import expanded, halved, weights_int4, weights_int8

from tempo_edge import TempoEdgeError
from tempo_edge.models import load_profile, registry

try:
    import tensorrt_rtx
except ImportError:
    VERSION = ""
else:
    VERSION = str(tensorrt_rtx.__version__)

needs_the_parser = pytest.mark.skipif(not VERSION, reason="TensorRT for RTX is not installed")


def check(made: onnx.ModelProto, folder: Path) -> GraphReport:
    return check_graph(save(made, folder))


def test_without_the_parser_one_line_says_what_to_install(environment: dict[str, str]) -> None:
    for lacked in (["tensorrt_rtx"], ["tensorrt_rtx", "onnx"]):
        (said,) = each_without(lacked, ["export", "nano", "--check"], environment=environment)
        assert said.status == 2
        assert said.error == 'TensorRT for RTX is not installed: pip install ".[tensorrt-rtx]"'


@needs_the_parser
def test_what_the_parser_takes_is_acceptable(tmp_path: Path) -> None:
    path = save(model([node("Relu", ["x"], ["y"])]), tmp_path)
    report = check_graph(path)
    assert report.acceptable
    assert format_report(report).splitlines() == [
        f"{path}: acceptable to TensorRT for RTX {VERSION}",
        "opset 17, IR version 10, 1 nodes: 1 Relu",
    ]


@needs_the_parser
def test_every_node_that_is_refused_is_named(tmp_path: Path) -> None:
    nodes = [
        node("Relu", ["x"], ["r"], name="first"),
        node("Det", ["r"], ["a"], name="second"),
        node("Det", ["r"], ["b"]),
        node("Bend", ["r"], ["c"], domain="own", name="third"),
    ]
    square = (tensor("x", FLOAT, [3, 3]),)
    outputs = tuple(tensor(name, FLOAT, None) for name in "abc")
    path = save(model(nodes, inputs=square, outputs=outputs, domains=("own",)), tmp_path)
    report = check_graph(path)
    assert not report.acceptable
    assert report.findings[:2] == (
        Finding("second", "Det", "graph, node 1", "unsupported node"),
        Finding("b", "Det", "graph, node 2", "unsupported node"),
    )
    assert (report.findings[2].name, report.findings[2].operator) == ("third", "Bend")
    assert "Plugin not found" in report.findings[2].reason
    assert report.nodes == {"Det": 2, "Relu": 1, "own.Bend": 1}
    lines = format_report(report).splitlines()
    assert lines[0] == f"{path}: refused by TensorRT for RTX {VERSION}"
    assert lines[2].startswith("2x  Det   unsupported node")
    assert lines[2].endswith("first: second (graph, node 1)")
    plain = json.loads(json.dumps(report.to_json()))
    assert plain["acceptable"] is False
    assert plain["findings"][0] == {
        "name": "second",
        "operator": "Det",
        "place": "graph, node 1",
        "reason": "unsupported node",
    }


@needs_the_parser
def test_the_place_is_told_inside_a_branch(tmp_path: Path) -> None:
    then, other = (
        helper.make_graph(
            [node("Det", ["x"], [output], name="inner")], name, [], [tensor(output, FLOAT, None)]
        )
        for name, output in (("then", "a"), ("else", "b"))
    )
    nodes = [node("If", ["c"], ["y"], name="choice", then_branch=then, else_branch=other)]
    inputs = (tensor("x", FLOAT, [3, 3]), tensor("c", TensorProto.BOOL, []))
    report = check(model(nodes, inputs=inputs, outputs=(ANY,)), tmp_path)
    assert (report.findings[0].name, report.findings[0].operator) == ("inner", "Det")
    assert report.findings[0].place == "graph, choice (If), then (then_branch), node 0"
    assert report.nodes == {"Det": 2, "If": 1}


@needs_the_parser
def test_a_reason_is_one_line_without_the_driver_that_is_not_there(tmp_path: Path) -> None:
    tower = registry.BUILT_IN / "nano" / "image.onnx"
    (finding,) = check_graph(tower).findings
    assert finding.operator == "Transpose" and "UInt8" in finding.reason
    assert "\n" not in finding.reason and "Cuda" not in finding.reason
    write_graph(expanded(read_graph(tower)), tmp_path / "image.onnx")
    assert check_graph(tmp_path / "image.onnx").acceptable, "bytes are cast before they are turned"


@needs_the_parser
@pytest.mark.parametrize("file", ["text.onnx", "grounder.onnx"])
def test_the_built_in_graphs_are_taken_at_every_precision_but_four_bits(
    file: str, tmp_path: Path
) -> None:
    whole = read_graph(load_profile("nano").checked(file))
    for change, taken in ((halved, True), (weights_int8, True), (weights_int4, False)):
        write_graph(change(whole), tmp_path / file)
        report = check_graph(tmp_path / file)
        assert report.acceptable == taken, change
    assert report.findings[0].operator == "MatMulNBits"


@needs_the_parser
@pytest.mark.parametrize("zero", [0, 1])
def test_eight_bits_are_taken_where_zero_is_zero(zero: int, tmp_path: Path) -> None:
    nodes = [
        node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        node("DequantizeLinear", ["q", "s", "z"], ["y"]),
    ]
    made = model(nodes, array("s", 0.1), array("z", zero, np.int8))
    assert check(made, tmp_path).acceptable == (zero == 0)


@needs_the_parser
def test_names_of_nodes_stay_on_their_line(tmp_path: Path) -> None:
    square = (tensor("x", FLOAT, [3, 3]),)
    made = model([node("Det", ["x"], ["y"], name="a\n\x1b[2J")], inputs=square, outputs=(ANY,))
    report = check(made, tmp_path)
    assert report.findings[0].name == "a\n\x1b[2J"
    assert "\x1b" not in format_report(report)
    assert len(format_report(report).splitlines()) == 3


@needs_the_parser
def test_weights_outside_the_file_are_found(tmp_path: Path) -> None:
    made = model([node("MatMul", ["x", "w"], ["y"])], array("w", np.ones((64, 64))))
    path = tmp_path / "apart.onnx"
    onnx.save(made, path, save_as_external_data=True, location="weights", size_threshold=0)
    assert check_graph(path).acceptable
    (tmp_path / "weights").unlink()
    assert not check_graph(path).acceptable


@needs_the_parser
def test_a_file_that_is_no_graph_is_an_error_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "x\n.onnx"
    with pytest.raises(TempoEdgeError, match=r"x\\n\.onnx: No such file") as told:
        check_graph(path)
    assert "\n" not in str(told.value)
    for content in (b"", b"no graph", b"\x08\x0a"):
        path.write_bytes(content)
        with pytest.raises(TempoEdgeError, match="is no ONNX graph"):
            check_graph(path)
