"""Which execution providers of ONNX Runtime run a model here, best first, and with which options.

What a build of ONNX Runtime lists is what it was compiled with; packages of their own bring others.
Whether a machine has the libraries and the device is looked at here, before a model is opened.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tempo_edge._extras import install_line, lacking
from tempo_edge._system.nvidia import Device, nvidia, why_no_nvidia
from tempo_edge.errors import ProfileError
from tempo_edge.models import provider_plugins, shared_libraries
from tempo_edge.models.checksum import sha256_of
from tempo_edge.models.engine_cache import EngineOrigin, engine_folder
from tempo_edge.models.onnx_runtime import load_onnxruntime
from tempo_edge.models.provider_plugins import PLUGINS, Loaded
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
    "openvino_options",
    "plan",
    "standings",
    "tensorrt_options",
    "tensorrt_rtx_options",
]

#: Names to ask for a provider by, best first, and ONNX Runtime's own.
NAMES = {
    "tensorrt": "TensorrtExecutionProvider",
    "tensorrt-rtx": PLUGINS["tensorrt-rtx"].provider,
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "openvino": PLUGINS["openvino"].provider,
    "webgpu": PLUGINS["webgpu"].provider,
    "cpu": "CPUExecutionProvider",
}

# Those that build engines, for inputs of shapes that are known.
_ENGINES = ("tensorrt", "tensorrt-rtx")

#: Environment variable with the names of the providers to try, in that order.
VARIABLE = "TEMPO_EDGE_PROVIDERS"

#: Providers for a session, best first, each with its options.
Chain = list[tuple[str, dict[str, Any]]]

#: Providers that a session does without, each with the reason.
Notes = list[tuple[str, str]]


@dataclass(frozen=True)
class ProviderPlan:
    """Providers to open a session with, and those that are left out beforehand.

    ``plugins`` has what was loaded of those in the chain that are plug-ins, by their names there.
    """

    chain: Chain
    notes: Notes
    plugins: dict[str, Loaded] = field(default_factory=dict)


@dataclass(frozen=True)
class Standing:
    """The standing of a provider on this machine.

    Attributes:
        name: of :data:`NAMES`.
        trouble: why it can't be used; empty if nothing speaks against it.
        mend: a command that would help; often there is none.
        asked: whether it was named by :data:`VARIABLE`.
        plugin: what brings it, where this ONNX Runtime was not built with it.
    """

    name: str
    trouble: str = ""
    mend: str = ""
    asked: bool = False
    plugin: Loaded | None = None

    @property
    def provider(self) -> str:
        """ONNX Runtime's name for it."""
        return NAMES[self.name]


def standings(wanted: Sequence[str] | None = None) -> list[Standing]:
    """The providers in the order of trying, those that can't be used among them; the CPU is last.

    Args:
        wanted: names of those to try; by default what :data:`VARIABLE` says.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
        ProfileError: :data:`VARIABLE` names what there is not.
    """
    built = _built()
    there = [name for name in NAMES if name in built or provider_plugins.is_installed(name)]
    told = asked(there) if wanted is None else list(wanted)
    return [_standing(name, name in built, name in told) for name in told or there]


def _built() -> list[str]:
    """The names of what this ONNX Runtime was built with; it lists what was plugged in as well."""
    available = load_onnxruntime().get_available_providers()
    return [
        name
        for name, provider in NAMES.items()
        if provider in available and not (name in PLUGINS and provider_plugins.is_plugged(provider))
    ]


def _standing(name: str, is_built: bool, is_asked: bool) -> Standing:
    if name == "cpu":
        return Standing(name, asked=is_asked)
    if is_built or name not in PLUGINS:
        return Standing(name, *_trouble(name), is_asked)
    loaded = provider_plugins.load(name)
    trouble = loaded.trouble
    if loaded.kind == "CPU" and not is_asked:
        # There OpenVINO takes several times as long as ONNX Runtime by itself.
        trouble = f"it has only the CPU here: {VARIABLE}={name} tries it"
    return Standing(name, trouble, loaded.mend, is_asked, loaded)


def plan(
    path: Path, threads: int, shapes: Shapes | None = None, wanted: Sequence[str] | None = None
) -> ProviderPlan:
    """The providers that a session with a model is opened with.

    TensorRT, and that for RTX, are tried only where the model's ``shapes`` are known.

    Args:
        wanted: names of the providers to try; by default what :data:`VARIABLE` says.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
        ProfileError: :data:`VARIABLE` names what there is not.
    """
    chain: Chain = []
    notes: Notes = []
    plugins = {}
    for standing in standings(wanted):
        if standing.trouble:
            # Every build for NVIDIA lists TensorRT, few machines have it, and a plug-in may lie
            # there for another machine's sake: nobody misses them unasked.
            if standing.asked or not (standing.name == "tensorrt" or standing.plugin):
                notes.append((standing.provider, standing.trouble))
            continue
        if standing.name in _ENGINES and not shapes:
            continue
        try:
            chain.append((standing.provider, _options(standing, path, threads, shapes or {})))
        except OSError as error:
            notes.append((standing.provider, f"its engines can't be kept: {error}"))
            continue
        if standing.plugin is not None:
            plugins[standing.provider] = standing.plugin
    return ProviderPlan(chain, notes, plugins)


