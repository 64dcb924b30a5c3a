"""The NVIDIA GPU of this machine, asked of its driver with no other library."""

from __future__ import annotations

import ctypes
import functools
import sys
from dataclasses import dataclass

__all__ = ["Device", "nvidia", "why_no_nvidia"]

_DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
_MANAGEMENT = "nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1"

# CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR of the CUDA driver API.
_MAJOR, _MINOR = 75, 76


@dataclass(frozen=True)
class Device:
    """A GPU and its driver.

    Attributes:
        name: as its maker calls it.
        capability: its compute capability, such as ``8.9``.
        driver: the driver's release and the CUDA version that it speaks.
    """

    name: str
    capability: str
    driver: str


@functools.cache
def nvidia() -> Device:
    """The first GPU that this process may use.

    Raises:
        OSError: there is no driver, or no GPU that it may use; the text says which.
    """
    # The driver's own interface honours CUDA_VISIBLE_DEVICES, as ONNX Runtime does, and a Jetson
    # has it too.
    driver = ctypes.CDLL(_DRIVER)
    _ask(driver, "cuInit", 0)
    handle = ctypes.c_int()
    _ask(driver, "cuDeviceGet", ctypes.byref(handle), 0)
    name = ctypes.create_string_buffer(256)
    _ask(driver, "cuDeviceGetName", name, len(name), handle)
    level = []
    for attribute in (_MAJOR, _MINOR):
        value = ctypes.c_int()
        _ask(driver, "cuDeviceGetAttribute", ctypes.byref(value), attribute, handle)
        level.append(str(value.value))
    spoken = ctypes.c_int()
    _ask(driver, "cuDriverGetVersion", ctypes.byref(spoken))
    cuda = f"CUDA {spoken.value // 1000}.{spoken.value % 1000 // 10}"
    return Device(
        name.value.decode("utf-8", "replace"), ".".join(level), f"{_release()}, {cuda}".lstrip(", ")
    )


def why_no_nvidia() -> str:
    """The reason why no NVIDIA GPU can be used here, in one clause; empty where one can."""
    try:
        nvidia()
    except OSError as error:
        return f"no usable NVIDIA GPU: {error}"
    return ""


def _ask(driver: ctypes.CDLL, function: str, *arguments: object) -> None:
    status = getattr(driver, function)(*arguments)
    if status:
        text = ctypes.c_char_p()
        driver.cuGetErrorString(status, ctypes.byref(text))
        raise OSError(f"{function} says {(text.value or str(status).encode()).decode()!r}")


def _release() -> str:
    """The driver's release; empty where it has no management library, as on some Jetsons."""
    try:
        management = ctypes.CDLL(_MANAGEMENT)
        text = ctypes.create_string_buffer(80)
        if management.nvmlInit_v2():
            return ""
        found = management.nvmlSystemGetDriverVersion(text, len(text)) == 0
        management.nvmlShutdown()
    except (OSError, AttributeError):
        return ""
    return text.value.decode("ascii", "replace") if found else ""
