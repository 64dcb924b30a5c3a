"""TensorRT engines, built ahead of time and kept with a manifest that says what they are for.

An engine is code for one GPU, driver and TensorRT: it is only to be loaded where it was built, and
only if nobody has touched it since. Networks are strongly typed, in TensorRT 10 as in 11, so that
precision is what the graph says; see :mod:`tempo_export.typed`.
"""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from tempo_edge._system.nvidia import Device, nvidia
from tempo_edge.models.checksum import sha256_of
from tempo_edge.models.engine_cache import EngineOrigin
from tempo_edge.models.shapes import InputShape, Shapes
from tempo_export.files import write_whole
from tempo_export.optimization_profiles import (
    EngineError,
    check_profiles,
    graph_inputs,
    usual_profiles,
)
from tempo_export.tensorrt_api import Config, Parser, TensorRT, TimingCache, load_tensorrt, logger
from tempo_export.trtexec import trtexec_command
from tempo_export.typed import Precision, load_onnx, write_typed

__all__ = [
    "EngineError",
    "EngineFacts",
    "Machine",
    "build_engine",
    "check_engine",
    "manifest_path",
    "this_machine",
]

_WORKSPACE = 1 << 30
_RUNTIME = "tensorrt"


@dataclass(frozen=True)
class Machine:
    """The machine that an engine is for: the GPU, its driver, TensorRT's version."""

    device: Device
    tensorrt: str


@dataclass(frozen=True)
class EngineFacts:
    """The manifest of the engine that it lies beside.

    Attributes:
        engine: name of the engine's file.
        engine_sha256: of its contents.
        key: see :class:`tempo_edge.models.engine_cache.EngineOrigin`, as for all of ``origin``.
        origin: what the engine depends on; its ``model_sha256`` is that of ``source``.
        source: name of the model's file.
        graph, graph_sha256: the file that TensorRT read: the model, typed for ``precision``.
        precision: ``fp32``, ``fp16`` or ``int8``.
        profiles: for each profile and input the least, usual and most of every axis.
        build_seconds: how long TensorRT took.
        command: what builds the same again with TensorRT's own tool, word by word.
    """

    engine: str
    engine_sha256: str
    key: str
    origin: EngineOrigin
    source: str
    graph: str
    graph_sha256: str
    precision: str
    profiles: list[dict[str, list[list[int]]]]
    build_seconds: float
    command: list[str]

    @property
    def shell_line(self) -> str:
        """The command as a shell takes it."""
        return shlex.join(self.command)


def this_machine() -> Machine:
    """The GPU and the TensorRT of this machine.

    Raises:
        MissingExtraError: TensorRT can't be used here.
        EngineError: there is no GPU.
    """
    tensorrt = load_tensorrt()
    try:
        return Machine(nvidia(), str(tensorrt.__version__))
    except OSError as error:
        raise EngineError(
            f"TensorRT needs an NVIDIA GPU and there is none that can be used: {error}; the ONNX "
            f"files run without it"
        ) from error


def build_engine(
    onnx: Path,
    out: Path,
    *,
    precision: Precision = "fp16",
    profiles: Sequence[Shapes] | None = None,
    workspace_bytes: int = _WORKSPACE,
    timing_cache: Path | None = None,
) -> EngineFacts:
    """Build the engine ``out`` from a model, with its manifest and the graph that was read beside.

    Args:
        precision: what it computes in. ``fp16`` types the graph anew; ``int8`` needs one that was
            quantised, with QuantizeLinear and DequantizeLinear nodes.
        profiles: the shapes to build it for; by default those of a search.
        workspace_bytes: memory that it may use while it computes, at most.
        timing_cache: file to read timings from and to write them to, which makes the next build
            shorter; by default ``timing.cache`` beside ``out``.

    Raises:
        MissingExtraError: TensorRT or onnx can't be used here.
        EngineError: the model, its precision and the shapes don't fit, or TensorRT refuses them.
        OSError: a file can't be written.
    """
    machine = this_machine()
    graph = out.with_name(f"{out.stem}.{precision}.onnx")
    shapes = prepare(onnx, graph, precision, profiles)
    timing_cache = timing_cache or out.with_name("timing.cache")
    began = time.perf_counter()
    plan = _plan(load_tensorrt(), graph, shapes, workspace_bytes, timing_cache)
    seconds = time.perf_counter() - began
    command = trtexec_command(graph, out, shapes, workspace_bytes, timing_cache, machine.tensorrt)
    write_whole(out, plan)
    return write_manifest(out, onnx, graph, precision, shapes, machine, seconds, command)