def _options(standing: Standing, path: Path, threads: int, shapes: Shapes) -> dict[str, Any]:
    """The options of a provider for a model.

    Raises:
        OSError: it builds engines, and they can't be kept.
    """
    if standing.name == "tensorrt":
        return tensorrt_options(_folder(path), shapes)
    if standing.plugin is None:
        if standing.name == "openvino":
            return {"device_type": "AUTO", "num_of_threads": threads}
        return {}
    if standing.name == "tensorrt-rtx":
        return tensorrt_rtx_options(_plugin_folder(standing, path), shapes)
    if standing.name == "openvino":
        return openvino_options(standing.plugin.kind, _plugin_folder(standing, path), threads)
    return {}


def tensorrt_options(folder: Path, shapes: Shapes) -> dict[str, Any]:
    """Options for TensorRT with engines that are kept in a folder, for inputs of those shapes.

    See "Execution Provider Options" in ONNX Runtime's page on its TensorRT execution provider.
    Half precision is for TensorRT up to 10; since 11 a network's types are those of its graph.
    """
    return {
        "trt_fp16_enable": True,
        "trt_engine_cache_enable": True,
        "trt_engine_cache_path": str(folder),
        "trt_timing_cache_enable": True,
        "trt_timing_cache_path": str(folder),
        "trt_profile_min_shapes": _all_of(shapes, "least"),
        "trt_profile_opt_shapes": _all_of(shapes, "usual"),
        "trt_profile_max_shapes": _all_of(shapes, "most"),
    }


def tensorrt_rtx_options(folder: Path, shapes: Shapes) -> dict[str, Any]:
    """Options for TensorRT for RTX, as ``tensorrt_rtx_provider_options.h`` of its package has them.

    A network's types are always those of its graph: there is no flag for half precision.
    """
    return {
        "nv_runtime_cache_path": str(folder),
        "nv_profile_min_shapes": _all_of(shapes, "least"),
        "nv_profile_opt_shapes": _all_of(shapes, "usual"),
        "nv_profile_max_shapes": _all_of(shapes, "most"),
    }


def openvino_options(kind: str, folder: Path, threads: int) -> dict[str, Any]:
    """Options for OpenVINO's plug-in, with what it compiles kept in a folder.

    A card computes in half precision. On a CPU that has one it would take bfloat16, whose vectors
    are further from the CPU's own than is allowed.

    Args:
        kind: of the device: ``GPU``, ``NPU`` or ``CPU``.
    """
    facts: dict[str, Any] = {"CACHE_DIR": str(folder)}
    if kind == "CPU":
        facts |= {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads}
    return {"load_config": json.dumps({kind: facts})}


def _all_of(shapes: Shapes, which: str) -> str:
    """One of the three shapes of every input, as TensorRT's providers read them."""
    return ",".join(f"{name}:{joined(getattr(shape, which))}" for name, shape in shapes.items())


def asked(there: Sequence[str]) -> list[str]:
    """The names in :data:`VARIABLE`, best first and the CPU's last; none if it isn't set.

    Raises:
        ProfileError: one of them isn't among those that are ``there``, or the CPU's isn't the last.
    """
    told = os.environ.get(VARIABLE, "")
    names = list(dict.fromkeys(part.strip().lower() for part in told.split(",") if part.strip()))
    for name in names:
        if name not in NAMES:
            raise ProfileError(f"{VARIABLE} names {name!r}: it must be of {', '.join(NAMES)}")
        if name not in there:
            lacked = "this build of ONNX Runtime lacks"
            if name in PLUGINS:
                lacked = f"is absent ({lacking(PLUGINS[name].module)})"
            raise ProfileError(
                f"{VARIABLE} names {name!r}, which {lacked}: it must be of {', '.join(there)}"
            )
    if "cpu" in names[:-1]:
        raise ProfileError(
            f"{VARIABLE} is {told!r}: 'cpu' must be the last, for it runs everything"
        )
    return [*names, "cpu"] if names and "cpu" not in names else names


@functools.cache
def _trouble(name: str) -> tuple[str, str]:
    """The reason why a provider of the build can't be used here, and what would mend it."""
    if name in ("tensorrt", "cuda") and (why := why_no_nvidia()):
        return why, ""
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
    runtime = f"onnxruntime {onnxruntime.__version__}"
    origin = EngineOrigin.of(nvidia(), _tensorrt_version(), runtime, sha256_of(path))
    return engine_folder(origin, path)


def _plugin_folder(standing: Standing, path: Path) -> Path:
    """The folder of what a plug-in built of a model and that is valid here."""
    about = standing.plugin
    assert about is not None
    is_nvidia = standing.name == "tensorrt-rtx"
    device = nvidia() if is_nvidia else Device(about.label, about.architecture, "")
    onnxruntime = load_onnxruntime()
    runtime = f"onnxruntime {onnxruntime.__version__}, {standing.provider} {about.version}"
    origin = EngineOrigin.of(device, "", runtime, sha256_of(path))
    return engine_folder(origin, path, standing.name)


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
