"""Indexes are the same whoever sorts vectors in; a GPU is played by FAISS itself on the CPU."""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np
import pytest
from numpy.typing import NDArray

from tempo_edge.store.embedded.index_filling import MANY, IndexFiller
from tempo_edge.store.embedded.vectors import empty_index

DIM, COUNT = 16, 2000


class OnGpu:
    """FAISS as it is where it has a GPU, whose memory is over after so many copies of an index."""

    def __init__(self, copies: int = 2) -> None:
        self.copies = copies

    def __getattr__(self, name: str) -> Any:
        return getattr(faiss, name)

    def get_num_gpus(self) -> int:
        return 1

    class StandardGpuResources:
        def setTempMemory(self, size: int) -> None:  # noqa: N802
            assert size > 0

    def index_cpu_to_gpu(self, resources: object, device: int, index: Any) -> Any:
        assert isinstance(resources, self.StandardGpuResources) and device == 0
        if not self.copies:
            raise RuntimeError("Error in f() at a.cpp:518:\n Error: 'ok' failed:\n alloc fail")
        self.copies -= 1
        return faiss.clone_index(index)


@pytest.fixture(scope="module")
def vectors() -> NDArray[np.float32]:
    drawn = np.random.default_rng(0).standard_normal((COUNT, DIM), np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def filled(module: Any, vectors: NDArray[np.float32], count: int = MANY + 1) -> tuple[bytes, bool]:
    """An index with lists as it is written, and whether a GPU was used to the end."""
    index = empty_index(faiss, DIM, 50_000)
    filler = IndexFiller(module, count)
    filler.train(index, vectors)
    ids = np.arange(COUNT, dtype=np.int64) * 3
    for part in (slice(0, 700), slice(700, COUNT)):
        filler.add(index, vectors[part], ids[part])
    assert index.ntotal == COUNT
    return faiss.serialize_index(index).tobytes(), filler.is_on_gpu


@pytest.fixture(scope="module")
def right(vectors: NDArray[np.float32]) -> bytes:
    """The index that the CPU makes: this FAISS has no GPU."""
    index, on_gpu = filled(faiss, vectors)
    assert not on_gpu
    return index


def test_a_gpu_makes_the_same_index(vectors: NDArray[np.float32], right: bytes) -> None:
    gpu = OnGpu()
    assert filled(gpu, vectors) == (right, True)
    assert gpu.copies == 0, "one to train by, one to sort by"


def test_few_vectors_are_left_to_the_cpu(vectors: NDArray[np.float32], right: bytes) -> None:
    assert filled(OnGpu(0), vectors, MANY) == (right, False)


@pytest.mark.parametrize("copies", [0, 1], ids=["training", "adding"])
def test_a_gpu_that_has_no_memory_leaves_the_rest_to_the_cpu(
    vectors: NDArray[np.float32], right: bytes, copies: int
) -> None:
    with pytest.warns(RuntimeWarning, match="without the GPU: 'ok' failed: alloc fail$") as told:
        assert filled(OnGpu(copies), vectors) == (right, False)
    assert len(told) == 1 and "\n" not in str(told[0].message)


def test_an_exact_index_has_nothing_to_sort(vectors: NDArray[np.float32]) -> None:
    index = empty_index(faiss, DIM, COUNT)
    filler = IndexFiller(OnGpu(0), MANY + 1)
    filler.train(index, vectors)
    filler.add(index, vectors, np.arange(COUNT, dtype=np.int64))
    assert index.ntotal == COUNT and filler.is_on_gpu
