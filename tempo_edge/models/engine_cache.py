"""The cache of engines that were built for this machine, and what they are valid for.

An engine runs on the GPU, with the driver and by the TensorRT that it was built with, and computes
what its model did. A folder of the user's cache holds those of one such combination; its name is a
hash of all of it, so that nothing else can be taken for it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from tempo_edge._files import atomic_write
from tempo_edge._system.nvidia import Device

__all__ = ["EngineOrigin", "engine_folder", "engines_path"]

_ABOUT = "origin.json"


@dataclass(frozen=True)
class EngineOrigin:
    """The facts that an engine depends on.

    Attributes:
        gpu, capability, driver: see :class:`tempo_edge._system.nvidia.Device`.
        tensorrt: TensorRT's version, with all of its four numbers; empty where a plug-in of ONNX
            Runtime builds them.
        runtime: what builds and runs the engine: ``onnxruntime`` with its version, and a plug-in's,
            or ``tensorrt`` where there is nothing between.
        model_sha256: of the ONNX file.
    """

    gpu: str
    capability: str
    driver: str
    tensorrt: str
    runtime: str
    model_sha256: str

    @staticmethod
    def of(device: Device, tensorrt: str, runtime: str, model_sha256: str) -> EngineOrigin:
        """The origin of an engine for a device."""
        return EngineOrigin(
            device.name, device.capability, device.driver, tensorrt, runtime, model_sha256
        )

    @property
    def key(self) -> str:
        """32 hexadecimal digits that change with any of it."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def engines_path(builder: str = "tensorrt") -> Path:
    """The folder of all engines of a builder; it need not exist."""
    from platformdirs import user_cache_path

    return user_cache_path("tempo-edge") / builder


def engine_folder(origin: EngineOrigin, model: Path, builder: str = "tensorrt") -> Path:
    """The folder for the engines of that origin, made if it isn't there.

    Older ones of the same model go: those built from other contents of the file ``model``, or from
    the same contents for another driver or version. Those for another GPU stay, for a machine may
    have two.

    Raises:
        OSError: the folder can't be made.
    """
    folder = engines_path(builder) / origin.key
    folder.mkdir(parents=True, exist_ok=True)
    about = {**asdict(origin), "model": str(model.resolve())}
    with atomic_write(folder / _ABOUT) as draft:
        draft.write_text(json.dumps(about, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for other in folder.parent.glob(f"*/{_ABOUT}"):
        if other.parent != folder and _is_stale(other, about):
            shutil.rmtree(other.parent, ignore_errors=True)
    return folder


def _is_stale(other: Path, about: dict[str, str]) -> bool:
    """Whether a folder's engines are older ones of the model that is described."""
    kept: object = None
    with suppress(OSError, ValueError):
        kept = json.loads(other.read_text(encoding="utf-8"))
    if not isinstance(kept, dict):
        return False  # whatever that is, it isn't ours to remove
    same = any(kept.get(name) == about[name] for name in ("model", "model_sha256"))
    return same and all(kept.get(name) == about[name] for name in ("gpu", "capability"))