def prepare(
    onnx: Path, graph: Path, precision: Precision, profiles: Sequence[Shapes] | None
) -> list[Shapes]:
    """Write the graph that TensorRT is to read; gives the shapes, which fit it.

    Raises:
        EngineError: they don't, the precision is unknown, or the model isn't quantised for it.
        MissingExtraError: onnx is not installed.
        OSError: the graph can't be written.
    """
    if precision not in get_args(Precision):
        known = ", ".join(get_args(Precision))
        raise EngineError(f"precision {precision!r} must be one of {known}")
    inputs = graph_inputs(onnx)
    shapes = usual_profiles(inputs) if profiles is None else list(profiles)
    check_profiles(inputs, shapes)
    nodes = load_onnx().load(str(onnx), load_external_data=False).graph.node
    quantised = any(node.op_type == "DequantizeLinear" for node in nodes)
    if quantised != (precision == "int8"):
        has = "has" if quantised else "has no"
        allowed = "int8" if quantised else "fp32 or fp16"
        raise EngineError(
            f"{onnx.name} {has} DequantizeLinear nodes: precision {precision!r} must be {allowed}"
        )
    write_typed(onnx, graph, precision)
    return shapes


def _plan(
    tensorrt: TensorRT,
    graph: Path,
    profiles: Sequence[Shapes],
    workspace_bytes: int,
    timing_cache: Path,
) -> bytes:
    """The bytes of an engine."""
    errors: list[str] = []
    log = logger(tensorrt, errors)
    try:
        builder = tensorrt.Builder(log)
    except TypeError as error:  # how its binding says that there was nothing to give
        raise EngineError(f"TensorRT can't start: {'; '.join(errors) or error}") from error
    flag = tensorrt.NetworkDefinitionCreationFlag.STRONGLY_TYPED
    network = builder.create_network(1 << int(flag))
    parser = tensorrt.OnnxParser(network, log)
    if not parser.parse_from_file(str(graph)):
        raise EngineError(parse_error(graph, parser))
    config = builder.create_builder_config()
    config.set_memory_pool_limit(tensorrt.MemoryPoolType.WORKSPACE, workspace_bytes)
    for number, shapes in enumerate(profiles):
        try:
            profile = builder.create_optimization_profile()
            for name, shape in shapes.items():
                profile.set_shape(name, shape.least, shape.usual, shape.most)
            refused = config.add_optimization_profile(profile) < 0
        except (ValueError, RuntimeError) as error:
            errors.append(" ".join(str(error).split()))
            refused = True
        if refused:
            said = "; ".join(errors) or "it is not valid"
            raise EngineError(f"{graph.name}: TensorRT refuses profile {number}: {said}")
    cache = _attach(config, timing_cache)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise EngineError(f"{graph.name}: no engine was built: {'; '.join(errors) or 'no reason'}")
    write_whole(timing_cache, bytes(cache.serialize()))
    return bytes(plan)


def _attach(config: Config, path: Path) -> TimingCache:
    """Let a build use the timings of a file, if they are of this machine; none otherwise."""
    kept = path.read_bytes() if path.is_file() else b""
    cache = config.create_timing_cache(kept)
    if not config.set_timing_cache(cache, False):
        cache = config.create_timing_cache(b"")
        config.set_timing_cache(cache, False)
    return cache


