"""ONNX Runtime sessions: one place that opens them, with the best provider that works."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from tempo_edge.errors import ProfileError
from tempo_edge.models import provider_plugins
from tempo_edge.models.agreement import TOLERANCE, ComparedSession, Verdict, disagreement
from tempo_edge.models.onnx_runtime import load_onnxruntime, reason
from tempo_edge.models.providers import Chain, Notes, ProviderPlan, plan
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
    compared: bool = True,
) -> Any:
    """An inference session on the best provider, with ``threads`` threads inside an operator.

    A provider that turns out not to work is left for the next one, with a ``RuntimeWarning``; so is
    a plug-in that gives other numbers than the CPU, once the session is run.

    Args:
        shapes: those of the model's inputs; without them TensorRT isn't tried.
        providers: names of those to try; by default what the environment says.
        compared: whether a plug-in is held against the CPU; who does that anyway says False.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
        ProfileError: the environment asks for a provider that there is not, or even the CPU can't
            run the model.
    """
    planned = plan(path, threads, shapes, providers)
    verdicts = _verdicts(path, planned) if compared else {}
    known = {provider: verdict.read() for provider, verdict in verdicts.items()}
    refused = {name: far for name, far in known.items() if far is not None and far > TOLERANCE}
    chain = [link for link in planned.chain if link[0] not in refused]
    session, notes = open_with(path, threads, chain)
    told = [(provider, disagreement(far)) for provider, far in refused.items()]
    for provider, why in (*planned.notes, *told, *notes):
        text = f"{path.name} runs without {provider}: {why}"
        warnings.warn(text, RuntimeWarning, stacklevel=2)
    verdict = verdicts.get(session.get_providers()[0])
    if verdict is None:
        return session
    return ComparedSession(session, partial(open_on_cpu, path, threads), verdict)


def _verdicts(path: Path, planned: ProviderPlan) -> dict[str, Verdict]:
    """The verdicts on a model with the plug-ins of a plan, by ONNX Runtime's names for these."""
    runtime = load_onnxruntime().__version__
    found = {}
    for provider, about in planned.plugins.items():
        with suppress(OSError):  # opening it says so
            device = f"{about.kind} {about.label}"
            found[provider] = Verdict.of(provider, about.version, device, runtime, path)
    return found


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
        head, _ = chain[0]
        is_plugged = provider_plugins.is_plugged(head)
        # Of plug-ins a session takes one, and what it can't run it leaves to the CPU.
        taken = chain[:1] if is_plugged else _without_plugins(chain)
        try:
            options = _options(threads, taken)
            if is_plugged:
                told = {name: str(value) for name, value in taken[0][1].items()}
                options.add_provider_for_devices([provider_plugins.device_for(head)], told)
            # Its own fallback would print, and know nothing of the providers in between.
            session = onnxruntime.InferenceSession(
                str(path), options, providers=None if is_plugged else taken, enable_fallback=0
            )
        except Exception as error:  # whatever a provider may say
            if len(chain) < 2:
                raise ProfileError(f"{path} can't be opened: {reason(error)}") from error
            notes.append((chain[0][0], reason(error)))
            chain = chain[1:]
            continue
        running = session.get_providers()
        notes += [(name, "it couldn't be started") for name, _ in taken if name not in running]
        return session, notes


def _without_plugins(chain: Chain) -> Chain:
    return [link for link in chain if not provider_plugins.is_plugged(link[0])]


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
