"""The kernels that need no card: those for the CPU, and Numba's for CUDA in its simulator."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from tempo_kernels import available, conformance, native
from tempo_kernels.conformance import Case, ComparePictures

from tempo_edge.proof import bandwidth
from tempo_edge.proof.attempt import attempt
from tempo_edge.proof.bandwidth import SIZES, Rate
from tempo_edge.proof.part import NOT_RUN, AbsentError, Budget, Figure, Part, Row, verdict

__all__ = [
    "DEFINITION",
    "SHOWN",
    "HostKernels",
    "SimulatedKernels",
    "conforming",
    "examined",
    "lacking",
]

#: What kernels are held against.
DEFINITION = "the NumPy definition"

#: Sizes of planes whose share of the copy is told.
SHOWN = ("1080p", "4K")

# Cases a kernel is given, and the longest side of their pictures.
_CASES, _LARGEST = 64, 80

# In the simulator every thread of a launch is one of Python's.
_FEW_CASES, _SMALL = 16, 23

# Rounds of which the best counts.
_ROUNDS = 8


def lacking(kernel: str) -> str:
    """What a kernel that can't run here lacks; empty for one that can.

    Raises:
        NativeError: it was built, but can't be loaded.
    """
    if kernel in native.LIBRARIES:
        if native.load(kernel) is None:
            return "not built"
    elif "numba" in kernel and importlib.util.find_spec("numba") is None:
        return "Numba is not installed"
    if available()[kernel]:
        return ""
    return "no GPU" if "cuda" in kernel else "can't be used"


def examined(
    what: str,
    compare_pictures: ComparePictures,
    cases: Iterator[Case],
    budget: Budget,
    share: float = 1.0,
) -> Row:
    """The row of a kernel that was held against the definition.

    Args:
        share: of the budget, at which no further case is begun.
    """
    done, why, is_cut = 0, "", False
    for case in cases:
        if done and budget.is_over(share):
            is_cut = True
            break
        why = conformance.disagreement(compare_pictures, case)
        done += 1
        if why:
            break
    cut = f"{done} cases, then the time was over" if is_cut else ""
    return verdict(what, DEFINITION, why, Figure("cases", done), cut_short=cut)


def conforming(name: str, cases: Iterator[Case], budget: Budget, share: float) -> Row:
    """The row of a kernel of that name; it is not run where it can't be here."""

    def work() -> Row:
        if lacked := lacking(name):
            raise AbsentError(lacked)
        return examined(what, conformance.kernel(name), cases, budget, share)

    what = f"kernel {name}"
    return attempt(what, DEFINITION, work)


class HostKernels(Part):
    """Every kernel for the CPU: the same integers, and how near it comes to the memory."""

    name = "kernels-cpu"
    what = "the kernels for the CPU"
    against = DEFINITION
    needs = "Numba for its own, a build of the C++ one"
    budget_seconds = 25.0

    def run(self, budget: Budget, scratch: Path) -> Iterator[Row]:
        live = []
        for name in ("native", "lanes", "numba-cpu"):
            cases = conformance.cases(_CASES, _LARGEST)
            row = conforming(name, cases, budget, 0.4)
            live += [name] * (row.result != NOT_RUN)
            yield row
        for size in SHOWN:
            yield self._speed(live, size, budget)

    def _speed(self, live: Sequence[str], size: str, budget: Budget) -> Row:
        """The share of the copy's bytes of every kernel, on one core."""
        systems = [each for each in bandwidth.ours(SIZES[size][2], False) if each.name in live]
        share = 0.7 if size == SHOWN[0] else 1.0
        rates = bandwidth.measure(
            systems, size, 1, False, _ROUNDS, is_over=lambda: budget.is_over(share)
        )
        figures = [figure for rate in rates for figure in _told(rate)]
        return verdict(
            f"bytes a second at {size}, one core", "a copy of the same planes", "", *figures
        )


def _told(rate: Rate) -> list[Figure]:
    """Milliseconds a pair of planes, and the share of the copy; of the copy its own rate."""
    figures = [Figure(rate.system, round(rate.milliseconds, 3), "ms a pair")]
    if rate.system == "copy":
        return [*figures, Figure("that is", round(rate.bytes_a_second / 1e9, 1), "GB/s")]
    return [*figures, Figure("of the copy", round(100 * rate.share, 1), "%")]


class SimulatedKernels(Part):
    """Numba's CUDA kernels in Numba's simulator: right or wrong is seen without a card."""

    name = "kernels-simulator"
    what = "kernel numba-cuda in the simulator"
    against = DEFINITION
    needs = "Numba"
    budget_seconds = 15.0
    environment: ClassVar[Mapping[str, str]] = {"NUMBA_ENABLE_CUDASIM": "1"}

    def run(self, budget: Budget, scratch: Path) -> Iterator[Row]:
        if importlib.util.find_spec("numba") is None:
            raise AbsentError("Numba is not installed")
        way = conformance.kernel("numba-cuda")
        yield examined(self.what, way, conformance.cases(_FEW_CASES, _SMALL), budget)
