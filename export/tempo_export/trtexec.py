"""The command that builds an engine with TensorRT's own tool."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tempo_edge.models.shapes import Shapes, joined

__all__ = ["trtexec_command"]


def trtexec_command(
    graph: Path,
    out: Path,
    profiles: Sequence[Shapes],
    workspace_bytes: int,
    timing_cache: Path,
    version: str,
) -> list[str]:
    """The words of a command that builds such an engine with TensorRT's own ``trtexec``."""
    words = ["trtexec", f"--onnx={graph}", f"--saveEngine={out}"]
    if version.startswith("10."):
        words.append("--stronglyTyped")  # from 11 on there is nothing else
    words += [
        f"--memPoolSize=workspace:{workspace_bytes >> 20}M",
        f"--timingCacheFile={timing_cache}",
        "--skipInference",
    ]
    for number, shapes in enumerate(profiles):
        words += [f"--profile={number}"] if len(profiles) > 1 else []
        for option, which in (("min", "least"), ("opt", "usual"), ("max", "most")):
            told = ",".join(f"{name}:{joined(getattr(s, which))}" for name, s in shapes.items())
            words.append(f"--{option}Shapes={told}")
    return words
