"""ONNX Runtime sessions: one place that opens them, with the best provider that works."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tempo_edge.errors import ProfileError
from tempo_edge.models.providers import Chain, Notes, load_onnxruntime, plan
from tempo_edge.models.shapes import Shapes

__all__ = [
    "Opener",
    "load_onnxruntime",
    "open_on_cpu",
    "open_session",
    "separate_weights",
]

# How ONNX Runtime calls weights that lie apart from the graph that it writes.
_EXTERNAL = "session.optimized_model_external_initializers"

#: What opens a model: its file, threads inside an operator, shapes of its inputs.
Opener = Callable[[Path, int, "Shapes | None"], Any]


def open_session(
    path: Path,
    threads: int,
    shapes: Shapes | None = None,
    providers: Sequence[str] | None = None,
) -> Any:
    """An inference session on the best provider, with ``threads`` threads inside an operator.

    A provider that turns out not to work is left for the next one, with a ``RuntimeWarning``.

    Args:
        shapes: those of the model's inputs; without them TensorRT isn't tried.
        providers: names of those to try; by default what the environment says.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
        ProfileError: the environment asks for a provider that there is not, or even the CPU can't
            run the model.
    """
    planned = plan(path, threads, shapes, providers)
    session, notes = open_with(path, threads, planned.chain)
    for provider, reason in (*planned.notes, *notes):
        text = f"{path.name} runs without {provider}: {reason}"
        warnings.warn(text, RuntimeWarning, stacklevel=2)
    return session


def open_on_cpu(path: Path, threads: int, shapes: Shapes | None = None) -> Any:
    """An inference session on the CPU, which runs every model that can be run.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
        ProfileError: it can't run this one.
    """
    return open_with(path, threads, [("CPUExecutionProvider", {})])[0]


def open_with(path: Path, threads: int, chain: Chain) -> tuple[Any, Notes]:
    """A session on the first of these providers that works, and why those before it don't.

    Raises:
        ProfileError: none does.
    """
    onnxruntime = load_onnxruntime()
    notes: Notes = []
    while True:
        try:
            # Its own fallback would print, and know nothing of the providers in between.
            session = onnxruntime.InferenceSession(
                str(path), _options(threads, chain), providers=chain, enable_fallback=0
            )
        except Exception as error:  # whatever a provider may say
            if len(chain) < 2:
                raise ProfileError(f"{path} can't be opened: {_short(error)}") from error
            notes.append((chain[0][0], _short(error)))
            chain = chain[1:]
            continue
        running = session.get_providers()
        notes += [(name, "it couldn't be started") for name, _ in chain if name not in running]
        return session, notes


def separate_weights(path: Path, target: Path) -> bool:
    """Write a model as ``target``, with its weights in ``target`` and ``.data``; gives whether.

    A session maps weights that lie apart, and copies those that don't: it opens six times as fast,
    and takes a third of the memory. The graph stays as it is. Where this ONNX Runtime can't do it
    nothing is left.
    """
    onnxruntime = load_onnxruntime()
    options = _options(1, [])
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.optimized_model_filepath = str(target)
    beside = target.with_name(f"{target.name}.data")
    options.add_session_config_entry(f"{_EXTERNAL}_file_name", beside.name)
    options.add_session_config_entry(f"{_EXTERNAL}_min_size_in_bytes", "1024")
    with suppress(Exception):  # whatever a release says that doesn't know of it
        onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        if target.exists() and beside.exists():
            return True
    target.unlink(missing_ok=True)
    beside.unlink(missing_ok=True)
    return False


def _options(threads: int, chain: Chain) -> Any:
    options = load_onnxruntime().SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Decoding runs beside the model: a thread that spins while it waits takes its core away.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    if any(name == "DmlExecutionProvider" for name, _ in chain):
        options.enable_mem_pattern = False  # which DirectML can't work with
    return options


def _short(error: BaseException) -> str:
    """The text of an error, on one line."""
    return " ".join(str(error).split()) or type(error).__name__
