"""The rules of the check, each with a graph that keeps to it and one that does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from graphs import (
    ANY,
    DOUBLE,
    FLOAT,
    HALF,
    INT8,
    INT32,
    INT64,
    UINT8,
    Made,
    X,
    added,
    array,
    asked,
    attention,
    between,
    branched,
    chosen,
    constant,
    deformed,
    dequantized,
    dropped,
    fed,
    four_bits,
    hardened,
    heard,
    int8,
    listed,
    looped,
    lstm,
    model,
    node,
    normalized,
    picked,
    pooled,
    quantized,
    relu,
    remembered,
    rescaled,
    resized,
    save,
    sized,
    tensor,
    thrown,
    turned,
    unary,
    whole,
    written,
)
from onnx import TensorProto, helper
from tempo_export.check import Report, check_graph


def check(made: Made, folder: Path) -> Report:
    return check_graph(save(made, folder))


def said(report: Report) -> list[tuple[str, str, str]]:
    return [(f.severity, f.operator, f.reason) for f in report.findings]


TAKEN_AND_REFUSED: dict[str, tuple[Made, Made, str, str]] = {
    "operator": (unary("Relu", FLOAT), unary("Det", FLOAT), "Det", "TensorRT 10.15 has none"),
    "type": (
        unary("Sqrt", HALF), unary("Sqrt", INT32), "Sqrt",
        "input X is int32, taken is bfloat16, float16, float32",
    ),
    "uint8 is cast first": (
        unary("Cast", UINT8, FLOAT, to=FLOAT), unary("Transpose", UINT8), "Transpose",
        "input data is uint8, taken is bfloat16, bool, float16, float32, int32, int64",
    ),
    "float64": (
        unary("Abs", FLOAT), unary("Abs", DOUBLE), "Abs",
        "input X is float64, which would be narrowed to float32 unasked",
    ),
    "int16": (
        unary("Cast", FLOAT, INT32, to=INT32),
        unary("Cast", FLOAT, TensorProto.INT16, to=TensorProto.INT16), "Cast",
        "output is int16, which TensorRT has no tensors of",
    ),
    "opset": (relu(4, opset=9), relu(4, opset=8), "", "opset 8 must be from 9 to 24"),
    "a newer opset": (relu(4, opset=24), relu(4, opset=25), "", "opset 25 must be from 9 to 24"),
    "rank": (
        relu(*[1] * 8), relu(*[1] * 9), "Relu", "input X has rank 9, the highest is 8",
    ),
    "an input without rank": (
        relu("N", 3), model([node("Relu", ["x"], ["y"])], inputs=(tensor("x", FLOAT, None),)), "",
        "input has no rank",
    ),
    "reduced axes": (
        fed("ReduceSum", whole("w", 1)), asked("ReduceSum", 1), "ReduceSum",
        "input axes must be an initializer",
    ),
    "unsqueezed axes": (
        fed("Unsqueeze", whole("w", 1)), asked("Unsqueeze", 1), "Unsqueeze",
        "input axes must be a constant",
    ),
    "squeezed axes": (
        model([node("Squeeze", ["x", "w"], ["y"])], whole("w", 0),
              inputs=(tensor("x", FLOAT, [1, 3]),), outputs=(ANY,)),
        asked("Squeeze", 1), "Squeeze", "input axes must be a constant",
    ),
    "CumSum": (
        fed("CumSum", array("w", 1, np.int64)), asked("CumSum"), "CumSum",
        "input axis must be a constant",
    ),
    "TopK": (
        model([node("TopK", ["x", "w"], ["y", "i"])], whole("w", 3), outputs=(ANY,)),
        model([node("TopK", ["x", "w"], ["y", "i"])], whole("w", 3840), outputs=(ANY,)), "TopK",
        "input K must be at most 3839",
    ),
    "TopK sorts": (
        model([node("TopK", ["x", "w"], ["y", "i"], sorted=1)], whole("w", 3), outputs=(ANY,)),
        model([node("TopK", ["x", "w"], ["y", "i"], sorted=0)], whole("w", 3), outputs=(ANY,)),
        "TopK", "attribute sorted is 0, taken is 1",
    ),
    "zero point": (
        quantized(), quantized(zero=1), "QuantizeLinear", "input y_zero_point must be zero",
    ),
    "scale": (
        quantized(), quantized(scale=-1.0), "DequantizeLinear", "input x_scale must be above zero",
    ),
    "quantized type": (
        quantized(), quantized(kind=np.uint8), "QuantizeLinear",
        "output y is uint8, taken is float4e2m1, float8e4m3fn, int4, int8",
    ),
    "int8 weights": (
        dequantized(int8(64, 64), 64, opset=17),
        model([node("Cast", ["w"], ["v"], to=FLOAT), node("MatMul", ["x", "v"], ["y"])],
              int8(64, 64)),
        "Cast", "input is int8 and a weight, which DequantizeLinear alone may read",
    ),
    "int8 weights of a Constant": (
        model([node("Constant", [], ["w"], value=int8(64, 64)),
               node("DequantizeLinear", ["w", "s"], ["v"]),
               node("MatMul", ["x", "v"], ["y"])], array("s", 1)),
        model([node("Constant", [], ["w"], value=int8(64, 64)),
               node("Transpose", ["w"], ["t"]),
               node("DequantizeLinear", ["t", "s"], ["v"]),
               node("MatMul", ["x", "v"], ["y"])], array("s", 1)),
        "Transpose", "input data is int8 and a weight, which DequantizeLinear alone may read",
    ),
    "number of scales": (
        dequantized(int8(64, 64), 64), dequantized(int8(64, 64), 63), "DequantizeLinear",
        "input x_scale has 63 numbers for 64 channels",
    ),
    "blocks of the last two axes": (
        dequantized(four_bits("w", 2, 64, 64), 2, 2, 64, axis=1, block_size=32),
        dequantized(four_bits("w", 2, 64, 64), 1, 64, 64, axis=0, block_size=2),
        "DequantizeLinear", "blocks must run along one of the last two axes",
    ),
    "blocks of one axis": (
        dequantized(four_bits("w", 64, 64), 64, 2, axis=1, block_size=32),
        dequantized(four_bits("w", 64, 64), 2, 2, axis=1, block_size=32),
        "DequantizeLinear", "blocks run along more than one axis",
    ),
    "an even number of four bits": (
        dequantized(four_bits("w", 64, 63), 63), dequantized(four_bits("w", 63, 63), 63),
        "DequantizeLinear", "four-bit tensors must have an even number of elements",
    ),
    "flat pooling": (
        pooled("AveragePool", 8, 8, 8), pooled("AveragePool", 8), "AveragePool",
        "input X has rank 3, taken is 4 or 5",
    ),
    "dilated pooling": (
        pooled("MaxPool", 8, 8, dilations=[1, 1]), pooled("MaxPool", 8, 8, dilations=[1, 2]),
        "MaxPool", "attribute dilations is 2, taken is 1",
    ),
    "pooled places": (
        pooled("MaxPool", 8, 8), pooled("MaxPool", 8, 8, outputs=("y", "places")), "MaxPool",
        "output Indices can't be had",
    ),
    "resizing": (
        resized(mode="linear"), resized(mode="cubic"), "Resize",
        "attribute mode is cubic, taken is nearest, linear",
    ),
    "recurrence both ways": (
        lstm(direction="bidirectional", activations=["Sigmoid", "Tanh", "Tanh"] * 2),
        lstm(direction="bidirectional", activations=["Sigmoid", "Tanh", "Tanh"] + ["Relu"] * 3),
        "LSTM", "attribute activations differs between the two directions",
    ),
    "layout": (lstm(layout=0), lstm(layout=1), "LSTM", "attribute layout is 1, taken is 0"),
    "training": (dropped(False), dropped(True), "Dropout", "input training_mode must be zero"),
    "constants of text": (
        constant(value_floats=[1.0]), constant(value_strings=["a"]), "Constant",
        "attribute value_strings can't be had",
    ),
    "names of branches": (
        branched("other", 4, 64), branched("a", 4, 64), "If",
        "both branches give an output of the same name",
    ),
    "ranks of branches": (
        branched("other", 4, 64), branched("other", 64), "If",
        "the branches give outputs of different ranks",
    ),
    "stacking": (
        looped("three"), looped("n"), "Loop",
        "it stacks an output over a number of rounds that is no constant",
    ),
    "carrying": (
        looped("n", stacks=False), looped("n", stacks=False, after="wide"), "Loop",
        "a carried value changes its shape",
    ),
    "attention": (
        attention(4), attention(3), "Attention", "input Q has rank 3, taken is 4",
    ),
    "attention without memory": (
        attention(4), attention(4, outputs=3), "Attention", "output present_key can't be had",
    ),
    "attention without a past": (
        remembered(False), remembered(True), "Attention", "input past_key can't be had",
    ),
    "places of a rotation": (
        turned(INT64), turned(INT32), "RotaryEmbedding",
        "input position_ids is int32, taken is int64",
    ),
    "an axis by default": (
        written(), written(axis=1), "TensorScatter", "attribute axis is 1, taken is -2",
    ),
    "a signal": (heard(1), heard(2), "STFT", "input signal must be real"),
    "even pads": (
        deformed([1, 1, 1, 1]), deformed([1, 1, 0, 0]), "DeformConv",
        "attribute pads differs between the two ends of an axis",
    ),
    "axes of computed scales": (
        rescaled([0, 1, 2, 3]), rescaled([2, 3]), "Resize",
        "attribute axes must name every axis in order, as scales are computed",
    ),
    "one output": (
        normalized("y"), normalized("y", "mean"), "LayerNormalization", "output Mean can't be had",
    ),
    "the size of an axis": (
        hardened("N", 4), hardened(4, "N"), "Hardmax", "input must have fixed sizes",
    ),
    "uint8 inside": (
        between(INT32), between(UINT8), "Cast",
        "output is uint8, which only inputs and outputs of the model may be",
    ),
    "sequences": (
        listed(tensor("z", FLOAT, [1])),
        listed(helper.make_tensor_sequence_value_info("z", FLOAT, [1])), "", "input is no tensor",
    ),
    "axes of a choice": (
        fed("Unsqueeze", whole("w", 0)), chosen(), "Unsqueeze", "input axes must be a constant",
    ),
    "axes at random": (
        fed("Unsqueeze", whole("w", 0)), thrown(), "Unsqueeze", "input axes must be a constant",
    ),
    "axes of fixed sizes": (
        sized(1, 3), sized("N", 3), "Unsqueeze", "input axes must be a constant",
    ),
    "what is picked": (
        picked(INT32), picked(UINT8), "Where",
        "input X is uint8, taken is bfloat16, bool, float16, float32, int32, int64",
    ),
    "an input that none reads": (
        listed(tensor("z", INT8, [1])), listed(tensor("z", TensorProto.UINT16, [1])), "",
        "input is uint16",
    ),
    "fixed sizes": (
        model([node("EyeLike", ["x"], ["y"])]),
        model([node("EyeLike", ["x"], ["y"])], inputs=(tensor("x", FLOAT, ["N", 64]),),
              outputs=(ANY,)),
        "EyeLike", "input must have fixed sizes",
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", TAKEN_AND_REFUSED)
def test_twins_that_differ_in_one_thing_are_taken_and_refused(rule: str, tmp_path: Path) -> None:
    taken, refused, operator, reason = TAKEN_AND_REFUSED[rule]
    fine, bad = check(taken, tmp_path), check(refused, tmp_path)
    assert not fine.findings and fine.acceptable
    assert ("refused", operator, reason) in said(bad)
    assert not bad.acceptable


TAKEN_AND_DOUBTED: dict[str, tuple[Made, Made, str, str]] = {
    "uint8 weights": (
        added(np.float16), added(np.uint8), "Cast",
        "input is uint8, which only inputs and outputs of the model may be",
    ),
    "int8 inside": (
        between(INT32), between(INT8), "Cast",
        "output is int8, documented between QuantizeLinear and DequantizeLinear",
    ),
    "named sizes": (
        relu("N", 3), relu(None, 3), "", "axis 0 has neither size nor name for a profile of sizes",
    ),
    "random numbers": (
        unary("Relu", FLOAT), unary("RandomNormalLike", FLOAT), "RandomNormalLike",
        "the seed is not heeded, so that results differ from run to run",
    ),
    "sizes that depend on data": (
        unary("Shape", FLOAT, INT64), unary("NonZero", FLOAT, INT64), "NonZero",
        "the size of its output depends on data",
    ),
    "padding": (
        fed("Pad", whole("w", 0, 0, 1, 1)), asked("Pad", 4), "Pad",
        "input pads is known only when the graph runs",
    ),
    "a computed axis": (
        fed("ReduceSum", whole("w", 1)),
        model([node("Neg", ["w"], ["v"]), node("ReduceSum", ["x", "v"], ["y"])], whole("w", 1),
              outputs=(ANY,)),
        "ReduceSum", "input axes is computed, an initializer is documented",
    ),
    "a limit that can't be read": (
        model([node("TopK", ["x", "k"], ["y", "i"])], whole("k", 3), outputs=(ANY,)),
        model([node("Shape", ["x"], ["k"], start=1), node("TopK", ["x", "k"], ["y", "i"])],
              inputs=(tensor("x", FLOAT, [4, "N"]),), outputs=(ANY,)),
        "TopK", "input K must be at most 3839, which can't be read here",
    ),
    "scales of the moment": (
        quantized(),
        model([node("QuantizeLinear", ["x", "s"], ["q"], output_dtype=INT8),
               node("DequantizeLinear", ["q", "s"], ["y"])],
              inputs=(X, tensor("s", FLOAT, [])), opset=21),
        "QuantizeLinear", "input y_scale is documented as a constant",
    ),
    "eight bits on their way": (
        quantized(), quantized(between="Identity"), "Identity",
        "input is int8, documented between QuantizeLinear and DequantizeLinear",
    ),
    "blocks of eight bits": (
        dequantized(four_bits("w", 64, 64), 2, 64, axis=0, block_size=32),
        dequantized(int8(64, 64), 2, 64, axis=0, block_size=32), "DequantizeLinear",
        "blocks are documented for four bits and for float8, not for int8",
    ),
    "four bits of the moment": (
        dequantized(four_bits("w", 64, 64), 64),
        model([node("QuantizeLinear", ["x", "s"], ["q"], output_dtype=TensorProto.INT4),
               node("DequantizeLinear", ["q", "s"], ["y"])], array("s", 1), opset=21),
        "DequantizeLinear", "int4 is documented for weights alone",
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", TAKEN_AND_DOUBTED)
def test_twins_that_differ_in_one_thing_are_taken_and_doubted(rule: str, tmp_path: Path) -> None:
    taken, doubted, operator, reason = TAKEN_AND_DOUBTED[rule]
    fine, bad = check(taken, tmp_path), check(doubted, tmp_path)
    assert not fine.findings
    assert ("doubtful", operator, reason) in said(bad)
    assert bad.acceptable, "a doubt refuses nothing"
