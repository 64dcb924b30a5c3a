"""The part of TensorRT's Python interface that parsing and building need.

Names and signatures are those of the wheels of TensorRT 10.16.1 and 11.4.0, which bring no type
stubs; those of TensorRT for RTX 1.7 are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast

from tempo_edge._extras import install_line
from tempo_edge.errors import MissingExtraError

__all__ = [
    "VERSIONS",
    "Builder",
    "Config",
    "Network",
    "Parser",
    "ParserError",
    "TensorRT",
    "load_tensorrt",
    "logger",
]

#: The major versions that are known here.
VERSIONS = (10, 11)


class ParserError(Protocol):
    """The reason why a node can't be part of a network."""

    def code(self) -> Any: ...
    def desc(self) -> str: ...
    def local_function_stack(self) -> list[str]: ...
    def node(self) -> int: ...
    def node_name(self) -> str: ...
    def node_operator(self) -> str: ...


class Parser(Protocol):
    """Reads ONNX into a network."""

    num_errors: int

    def parse_from_file(self, model: str) -> bool: ...
    def get_error(self, index: int) -> ParserError: ...


class Network(Protocol):
    """A network that is not yet an engine."""


class OptimizationProfile(Protocol):
    """The shapes that an engine is built for."""

    def set_shape(
        self, input: str, min: Sequence[int], opt: Sequence[int], max: Sequence[int]
    ) -> None: ...
    def __bool__(self) -> bool: ...


class TimingCache(Protocol):
    """The time that each way of computing a layer took."""

    def serialize(self) -> bytes: ...


class Config(Protocol):
    """The settings of a build."""

    def set_memory_pool_limit(self, pool: Any, pool_size: int) -> None: ...
    def add_optimization_profile(self, profile: OptimizationProfile) -> int: ...
    def create_timing_cache(self, serialized_timing_cache: bytes) -> TimingCache: ...
    def set_timing_cache(self, cache: TimingCache, ignore_mismatch: bool) -> bool: ...


class Builder(Protocol):
    """Builds engines."""

    def create_network(self, flags: int) -> Network: ...
    def create_builder_config(self) -> Config: ...
    def create_optimization_profile(self) -> OptimizationProfile: ...
    def build_serialized_network(self, network: Network, config: Config) -> bytes | None: ...


class TensorRT(Protocol):
    """The module ``tensorrt``."""

    __version__: str
    ILogger: Any
    MemoryPoolType: Any
    NetworkDefinitionCreationFlag: Any

    def Builder(self, logger: Any) -> Builder: ...  # noqa: N802
    def OnnxParser(self, network: Network, logger: Any) -> Parser: ...  # noqa: N802


def load_tensorrt() -> TensorRT:
    """The module ``tensorrt``.

    Raises:
        MissingExtraError: it is not installed, its libraries can't be loaded, or it is of a version
            that isn't known here.
    """
    instead = "the ONNX files run without it, on CUDA or the CPU"
    try:
        import tensorrt  # type: ignore[import-not-found, unused-ignore]
    except Exception as error:  # also a library that is missing, or what its setup may say
        reason = " ".join(str(error).split()) or type(error).__name__
        raise MissingExtraError(
            f"TensorRT can't be used ({reason}): {install_line('tensorrt')}, on a machine with an "
            f"NVIDIA GPU; {instead}"
        ) from error
    version = str(tensorrt.__version__)
    if not version.partition(".")[0].isdigit() or int(version.partition(".")[0]) not in VERSIONS:
        known = " or ".join(map(str, VERSIONS))
        raise MissingExtraError(f"TensorRT {version} must be of version {known}; {instead}")
    return cast(TensorRT, tensorrt)


def logger(tensorrt: TensorRT, errors: list[str]) -> Any:
    """A logger that collects errors in a list and prints nothing."""

    def begin(self: Any) -> None:
        tensorrt.ILogger.__init__(self)

    def log(self: Any, severity: Any, message: str) -> None:
        if severity in (tensorrt.ILogger.INTERNAL_ERROR, tensorrt.ILogger.ERROR):
            errors.append(" ".join(message.split()))

    return type("Collected", (tensorrt.ILogger,), {"__init__": begin, "log": log})()
