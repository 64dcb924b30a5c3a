"""ONNX Runtime itself, which an extra brings."""

from __future__ import annotations

from typing import Any

from tempo_edge._extras import lacking
from tempo_edge.errors import MissingExtraError

__all__ = ["load_onnxruntime", "reason"]


def load_onnxruntime() -> Any:
    """The ONNX Runtime module.

    Raises:
        MissingExtraError: neither the ``cpu`` nor the ``gpu`` extra is installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError(lacking("onnxruntime")) from error
    return onnxruntime


def reason(error: BaseException) -> str:
    """The text of an error, on one line: ONNX Runtime's have several."""
    return " ".join(str(error).split()) or type(error).__name__
