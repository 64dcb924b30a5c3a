"""Execution providers that come in packages of their own: ONNX Runtime loads them while it runs.

Such a package beside any build of ONNX Runtime, the one for the CPU too, brings another maker's
devices to it. It is loaded when a model is opened and not before, once in a process, and what keeps
it from being used is a line and no error.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from tempo_edge._extras import install_line
from tempo_edge._system.nvidia import why_no_nvidia
from tempo_edge.models import shared_libraries
from tempo_edge.models.onnx_runtime import load_onnxruntime, reason

__all__ = ["PLUGINS", "Loaded", "Plugin", "device_for", "is_installed", "is_plugged", "load"]

# Kinds of devices, best first.
_KINDS = ("GPU", "NPU", "CPU")

_VULKAN = "libvulkan.so.1"


def _nvidia_is_lacking() -> tuple[str, str]:
    """The reason why there is no NVIDIA GPU, and what mends it: nothing does."""
    return why_no_nvidia(), ""


def _vulkan_is_lacking() -> tuple[str, str]:
    """The reason why there is no Vulkan, by which Linux reaches a card, and what mends it."""
    if sys.platform == "linux":
        try:
            shared_libraries.load(_VULKAN, ())
        except OSError as error:
            return f"{_VULKAN} can't be loaded: {error}", "apt install libvulkan1"
    return "", ""


def _nothing_is_lacking() -> tuple[str, str]:
    return "", ""


@dataclass(frozen=True)
class Plugin:
    """A package with an execution provider.

    Attributes:
        provider: ONNX Runtime's name for what it brings.
        module: what is imported of it, and ``distribution``: how pip calls it.
        lacking: says what the machine lacks for it, and what would mend that; looked at before
            anything of the package is.
    """

    provider: str
    module: str
    distribution: str
    lacking: Callable[[], tuple[str, str]] = _nothing_is_lacking


#: Those that are known, by the names that they are asked for by.
PLUGINS = {
    "tensorrt-rtx": Plugin(
        "NvTensorRTRTXExecutionProvider",
        "onnxruntime_ep_nv_tensorrt_rtx",
        "onnxruntime-ep-nv-tensorrt-rtx-cu13",
        # To import it is to map 300 MB, and to write links beside them.
        _nvidia_is_lacking,
    ),
    "openvino": Plugin(
        "OpenVINOExecutionProvider", "onnxruntime_ep_openvino", "onnxruntime-ep-openvino"
    ),
    "webgpu": Plugin(
        "WebGpuExecutionProvider",
        "onnxruntime_ep_webgpu",
        "onnxruntime-ep-webgpu",
        _vulkan_is_lacking,
    ),
}


@dataclass(frozen=True)
class Loaded:
    """A plug-in in this process: its best device, or why it has none.

    Attributes:
        trouble, mend: why it can't be used and a command that would help; empty if it can.
        kind: of its device: ``GPU``, ``NPU`` or ``CPU``.
        label: the device as people know it.
        version: the package's.
        architecture: of the device, where the plug-in tells.
    """

    trouble: str = ""
    mend: str = ""
    kind: str = ""
    label: str = ""
    version: str = ""
    architecture: str = ""


# One registry for a process, as ONNX Runtime has: a library can't be registered in it twice.
_lock = threading.Lock()
_loaded: dict[str, Loaded] = {}


def is_installed(name: str) -> bool:
    """Whether the package of a plug-in is here; nothing of it is read."""
    return name in PLUGINS and importlib.util.find_spec(PLUGINS[name].module) is not None


def load(name: str) -> Loaded:
    """The plug-in of that name, given to ONNX Runtime if that wasn't done yet in this process.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
    """
    with _lock:
        if name not in _loaded:
            _loaded[name] = _load(PLUGINS[name])
        return _loaded[name]


def is_plugged(provider: str) -> bool:
    """Whether ONNX Runtime has a provider from a plug-in, and not because it was built with it."""
    return bool(_devices(provider))


def device_for(provider: str) -> Any:
    """The device that a session of a plug-in's provider is opened for; None if there is none."""
    return next(iter(_devices(provider)), None)


def _load(plugin: Plugin) -> Loaded:
    onnxruntime = load_onnxruntime()
    if not hasattr(onnxruntime, "register_execution_provider_library"):
        known = f"ONNX Runtime {onnxruntime.__version__} knows no plug-ins, 1.24 and later do"
        return Loaded(known, install_line("--upgrade onnxruntime"))
    trouble, mend = plugin.lacking()
    if trouble:
        return Loaded(trouble, mend)
    if not _devices(plugin.provider):  # somebody else in this process may have registered it
        try:
            library = _library(plugin)
        except Exception as error:  # whatever a package may say
            again = install_line(f"--force-reinstall --no-deps {plugin.distribution}")
            return Loaded(f"{plugin.module} brings no library: {reason(error)}", again)
        try:
            onnxruntime.register_execution_provider_library(plugin.provider, library)
        except Exception as error:  # or a library of another time or machine
            return Loaded(f"ONNX Runtime doesn't take its library: {reason(error)}")
    device = device_for(plugin.provider)
    if device is None:
        return Loaded("it finds no device here")
    facts = dict(device.ep_metadata)
    return Loaded(
        kind=_kind(device),
        label=facts.get("FULL_DEVICE_NAME") or f"{device.device.vendor} {_kind(device)}".strip(),
        version=_version(plugin),
        architecture=facts.get("DEVICE_ARCHITECTURE", ""),
    )


def _library(plugin: Plugin) -> str:
    with _environment_kept():
        return str(importlib.import_module(plugin.module).get_library_path())


@contextmanager
def _environment_kept() -> Iterator[None]:
    """A block after which the environment is what it was.

    NVIDIA's package puts its folder before those where each program finds its libraries, which is
    too late for this process and would be wrong for those that it starts.
    """
    before = os.environ.get("LD_LIBRARY_PATH")
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("LD_LIBRARY_PATH", None)
        else:
            os.environ["LD_LIBRARY_PATH"] = before


def _version(plugin: Plugin) -> str:
    try:
        return version(plugin.distribution)
    except PackageNotFoundError:  # unpacked by hand
        return "unknown"


def _devices(provider: str) -> list[Any]:
    """The devices of a plug-in's provider that ONNX Runtime knows by now, best first."""
    onnxruntime = load_onnxruntime()
    if not hasattr(onnxruntime, "get_ep_devices"):
        return []
    found = [
        each
        for each in onnxruntime.get_ep_devices()
        if each.ep_name == provider and "library_path" in each.ep_metadata
    ]
    return sorted(found, key=_rank)


def _rank(device: Any) -> tuple[int, bool]:
    """The place of a device among others: by its kind, a card of its own before what shares."""
    kind = _kind(device)
    apart = (
        device.ep_metadata.get("DEVICE_TYPE") == "discrete"
        or device.device.metadata.get("Discrete") == "1"
    )
    return _KINDS.index(kind) if kind in _KINDS else len(_KINDS), not apart


def _kind(device: Any) -> str:
    return str(device.device.type.name)
