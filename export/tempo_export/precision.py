"""Graphs at another precision.

``fp32`` stores what it computes with; ``fp16`` computes in half precision between inputs and
outputs that stay as they are; ``int8`` is either static, weights and activations of convolutions
between pairs of QuantizeLinear and DequantizeLinear with ranges from real frames, or of weights
alone, one scale a channel; ``int4`` is of weights alone, one scale for every 32 of them.
"""

from __future__ import annotations

import io
import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tempo_export.graphs import write_graph
from tempo_export.typed import cast_first, half

__all__ = [
    "PRECISIONS",
    "Method",
    "Precision",
    "Ranges",
    "expanded",
    "halved",
    "layers_of",
    "measured_ranges",
    "static_int8",
    "weights_int4",
    "weights_int8",
]

Precision = Literal["fp32", "fp16", "int8", "int4"]
Method = Literal["entropy", "percentile", "minmax"]
Feed = dict[str, NDArray[Any]]

PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16", "int8", "int4")

#: Where the range of every tensor lies, as ONNX Runtime's calibrators tell it.
Ranges = Any

# Nodes that do no more than restore a weight from how it was stored.
_RESTORING = ("Cast", "Mul", "DequantizeLinear")
_COMPACT = ("FLOAT16", "INT8", "UINT8", "INT4", "UINT4", "BFLOAT16")

_BLOCK = 32


def expanded(model: Any) -> Any:
    """A copy in which every weight is stored in float32, as it is computed with.

    Bytes are cast before they are transposed: the same to the bit, and what TensorRT takes.
    """
    import onnx
    from onnx import numpy_helper
    from onnx.reference import ReferenceEvaluator

    model = cast_first(model)
    graph = model.graph
    known = {each.name: each for each in graph.initializer}
    compact = {getattr(onnx.TensorProto, name) for name in _COMPACT}
    restored: set[str] = set()
    kept = []
    for node in graph.node:
        parts = [known.get(name) for name in node.input]
        first = parts[0] if parts else None
        weighs = first is not None and (first.data_type in compact or first.name in restored)
        if node.op_type == "Gather" and first is not None and first.data_type in compact:
            # A table whose rows are restored after they were looked up: whole numbers as such.
            plain = numpy_helper.to_array(first).astype(np.float32)
            known[first.name] = numpy_helper.from_array(plain, first.name)
        if node.op_type not in _RESTORING or not weighs or None in parts:
            kept.append(node)
            continue
        values = {each.name: numpy_helper.to_array(each) for each in parts if each is not None}
        (value,) = ReferenceEvaluator(node).run(None, values)
        known[node.output[0]] = numpy_helper.from_array(np.asarray(value), node.output[0])
        restored.add(node.output[0])
    del graph.node[:]
    graph.node.extend(kept)
    used = {name for node in kept for name in node.input} | {each.name for each in graph.output}
    del graph.initializer[:]
    graph.initializer.extend(each for name, each in known.items() if name in used)
    return model


def halved(model: Any) -> Any:
    """A copy that computes in float16; inputs and outputs stay as they are."""
    return half(expanded(model))


