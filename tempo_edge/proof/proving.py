"""The proof: all of its parts, one after another, within a time that is known beforehand."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tempo_edge.proof.machine import describe, has_card
from tempo_edge.proof.part import FAILED, NOT_RUN, Row, not_run
from tempo_edge.proof.process import part_of, rows_of

__all__ = ["MOST_SECONDS", "MOST_SECONDS_ON_CPU", "PARTS", "Proof", "prove"]

#: The parts in the order in which they run, by name: the module and the class of each.
PARTS: Mapping[str, str] = {
    "clip": "tempo_edge.proof.clip:SampleClip",
    "kernels-cpu": "tempo_edge.proof.kernels:HostKernels",
    "kernels-simulator": "tempo_edge.proof.kernels:SimulatedKernels",
    "kernels-cuda": "tempo_edge.proof.cuda_kernels:CudaKernels",
    "decoder-cpu": "tempo_edge.proof.decoding:ProcessorDecoding",
    "decoder-nvdec": "tempo_edge.proof.decoding:NvdecDecoding",
    "surfaces": "tempo_edge.proof.surfaces:Surfaces",
    "provider-cpu": "tempo_edge.proof.providers:CpuProvider",
    "provider-cuda": "tempo_edge.proof.providers:CudaProvider",
    "faiss-cpu": "tempo_edge.proof.neighbours:CpuNeighbours",
    "faiss-gpu": "tempo_edge.proof.neighbours:GpuNeighbours",
    "indexing": "tempo_edge.proof.indexing:Indexing",
    # The slowest by far: where a card's time runs out, it does so here.
    "engines": "tempo_edge.proof.engines:Engines",
    "provider-tensorrt": "tempo_edge.proof.providers:TensorrtProvider",
    "provider-tensorrt-rtx": "tempo_edge.proof.providers:TensorrtRtxProvider",
}

#: Seconds within which a proof is over, whatever its parts do: with an NVIDIA card, and without.
MOST_SECONDS, MOST_SECONDS_ON_CPU = 570.0, 170.0

# What is too little even to start a part in.
_LEAST_SECONDS = 1.0

#: Version of the JSON, which ``schema.json`` beside this module describes.
_FORMAT = 1


@dataclass(frozen=True)
class Proof:
    """What came of a proof.

    Attributes:
        machine: it in words, and the versions of what ran on it.
        rows: what was held against what, in the order of running.
        seconds: all of it.
    """

    machine: Mapping[str, str]
    rows: tuple[Row, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether nothing has failed; what can't be run here is no failure."""
        return all(row.result != FAILED for row in self.rows)

    def as_dict(self) -> dict[str, Any]:
        """The proof as JSON has it: see ``schema.json``."""
        return {
            "format": _FORMAT,
            "ok": self.ok,
            "machine": dict(self.machine),
            "seconds": round(self.seconds, 1),
            "rows": [row.as_dict() for row in self.rows],
        }


def prove(
    parts: Mapping[str, str] = PARTS,
    say: Callable[[str], None] = lambda line: None,
    *,
    scale: float = 1.0,
    most_seconds: float | None = None,
) -> Proof:
    """Run the parts, each in a process of its own; none that fails ends the others.

    Args:
        parts: see :data:`PARTS`.
        say: is told a line of each part that begins and of each row that has come of it.
        scale: how much of its budget each part is given.
        most_seconds: what all of them may take; those that are left then are not run. By default
            :data:`MOST_SECONDS`, or what that is on the CPU.
    """
    is_on_card = has_card()
    if most_seconds is None:
        most_seconds = MOST_SECONDS if is_on_card else MOST_SECONDS_ON_CPU
    began = time.monotonic()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="tempo-edge-proof-") as scratch:
        for number, (name, place) in enumerate(parts.items(), 1):
            part = part_of(place)
            # Half of what those want that are still to come is kept for them.
            to_come = list(parts.values())[number:]
            kept = 0.5 * scale * sum(_wanted(each, is_on_card) for each in to_come)
            left = most_seconds - (time.monotonic() - began) - kept
            say(f"{number} of {len(parts)}: {name}, {part.what} against {part.against}")
            if left < _LEAST_SECONDS:
                why = f"the {most_seconds:.0f} s of a proof were over"
                row = not_run(part.what, part.against, why)
                found = [Row.of({**row.as_dict(), "part": name})]
            else:
                seconds = min(left, scale * part.budget_seconds)
                found = rows_of(place, seconds, left, Path(scratch))
            for row in found:
                needs = f" (it needs {part.needs})" if row.result == NOT_RUN else ""
                say(f"  {row.result}  {row.what} against {row.against}{_because(row)}{needs}")
            rows += found
    return Proof(describe(), tuple(rows), time.monotonic() - began)


def _wanted(place: str, is_on_card: bool) -> float:
    """Seconds that a part would like to have on this machine."""
    part = part_of(place)
    return part.budget_seconds if is_on_card or not part.on_card else _LEAST_SECONDS


def _because(row: Row) -> str:
    told = [row.why] if row.why else []
    told += [f"cut short: {row.cut_short}"] if row.cut_short else []
    return f": {'; '.join(told)}" if told else f", {row.seconds:.1f} s"
