"""The machine that a figure was measured on, said the same way by every benchmark."""

from __future__ import annotations

import datetime
import platform
import sys
from typing import Any

from benchmarks.usage import of_children, own
from tempo_edge.proof.machine import processor

__all__ = ["describe", "peak_megabytes"]


def describe() -> dict[str, Any]:
    """Machine, interpreter and date."""
    return {
        "machine": processor(),
        "python": platform.python_version(),
        "date": datetime.date.today().isoformat(),
        "command": " ".join(["python -m", _module(), *sys.argv[1:]]),
    }


def peak_megabytes() -> float:
    """Largest resident size of this process and of its finished children so far, in MB."""
    return max(own().peak_kilobytes, of_children().peak_kilobytes) / 1024.0


def _module() -> str:
    spec = sys.modules["__main__"].__spec__
    name = spec.name if spec is not None else "?"
    return name.removesuffix(".__main__")