def parse_error(graph: Path, parser: Parser) -> str:
    """The first refusal of a parser, on one line that names the node."""
    if not parser.num_errors:
        return f"{graph.name} can't be parsed"
    error = parser.get_error(0)
    node = f"node {error.node()} {error.node_name()!r} ({error.node_operator()})"
    more = f" (and {parser.num_errors - 1} more)" if parser.num_errors > 1 else ""
    return f"{graph.name}: {node} is refused: {' '.join(error.desc().split())}{more}"


# -- manifests -------------------------------------------------------------------------------------


def manifest_path(engine: Path) -> Path:
    """The path of an engine's manifest."""
    return engine.with_name(f"{engine.name}.json")


def write_manifest(
    engine: Path,
    source: Path,
    graph: Path,
    precision: str,
    profiles: Sequence[Shapes],
    machine: Machine,
    build_seconds: float,
    command: list[str],
) -> EngineFacts:
    """Write what is to be known of an engine that lies there; gives the same.

    Raises:
        OSError: a file can't be read or written.
    """
    origin = EngineOrigin.of(machine.device, machine.tensorrt, _RUNTIME, sha256_of(source))
    told = [{name: _lists(shape) for name, shape in shapes.items()} for shapes in profiles]
    facts = EngineFacts(
        engine=engine.name,
        engine_sha256=sha256_of(engine),
        key=origin.key,
        origin=origin,
        source=source.name,
        graph=graph.name,
        graph_sha256=sha256_of(graph),
        precision=precision,
        profiles=told,
        build_seconds=round(build_seconds, 3),
        command=command,
    )
    text = json.dumps(asdict(facts), indent=2, sort_keys=True) + "\n"
    write_whole(manifest_path(engine), text.encode())
    return facts


def check_engine(
    engine: Path, *, model: Path | None = None, machine: Machine | None = None
) -> EngineFacts:
    """The manifest of an engine, if that is the one that was built, and built for this machine.

    Args:
        model: the ONNX file that it must have been built from, if given.
        machine: what it must have been built for; by default this machine.

    Raises:
        EngineError: it isn't; the text names the engine and what is wrong.
        MissingExtraError: TensorRT can't be used here.
    """
    facts = _read(engine)
    if facts.engine != engine.name:
        raise EngineError(f"{engine} has the manifest of {facts.engine!r}")
    try:
        digest = sha256_of(engine)
        wanted = facts.origin.model_sha256 if model is None else sha256_of(model)
    except OSError as error:
        raise EngineError(f"{engine} can't be checked: {error}") from error
    if digest != facts.engine_sha256:
        raise EngineError(
            f"{engine} was altered: it has SHA-256 {digest}, expected {facts.engine_sha256}"
        )
    if facts.key != facts.origin.key:
        raise EngineError(f"{engine} has an altered manifest: its key isn't that of its origin")
    if facts.origin.model_sha256 != wanted:
        raise EngineError(
            f"{engine} was built from another {facts.source}: that has SHA-256 "
            f"{facts.origin.model_sha256}, {model} has {wanted}"
        )
    machine = machine or this_machine()
    here = EngineOrigin.of(machine.device, machine.tensorrt, _RUNTIME, wanted)
    for name, value in asdict(facts.origin).items():
        if value != (there := getattr(here, name)):
            raise EngineError(
                f"{engine} was built for {name} {value!r}, this machine has {there!r}"
            )
    return facts


def _read(engine: Path) -> EngineFacts:
    path = manifest_path(engine)
    try:
        told: Any = json.loads(path.read_text(encoding="utf-8"))
        facts = EngineFacts(**{**told, "origin": EngineOrigin(**told["origin"])})
        for shapes in facts.profiles:
            for shape in shapes.values():
                InputShape(*(tuple(part) for part in shape))
        return facts
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise EngineError(f"{engine} has no manifest that can be read: {error!r}") from error


def _lists(shape: InputShape) -> list[list[int]]:
    return [list(part) for part in (shape.least, shape.usual, shape.most)]
