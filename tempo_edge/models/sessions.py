"""ONNX Runtime sessions: one place that picks providers and threads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tempo_edge.errors import MissingExtraError

__all__ = ["cpu_count", "load_onnxruntime", "open_session", "providers"]

# Best first; the first that this build of ONNX Runtime has is used, the CPU always last.
_PREFERRED = ("CUDAExecutionProvider", "CPUExecutionProvider")


def cpu_count() -> int:
    """Cores this process may use, which in a container are fewer than the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load_onnxruntime() -> Any:
    """The ONNX Runtime module.

    Raises:
        MissingExtraError: neither the ``cpu`` nor the ``gpu`` extra is installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError(
            'ONNX Runtime is not installed: pip install "tempo-edge[cpu]" '
            '(or "tempo-edge[gpu]" with an NVIDIA card)'
        ) from error
    return onnxruntime


def providers() -> list[str]:
    """Execution providers that will be tried, best first."""
    available = load_onnxruntime().get_available_providers()
    return [name for name in _PREFERRED if name in available]


def open_session(path: Path, threads: int) -> Any:
    """An inference session on the best provider, with ``threads`` threads inside an operator."""
    onnxruntime = load_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Decoding runs beside the model: a thread that spins while it waits takes its core away.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=providers())
