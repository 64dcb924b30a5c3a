"""FAISS's index of frames: on the CPU against an exact scan, on a card against that on the CPU."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge._cores import cpu_count
from tempo_edge.proof.part import AbsentError, Budget, Figure, Part, Row, verdict
from tempo_edge.store.embedded.index_filling import IndexFiller
from tempo_edge.store.embedded.vectors import LISTS_VISITED, empty_index, load_faiss

__all__ = ["CpuNeighbours", "GpuNeighbours"]

# Frames: so many that the index has inverted lists; of as many scenes, each near its own.
_FRAMES, _SCENES, _DIM = 60_000, 400, 256

_QUERIES, _NEAREST = 200, 10

# Shares of the nearest frames that have to be found, of the exact ones and of those that the same
# index finds on the CPU, where only ties may fall otherwise.
_EXACT, _SAME = 0.9, 0.99


@dataclass(frozen=True)
class _Frames:
    """Unit vectors ``[n, d]`` as a library has them, and questions ``[q, d]`` near some of them."""

    vectors: NDArray[np.float32]
    queries: NDArray[np.float32]

    @staticmethod
    def drawn() -> _Frames:
        rng = np.random.default_rng(0)
        scenes = rng.standard_normal((_SCENES, _DIM), np.float32)
        of = np.sort(rng.integers(0, _SCENES, _FRAMES))
        vectors = scenes[of] + 0.6 * rng.standard_normal((_FRAMES, _DIM), np.float32)
        chosen = vectors[rng.integers(0, _FRAMES, _QUERIES)]
        queries = chosen + 0.4 * rng.standard_normal((_QUERIES, _DIM), np.float32)
        return _Frames(_unit(vectors), _unit(queries))

    def exact(self) -> NDArray[np.int64]:
        """The nearest frames of each question, found by looking at all of them."""
        near = self.queries @ self.vectors.T
        return np.argpartition(-near, _NEAREST, axis=1)[:, :_NEAREST].astype(np.int64)

    def fill(self, index: Any, filler: IndexFiller) -> float:
        """Train and fill an index; gives the seconds."""
        began = time.perf_counter()
        filler.train(index, self.vectors)
        filler.add(index, self.vectors, np.arange(_FRAMES, dtype=np.int64))
        return time.perf_counter() - began

    def found(self, index: Any) -> tuple[NDArray[np.int64], float]:
        """The nearest frames by an index, and the milliseconds for all questions at once."""
        index.nprobe = LISTS_VISITED
        index.search(self.queries, _NEAREST)
        began = time.perf_counter()
        _, ids = index.search(self.queries, _NEAREST)
        return ids, 1e3 * (time.perf_counter() - began)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _overlap(one: NDArray[np.int64], two: NDArray[np.int64]) -> float:
    """The share of the frames of each row of one that the same row of the other has."""
    both = [len(set(a.tolist()) & set(b.tolist())) for a, b in zip(one, two, strict=True)]
    return sum(both) / one.size


def _lacks(share: float, least: float) -> str:
    return (
        "" if share >= least else f"{100 * share:.1f} % of them are found, wanted are {least:.0%}"
    )


class CpuNeighbours(Part):
    """The index of a large library against looking at every frame."""

    name = "faiss-cpu"
    what = f"FAISS on the CPU, {_FRAMES:,} frames"
    against = "an exact scan"
    needs = "FAISS"
    budget_seconds = 15.0

    def run(self, budget: Budget, scratch: Path) -> Iterator[Row]:
        faiss, frames = load_faiss(), _Frames.drawn()
        faiss.omp_set_num_threads(cpu_count())
        index = empty_index(faiss, _DIM, _FRAMES)
        built = frames.fill(index, IndexFiller(faiss, _FRAMES))
        ids, took = frames.found(index)
        share = _overlap(frames.exact(), ids)
        yield verdict(
            self.what,
            self.against,
            _lacks(share, _EXACT),
            Figure(f"of the nearest {_NEAREST}", round(100 * share, 1), "%"),
            Figure("built in", round(built, 2), "s"),
            Figure(f"{_QUERIES} questions", round(took, 2), "ms"),
        )


class GpuNeighbours(Part):
    """An index copied onto a card: the same neighbours, and one that was built with its help."""

    name = "faiss-gpu"
    what = f"FAISS on the GPU, {_FRAMES:,} frames"
    against = "FAISS on the CPU"
    needs = "an NVIDIA card with its driver, and faiss-gpu"
    budget_seconds = 30.0
    on_card = True

    def run(self, budget: Budget, scratch: Path) -> Iterator[Row]:
        faiss = load_faiss()
        if not hasattr(faiss, "StandardGpuResources"):
            raise AbsentError("this FAISS is built for the CPU")
        if faiss.get_num_gpus() < 1:
            raise AbsentError("FAISS finds no GPU")
        frames, resources = _Frames.drawn(), faiss.StandardGpuResources()
        faiss.omp_set_num_threads(cpu_count())
        index = empty_index(faiss, _DIM, _FRAMES)
        built = frames.fill(index, IndexFiller(faiss, _FRAMES))
        ids, took = frames.found(index)
        there, there_took = frames.found(faiss.index_cpu_to_gpu(resources, 0, index))
        same = _overlap(ids, there)
        yield verdict(
            self.what,
            self.against,
            _lacks(same, _SAME),
            Figure(f"of the nearest {_NEAREST}", round(100 * same, 2), "%"),
            Figure(f"{_QUERIES} questions", round(there_took, 2), "ms"),
            Figure("on the CPU", round(took, 2), "ms"),
        )
        with_card, filler = empty_index(faiss, _DIM, _FRAMES), IndexFiller(faiss, _FRAMES, many=0)
        built_there = frames.fill(with_card, filler)
        share = _overlap(frames.exact(), frames.found(with_card)[0])
        yield verdict(
            "the index that was built with the GPU",
            "an exact scan",
            _lacks(share, _EXACT) if filler.is_on_gpu else "the GPU has left it to the CPU",
            Figure(f"of the nearest {_NEAREST}", round(100 * share, 1), "%"),
            Figure("built in", round(built_there, 2), "s"),
            Figure("on the CPU", round(built, 2), "s"),
        )
