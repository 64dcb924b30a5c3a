"""ONNX files: read whole, written so that no size is too large, and what they say of themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tempo_edge.errors import ExportError

__all__ = ["IR_VERSION", "OPSET", "read_graph", "versions", "write_graph"]

#: What is written: both are taken by ONNX Runtime 1.16 and later, and by TensorRT 10.
OPSET, IR_VERSION = 18, 9

# A message of protocol buffers must stay below 2 GiB; weights beyond that lie beside it.
_LARGEST = (1 << 31) - (64 << 20)


def read_graph(path: Path) -> Any:
    """The model of a file, with the weights that lie beside it.

    Raises:
        ExportError: the file can't be read, or holds no ONNX graph.
    """
    import onnx

    try:
        return onnx.load(path)
    except Exception as error:  # of protocol buffers, which has its own for each implementation
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ExportError(f"{path} can't be read as an ONNX graph: {reason}") from error


def write_graph(model: Any, path: Path) -> None:
    """Check a model and write it; weights too large for one file go to ``<name>.data``."""
    import onnx

    model.ir_version = min(model.ir_version, IR_VERSION)
    large = model.ByteSize() >= _LARGEST
    onnx.save_model(
        model,
        path,
        save_as_external_data=large,
        location=f"{path.name}.data",
        size_threshold=1024,
    )
    onnx.checker.check_model(str(path))


def versions(path: Path) -> dict[str, int]:
    """The opset and the IR version of a file, as a manifest records them."""
    import onnx

    model = onnx.load(path, load_external_data=False)
    opset = next(each.version for each in model.opset_import if each.domain in ("", "ai.onnx"))
    return {"opset": opset, "ir_version": model.ir_version}
