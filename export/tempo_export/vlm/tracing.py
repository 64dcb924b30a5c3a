"""From torch modules to ONNX graphs whose weights lie in one file beside them."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Mapping, Sequence
from typing import IO, Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from tempo_edge.train.onnx_graph import IR_VERSION, OPSET

__all__ = ["Axes", "Weights", "trace"]

#: Names of the sizes of a tensor that may change, by axis.
Axes = Mapping[str, Mapping[int, str]]

_ALIGNED = 4096  # a file is mapped into memory by whole pages


class Weights:
    """The one file of all graphs: a weight that several use is written once.

    Args:
        file: is written to.
        name: what the graphs call it.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._name = name
        self._known: dict[str, tuple[int, int]] = {}

    def put(self, name: str, weight: Tensor) -> onnx.TensorProto:
        """A tensor of that name whose contents lie in the file."""
        values = weight.detach().cpu().contiguous().numpy()
        kind = onnx.helper.np_dtype_to_tensor_dtype(values.dtype)
        data = values.reshape(-1).view(np.uint8).data
        digest = hashlib.sha256(data).hexdigest() + str(values.dtype)
        if digest not in self._known:
            self._file.write(b"\0" * (-self._file.tell() % _ALIGNED))
            self._known[digest] = self._file.tell(), len(data)
            self._file.write(data)
        offset, length = self._known[digest]
        tensor = onnx.TensorProto(name=name, data_type=kind, dims=list(values.shape))
        tensor.data_location = onnx.TensorProto.EXTERNAL
        about = {"location": self._name, "offset": offset, "length": length}
        for key, value in about.items():
            tensor.external_data.add(key=key, value=str(value))
        return tensor


def trace(
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    axes: Axes,
    weights: Weights,
    name: str,
) -> onnx.ModelProto:
    """The graph of a module as it computes on `inputs`, its weights put into `weights`."""
    buffer: Any = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        # That sizes become constants is meant: those that may change are named.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            tuple(inputs.values()),
            buffer,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={key: dict(named) for key, named in axes.items()},
            opset_version=OPSET,
            dynamo=False,
            export_params=False,
            do_constant_folding=False,
        )
    model = onnx.load_from_string(buffer.getvalue())
    graph = model.graph
    held = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    for value in list(graph.input):
        if value.name not in inputs:
            graph.initializer.append(weights.put(value.name, held[value.name]))
            graph.input.remove(value)
    graph.name, model.producer_name, model.producer_version = name, "tempo-edge", ""
    model.ir_version = IR_VERSION
    return model
