"""The CUDA kernels on a card: their integers, their registers, their share of its memory's pace.

Times are the device's own, between two of its events, with as many launches in between as hide what
a launch costs. Bytes moved are those that must be: each picture of a stack is read once.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from tempo_kernels import conformance, native
from tempo_kernels.conformance import Case, noise

from tempo_edge.proof.attempt import attempt
from tempo_edge.proof.bandwidth import BLOCK, SIZES, THUMBNAIL
from tempo_edge.proof.kernels import DEFINITION, SHOWN, conforming, lacking
from tempo_edge.proof.part import NOT_RUN, AbsentError, Budget, Figure, Part, Row, verdict

__all__ = ["CudaKernels", "shares"]

_CASES, _LARGEST = 60, 300

# Bytes of a stack at most, and its share of what is free: no cache of a card holds it.
_STACK_BYTES, _SHARE_OF_FREE = 1_000_000_000, 0.25

# Launches between two events, and rounds of which the best counts.
_LAUNCHES, _ROUNDS = 5, 10

# Launches a kernel over a stack ``[n, h, w]`` on the device, room for a copy of it, and room for
# its block sums ``[n - 1, down, across]``; waits for nothing.
_Launch = Callable[[Any, Any, Any], None]


class CudaKernels(Part):
    """The CUDA C++ and the Numba kernels on the card that is here."""

    name = "kernels-cuda"
    what = "the CUDA kernels"
    against = DEFINITION
    needs = "an NVIDIA card with its driver, and a build of the C++ ones"
    budget_seconds = 45.0
    on_card = True

    def run(self, budget: Budget, scratch: Path) -> Iterator[Row]:
        live = []
        for name in ("cuda", "numba-cuda"):
            large = Case(noise((3, 1080, 1920), np.uint8), BLOCK, THUMBNAIL)
            cases = chain([large], conformance.cases(_CASES, _LARGEST))
            row = conforming(name, cases, budget, 0.4)
            yield row
            if row.result != NOT_RUN:
                live.append(name)
                what = f"registers of {name}"
                yield attempt(what, "no spills", partial(_registers, name, what))
        for size in SHOWN if live else ():
            what = f"bytes a second at {size}"
            yield attempt(what, "a copy on the card", partial(_speed, live, size, what))


def _registers(name: str, what: str) -> Row:
    """What a thread of each kernel takes; a register that the C++ ones spill is a mistake."""
    if name == "cuda":
        found = native.resources()
    else:
        from tempo_kernels import gpu

        found = gpu.resources()
    figures = []
    for kernel, (registers, local) in found.items():
        figures.append(Figure(kernel, registers, "registers"))
        figures.append(Figure("spilled", local, "bytes"))
    spilled = [kernel for kernel, (_, local) in found.items() if local and name == "cuda"]
    why = f"{', '.join(spilled)} spills" if spilled else "" if found else "no kernel told of any"
    return verdict(what, "no spills", why, *figures)


def _speed(live: Sequence[str], size: str, what: str) -> Row:
    """What share of the copy's bytes each kernel moves, on planes of a size."""
    if lacked := lacking("numba-cuda"):  # it is what has memory on the device, and events
        raise AbsentError(f"Numba's CUDA can't be used: {lacked}")
    height, width, _ = SIZES[size]
    times = shares(height, width, {name: _LAUNCH[name] for name in live}, _STACK_BYTES)
    figures = []
    for name, (milliseconds, share) in times.items():
        figures.append(Figure(name, round(milliseconds, 5), "ms a picture"))
        if name == "copy":
            rate = 2 * height * width / max(milliseconds, 1e-9) / 1e6
            figures.append(Figure("that is", round(rate, 1), "GB/s"))
        else:
            figures.append(Figure("of the copy", round(100 * share, 1), "%"))
    return verdict(what, "a copy on the card", "", *figures)


def shares(
    height: int, width: int, launches: Mapping[str, _Launch], stack_bytes: int
) -> dict[str, tuple[float, float]]:
    """Milliseconds a picture, and the share of the copy's bytes a second, of the copy and of each.

    Args:
        launches: what is timed, by name.
        stack_bytes: of the stack of pictures at most.
    """
    # Not an import statement: what Numba makes of its own names has no types.
    cuda: Any = importlib.import_module("numba.cuda")
    free = cuda.current_context().get_memory_info().free
    room = min(stack_bytes, _SHARE_OF_FREE * free) // (height * width)
    count = int(min(native.MOST_PICTURES, max(2, room)))
    pictures = cuda.to_device(noise((count, height, width), np.uint8))
    target = cuda.device_array(pictures.shape, np.uint8)
    sums = cuda.device_array((count - 1, -(-height // BLOCK), -(-width // BLOCK)), np.int64)
    there = pictures, target, sums
    timed = {"copy": _copy, **launches}
    best = {name: _best(cuda, launch, there) for name, launch in timed.items()}
    plane = height * width
    copied = 2 * plane * count / max(best["copy"], 1e-9)
    return {
        name: (
            took / count,
            (2 if name == "copy" else 1) * plane * count / max(took, 1e-9) / copied,
        )
        for name, took in best.items()
    }


def _best(cuda: Any, launch: _Launch, there: tuple[Any, Any, Any]) -> float:
    """Milliseconds of one launch on the device, the best of several rounds."""
    launch(*there)  # is compiled, and warms up
    cuda.synchronize()
    times = []
    for _ in range(_ROUNDS):
        begin, end = cuda.event(), cuda.event()
        begin.record()
        for _ in range(_LAUNCHES):
            launch(*there)
        end.record()
        end.synchronize()
        times.append(float(begin.elapsed_time(end)) / _LAUNCHES)
    return min(times)


def _copy(pictures: Any, target: Any, sums: Any) -> None:
    target.copy_to_device(pictures)


def _launch_cuda(pictures: Any, target: Any, sums: Any) -> None:
    count, height, width = pictures.shape
    start, at = _address(pictures), _address(sums)
    planes = native.Planes(height, width, width, width, 1, BLOCK, 0, 0)
    addresses = range(start, start + count * height * width, height * width)
    native.compare_on_device(addresses, planes, at, 0)


def _launch_numba(pictures: Any, target: Any, sums: Any) -> None:
    from tempo_kernels import gpu

    gpu.compare_on_device(pictures, BLOCK, sums, None)


def _address(array: Any) -> int:
    """Where an array lies on the device."""
    return int(array.__cuda_array_interface__["data"][0])


_LAUNCH: Mapping[str, _Launch] = {"cuda": _launch_cuda, "numba-cuda": _launch_numba}
