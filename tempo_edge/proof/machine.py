"""The machine in words: what it is, without its name or any place on it."""

from __future__ import annotations

import datetime
import platform
import re
from importlib.metadata import PackageNotFoundError, version

from tempo_edge._cores import cpu_count
from tempo_edge._system.nvidia import nvidia, why_no_nvidia
from tempo_edge._version import __version__

__all__ = ["PACKAGES", "card", "describe", "has_card", "placeless", "processor"]

#: Packages whose versions say what was proven; only those that are installed are told.
PACKAGES = (
    *("av", "numpy", "numba", "numba-cuda", "PyNvVideoCodec", "onnxruntime", "onnxruntime-gpu"),
    *("faiss-cpu", "faiss-gpu", "faiss-gpu-cu12", "tensorrt-cu12", "tensorrt-cu13", "tensorrt-rtx"),
)

# The folders of a path, and not the last of its names.
_FOLDERS = re.compile(r"""(?<![\w.:/\\])(?:[A-Za-z]:)?[\\/](?:[^\s'":;,()\\/]+[\\/])+""")


def processor() -> str:
    """The processor in words: ``2-core x86_64 CPU``."""
    return f"{cpu_count()}-core {platform.machine()} CPU"


def card() -> str:
    """The NVIDIA card in words, with its driver; why there is none that can be used, otherwise."""
    try:
        found = nvidia()
    except OSError as error:
        return f"none: {placeless(str(error))}"
    return f"{found.name}, compute capability {found.capability}, driver {found.driver}"


def has_card() -> bool:
    """Whether there is an NVIDIA card that can be used."""
    return not why_no_nvidia()


def describe() -> dict[str, str]:
    """Processor, card, versions and the day."""
    facts = {
        "cpu": processor(),
        "gpu": card(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "date": datetime.date.today().isoformat(),
        "tempo-edge": __version__,
    }
    for name in PACKAGES:
        try:
            facts[name] = version(name)
        except PackageNotFoundError:
            continue
    return facts


def placeless(text: str) -> str:
    """A text on one line without the folders of the paths in it, nor the machine's name."""
    shown = _FOLDERS.sub("", " ".join(text.split()))
    host = platform.node()
    return shown.replace(host, "this machine") if len(host) > 2 else shown
