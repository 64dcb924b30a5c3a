"""The choice among a tower's graphs: which are fetched and tried, and which one searches.

Eight bits are the smallest and run on most machines, but not on each, nor always fastest. What is
at hand is timed; nothing is fetched for the sake of being timed unless somebody asks for that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tempo_edge.errors import ProfileError
from tempo_edge.models.providers import standings
from tempo_edge.models.published import PinnedFile, PublishedEncoder

__all__ = [
    "FASTEST",
    "GraphChoice",
    "TriedGraph",
    "check_precision",
    "fetched_bytes",
    "runs_on_gpu",
]

#: What is asked for in place of a precision: all that there is, timed.
FASTEST = "fastest"

# What a larger graph may take of the smallest's time, where nobody asked for the fastest; and the
# milliseconds that it has to save besides, for less is chance.
_CLEARLY_FASTER, _WORTH_WHILE = 0.8, 5.0

# Providers that have no kernels for eight bits that scale themselves, and do halves well.
_HALVES = ("tensorrt", "tensorrt-rtx", "cuda", "directml", "webgpu")


@dataclass(frozen=True)
class TriedGraph:
    """A graph that runs here.

    Attributes:
        file: its path below the folder of what was fetched.
        dim: length of its vectors.
        milliseconds: of one picture, or of one sentence.
    """

    file: str
    dim: int
    milliseconds: float


def check_precision(encoder: PublishedEncoder, precision: str | None) -> None:
    """Refuse a precision that neither tower of an encoder can be had in.

    Raises:
        ProfileError: it is one.
    """
    allowed = [*encoder.precisions, FASTEST]
    if precision is not None and precision not in allowed:
        raise ProfileError(f"precision {precision!r} of {encoder.name!r} must be one of {allowed}")


def fetched_bytes(encoder: PublishedEncoder, precision: str | None) -> int:
    """Size of what is fetched of an encoder, where what is tried first runs."""
    graphs: set[PinnedFile] = set()
    for tower, halves in ((encoder.image, runs_on_gpu()), (encoder.text, False)):
        order = ordered(tower, precision, halves=halves)
        graphs.update(order if precision == FASTEST else order[:1])
    return sum(each.bytes for each in (*graphs, *encoder.beside))


def ordered(
    graphs: Sequence[PinnedFile], precision: str | None, *, halves: bool
) -> list[PinnedFile]:
    """The graphs of a tower in the order of trying: of another precision none, if one is asked.

    Args:
        halves: whether half precision is tried before eight bits, where none is asked.
    """
    asked = [each for each in graphs if each.precision == precision]
    if asked:
        return asked
    if precision is None and halves:
        # False comes first: halves and wholes, the smaller before the larger.
        return sorted(graphs, key=lambda each: each.precision not in ("fp16", "fp32"))
    return list(graphs)


def runs_on_gpu() -> bool:
    """Whether models run here on a provider that is quicker with halves than with eight bits."""
    working = (each.name for each in standings() if not each.trouble)
    return next(working, "cpu") in _HALVES


@dataclass(frozen=True)
class GraphChoice:
    """The graphs of one tower, and how one of them is chosen.

    Attributes:
        reads: what the tower reads, for lines on it: ``"picture"`` or ``"sentence"``.
        precision: what was asked for; None for the smallest that runs.
        halves: whether half precision is tried before eight bits.
        is_at_hand: whether a graph costs nothing to fetch.
        tell: takes a line on what was chosen, or on why another graph is fetched.
    """

    reads: str
    precision: str | None
    halves: bool
    is_at_hand: Callable[[PinnedFile], bool]
    tell: Callable[[str], None]

    def choose(
        self,
        graphs: Sequence[PinnedFile],
        bring: Callable[[PinnedFile], Path],
        run: Callable[[Path], TriedGraph],
    ) -> TriedGraph:
        """Try graphs until one runs, and all that are at hand or asked for; gives the best.

        Args:
            bring: fetches a graph, and gives where it lies.
            run: tries one; raises ProfileError where it doesn't run here.

        Raises:
            ProfileError: none runs, or one can't be had.
        """
        order = ordered(graphs, self.precision, halves=self.halves)
        tried: list[TriedGraph] = []
        for place, each in enumerate(order):
            if tried and self.precision != FASTEST and not self.is_at_hand(each):
                continue
            path = bring(each)
            try:
                tried.append(run(path))
            except ProfileError as error:
                rest = order[place + 1 :]
                if not rest and not tried:
                    raise
                reason = str(error).replace(str(path), each.name)
                self.tell(reason if tried else f"{reason}: trying {_sized(rest[0])}")
        best = self._best(tried)
        self.tell(self._why(best, tried))
        return best

    def _best(self, tried: list[TriedGraph]) -> TriedGraph:
        """The fastest; the first that runs, unless another is clearly faster or was asked for."""
        first, fastest = tried[0], min(tried, key=lambda each: each.milliseconds)
        most = min(first.milliseconds * _CLEARLY_FASTER, first.milliseconds - _WORTH_WHILE)
        return fastest if self.precision == FASTEST or fastest.milliseconds < most else first

    def _why(self, best: TriedGraph, tried: list[TriedGraph]) -> str:
        """One line on what was chosen: its time beside those of the others that were tried."""
        others = [
            f"{each.milliseconds:.0f} ms with {each.file}" for each in tried if each is not best
        ]
        line = f"{best.file} takes {best.milliseconds:.0f} ms a {self.reads} here"
        if others:
            return f"{line}; {', '.join(others)}"
        if self.precision not in (None, FASTEST) and not self._is_asked(best.file):
            return f"{line}; it can't be had in {self.precision}"
        return line

    def _is_asked(self, file: str) -> bool:
        return PinnedFile(file, 0).precision == self.precision


def _sized(graph: PinnedFile) -> str:
    return f"{graph.name}, {graph.bytes / 1e6:.0f} MB"
