"""Which execution providers of ONNX Runtime run a model here, best first, and with which options.

What a build of ONNX Runtime lists is what it was compiled with. Whether a machine has the libraries
and the device is looked at here, before a model is opened.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tempo_edge._extras import install_line, lacking
from tempo_edge.errors import MissingExtraError, ProfileError
from tempo_edge.models import shared_libraries
from tempo_edge.models.device import nvidia
from tempo_edge.models.engine_cache import EngineOrigin, engine_folder
from tempo_edge.models.shapes import Shapes, joined

__all__ = [
    "NAMES",
    "VARIABLE",
    "Chain",
    "Notes",
    "ProviderPlan",
    "Standing",
    "asked",
    "load_onnxruntime",
    "plan",
    "standings",
    "tensorrt_options",
]

#: Names to ask for a provider by, best first, and ONNX Runtime's own.
NAMES = {
    "tensorrt": "TensorrtExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "cpu": "CPUExecutionProvider",
}

#: Environment variable with the names of the providers to try, in that order.
VARIABLE = "TEMPO_EDGE_PROVIDERS"

#: Providers for a session, best first, each with its options.
Chain = list[tuple[str, dict[str, Any]]]

#: Providers that a session does without, each with the reason.
Notes = list[tuple[str, str]]


@dataclass(frozen=True)
class ProviderPlan:
    """Providers to open a session with, and those that are left out beforehand."""

    chain: Chain
    notes: Notes


@dataclass(frozen=True)
class Standing:
    """The standing of a provider on this machine.

    Attributes:
        name: of :data:`NAMES`.
        trouble: why it can't be used; empty if nothing speaks against it.
        mend: a command that would help; often there is none.
        asked: whether it was named by :data:`VARIABLE`.
    """

    name: str
    trouble: str = ""
    mend: str = ""
    asked: bool = False

    @property
    def provider(self) -> str:
        """ONNX Runtime's name for it."""
        return NAMES[self.name]


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


def standings(wanted: Sequence[str] | None = None) -> list[Standing]:
    """The providers in the order of trying, those that can't be used among them; the CPU is last.

    Args:
        wanted: names of those to try; by default what :data:`VARIABLE` says.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
        ProfileError: :data:`VARIABLE` names what there is not.
    """
    available = load_onnxruntime().get_available_providers()
    built = [name for name, provider in NAMES.items() if provider in available]
    told = asked(built) if wanted is None else list(wanted)
    found = []
    for name in told or built:
        trouble, mend = ("", "") if name == "cpu" else _trouble(name)
        found.append(Standing(name, trouble, mend, name in told))
    return found


def plan(
    path: Path, threads: int, shapes: Shapes | None = None, wanted: Sequence[str] | None = None
) -> ProviderPlan:
    """The providers that a session with a model is opened with.

    TensorRT is tried only where the model's ``shapes`` are known.

    Args:
        wanted: names of the providers to try; by default what :data:`VARIABLE` says.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
        ProfileError: :data:`VARIABLE` names what there is not.
    """
    chain: Chain = []
    notes: Notes = []
    for standing in standings(wanted):
        # Every build for NVIDIA lists TensorRT, few machines have it: nobody misses it unasked.
        if standing.trouble and (standing.asked or standing.name != "tensorrt"):
            notes.append((standing.provider, standing.trouble))
        if standing.trouble or (standing.name == "tensorrt" and not shapes):
            continue
        options: dict[str, Any] = {}
        if standing.name == "openvino":
            options = {"device_type": "AUTO", "num_of_threads": threads}
        elif standing.name == "tensorrt" and shapes:
            try:
                options = tensorrt_options(_folder(path), shapes)
            except OSError as error:
                notes.append((standing.provider, f"its engines can't be kept: {error}"))
                continue
        chain.append((standing.provider, options))
    return ProviderPlan(chain, notes)