def weights_int8(model: Any, kinds: Sequence[str] = ("MatMul", "Gather")) -> Any:
    """A copy whose matrices and tables are stored in eight bits, one scale an output channel.

    They are restored by DequantizeLinear, with a zero point of 0: arithmetic stays in float32.

    Args:
        kinds: nodes whose weights are meant: of ``MatMul`` the matrices, of ``Gather`` the tables.
    """
    import onnx
    from onnx import helper, numpy_helper

    model = expanded(model)
    graph = model.graph
    known = {each.name: each for each in graph.initializer}
    takers = [(node, place) for node in graph.node for place in range(len(node.input))]
    restoring = []
    for node, place in takers:
        # Of a product the columns are what is put out; of a table every row is.
        axis = {("MatMul", 1): 1, ("Gather", 0): 0}.get((node.op_type, place))
        axis = axis if node.op_type in kinds else None
        weight = known.get(node.input[place])
        if axis is None or weight is None or weight.data_type != onnx.TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(weight)
        if values.ndim != 2:
            continue
        name = f"{weight.name}_int8_{axis}"
        if name not in known:
            scales = np.abs(values).max(axis=1 - axis) / 127
            scales = np.where(scales > 0, scales, 1).astype(np.float32)
            rounded = np.rint(values / np.expand_dims(scales, 1 - axis)).astype(np.int8)
            stored = {"whole": rounded, "scale": scales, "zero": np.zeros_like(scales, np.int8)}
            inputs = [f"{name}_{part}" for part in stored]
            graph.initializer.extend(
                numpy_helper.from_array(array, f"{name}_{part}") for part, array in stored.items()
            )
            restoring.append(helper.make_node("DequantizeLinear", inputs, [name], axis=axis))
            known[name] = graph.initializer[-1]
        node.input[place] = name
    nodes = [*restoring, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return _without_unused(model)


def weights_int4(model: Any) -> Any:
    """A copy whose matrices are stored in four bits, one scale for every 32 weights.

    They are multiplied by ONNX Runtime's own MatMulNBits, which TensorRT does not know. Tables have
    eight bits: a row that is looked up has nothing to average its error out with.
    """
    from onnxruntime.quantization import matmul_nbits_quantizer as nbits

    nbits.logger.setLevel(logging.WARNING)  # it says what it does of every node
    tables = weights_int8(model, ("Gather",))
    quantizer = nbits.MatMulNBitsQuantizer(tables, block_size=_BLOCK, is_symmetric=True)
    quantizer.process()
    return quantizer.model.model


def layers_of(model: Any, kinds: Sequence[str] = ("Conv",)) -> list[str]:
    """Names of the nodes of these kinds, in order; those without a name are given one."""
    names = []
    for place, node in enumerate(model.graph.node):
        node.name = node.name or f"{node.op_type}_{place}"
        if node.op_type in kinds:
            names.append(node.name)
    return names


def measured_ranges(
    model: Any, feeds: Sequence[Feed], method: Method, kinds: Sequence[str] = ("Conv",)
) -> Ranges:
    """The range of every tensor that the nodes of these kinds take or give, over ``feeds``."""
    from onnxruntime.quantization.calibrate import (
        CalibrationDataReader,
        CalibrationMethod,
        create_calibrator,
    )

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self, feed: Feed) -> None:
            self._left: Iterator[Feed] = iter([feed])

        def get_next(self) -> Feed | None:
            return next(self._left, None)

    named = {
        "entropy": CalibrationMethod.Entropy,
        "percentile": CalibrationMethod.Percentile,
        "minmax": CalibrationMethod.MinMax,
    }
    # The calibrators print what they do.
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):
        path = Path(folder) / "model.onnx"
        write_graph(model, path)
        calibrator = create_calibrator(
            path,
            list(kinds),
            augmented_model_path=str(Path(folder) / "augmented.onnx"),
            calibrate_method=named[method],
        )
        # One feed at a time: of what it is given at once it keeps every tensor, 25 MB a picture.
        for feed in feeds:
            calibrator.collect_data(Reader(feed))
        return calibrator.compute_data()


def static_int8(
    model: Any, ranges: Ranges, only: Sequence[str] | None = None, kinds: Sequence[str] = ("Conv",)
) -> Any:
    """A copy whose nodes of these kinds compute in eight bits, weights by channel.

    Args:
        ranges: what :func:`measured_ranges` gave for the same model.
        only: names of the nodes; by default all of these kinds.
    """
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
    from onnxruntime.quantization.quant_utils import QuantType

    quantizer = QDQQuantizer(
        _copy(model),
        per_channel=True,
        reduce_range=False,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QInt8,
        tensors_range=ranges,
        nodes_to_quantize=list(only or []),
        nodes_to_exclude=[],
        op_types_to_quantize=list(kinds),
        # Zero points of 0, and int8 on both sides: what TensorRT takes.
        extra_options={"ActivationSymmetric": True, "WeightSymmetric": True},
    )
    quantizer.quantize_model()
    return _sorted(quantizer.model.model)


def _copy(model: Any) -> Any:
    other = type(model)()
    other.CopyFrom(model)
    return other


def _sorted(model: Any) -> Any:
    """Put the nodes of a model in order: what was added at the end comes before what takes it."""
    from onnxruntime.transformers.onnx_model import OnnxModel

    OnnxModel.graph_topological_sort(model.graph)
    return model


def _without_unused(model: Any) -> Any:
    used = {name for node in model.graph.node for name in node.input}
    kept = [each for each in model.graph.initializer if each.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    return model