def tensorrt_options(folder: Path, shapes: Shapes) -> dict[str, Any]:
    """Options for TensorRT with engines that are kept in a folder, for inputs of those shapes.

    See "Execution Provider Options" in ONNX Runtime's page on its TensorRT execution provider.
    Half precision is for TensorRT up to 10; since 11 a network's types are those of its graph.
    """

    def all_of(which: str) -> str:
        return ",".join(f"{name}:{joined(getattr(shape, which))}" for name, shape in shapes.items())

    return {
        "trt_fp16_enable": True,
        "trt_engine_cache_enable": True,
        "trt_engine_cache_path": str(folder),
        "trt_timing_cache_enable": True,
        "trt_timing_cache_path": str(folder),
        "trt_profile_min_shapes": all_of("least"),
        "trt_profile_opt_shapes": all_of("usual"),
        "trt_profile_max_shapes": all_of("most"),
    }


def asked(built: Sequence[str]) -> list[str]:
    """The names in :data:`VARIABLE`, best first and the CPU's last; none if it isn't set.

    Raises:
        ProfileError: one of them isn't among the ``built``, or the CPU's isn't the last.
    """
    told = os.environ.get(VARIABLE, "")
    names = list(dict.fromkeys(part.strip().lower() for part in told.split(",") if part.strip()))
    for name in names:
        if name not in NAMES:
            raise ProfileError(f"{VARIABLE} names {name!r}: it must be of {', '.join(NAMES)}")
        if name not in built:
            raise ProfileError(
                f"{VARIABLE} names {name!r}, which this build of ONNX Runtime lacks: "
                f"it must be of {', '.join(built)}"
            )
    if "cpu" in names[:-1]:
        raise ProfileError(
            f"{VARIABLE} is {told!r}: 'cpu' must be the last, for it runs everything"
        )
    return [*names, "cpu"] if names and "cpu" not in names else names


@functools.cache
def _trouble(name: str) -> tuple[str, str]:
    """The reason why a provider of the build can't be used here, and what would mend it."""
    if name in ("tensorrt", "cuda"):
        try:
            nvidia()
        except OSError as error:
            return f"no usable NVIDIA GPU: {error}", ""
    library = _library(name)
    if not library.is_file():
        # Built in, or of a system whose libraries can't be looked into. Engines are only kept where
        # it is known which TensorRT made them.
        return (f"there is no {library.name}" if name == "tensorrt" else ""), ""
    try:
        lacking = shared_libraries.missing(library, _places())
    except OSError as error:
        return f"{library.name} can't be read: {error}", ""
    return (f"{lacking} can't be loaded", _mend(library, lacking)) if lacking else ("", "")


def _library(name: str) -> Path:
    """The library of a provider, if it isn't built in."""
    return _home() / f"libonnxruntime_providers_{name}.so"


def _home() -> Path:
    return Path(load_onnxruntime().__file__).parent / "capi"


def _places() -> Iterable[Path]:
    """Folders of the wheels that bring the libraries of providers."""
    packages = _home().parents[1]
    yield _home()
    yield from sorted(packages.glob("nvidia/*/lib"))
    yield packages / "tensorrt_libs"


def _mend(library: Path, lacking: str) -> str:
    """The command that brings a library that a provider lacks; often there is none."""
    if not re.match(r"lib(nvinfer|nvonnxparser|cu(?!da\.)|nv)", lacking):
        return ""
    if lacking.startswith(("libnvinfer", "libnvonnxparser")):
        cuda = [
            re.fullmatch(r"libcudart\.so\.(\d+)", name) for name in shared_libraries.needed(library)
        ]
        major = next((found[1] for found in cuda if found), "13")
        return install_line(f"tensorrt-cu{major}=={lacking.rpartition('.')[2]}.*")
    return install_line("onnxruntime-gpu[cuda,cudnn]")


def _folder(path: Path) -> Path:
    """The folder of a model's engines that are valid here."""
    onnxruntime = load_onnxruntime()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    runtime = f"onnxruntime {onnxruntime.__version__}"
    return engine_folder(EngineOrigin.of(nvidia(), _tensorrt_version(), runtime, digest), path)


def _tensorrt_version() -> str:
    """Version of the TensorRT that ONNX Runtime's provider is linked against, once it is loaded."""
    names = shared_libraries.needed(_library("tensorrt"))
    name = next(name for name in names if name.startswith("libnvinfer."))
    library = shared_libraries.load(name, _places())
    try:
        numbers = [
            getattr(library, f"getInferLib{part}Version")()
            for part in ("Major", "Minor", "Patch", "Build")
        ]
    except AttributeError:
        return str(library.getInferLibVersion())  # one number, before they came apart
    return ".".join(map(str, numbers))
