"""An index that is trained and filled: with a GPU, where vectors are many and FAISS has one.

What takes long is to find the nearest list of each vector, in training again and again. That alone
is done on the GPU: the index is made in memory as ever, and whoever reads it needs no GPU.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MANY", "IndexFiller"]

#: Vectors up to which the CPU does it all: few libraries have more.
MANY = 1_000_000

# Memory of the card that FAISS keeps for its own work, in place of a share of all that there is.
_SCRATCH_BYTES = 256 * 2**20


class IndexFiller:
    """Trains an index, and puts vectors into it.

    Args:
        faiss: the module.
        count: how many vectors there are in all.
        many: see :data:`MANY`.
    """

    def __init__(self, faiss: Any, count: int, many: int = MANY) -> None:
        self._faiss = faiss
        self._resources: Any = None
        self._centres: Any = None  # of the lists, on the card
        if count > many and _has_gpu(faiss):
            try:
                self._resources = faiss.StandardGpuResources()
                self._resources.setTempMemory(_SCRATCH_BYTES)
            except RuntimeError as error:
                self._leave(error)

    @property
    def is_on_gpu(self) -> bool:
        """Whether a GPU does what it can, and nothing has gone wrong on it."""
        return self._resources is not None

    def train(self, index: Any, vectors: NDArray[np.float32]) -> None:
        """Lay out the lists of an empty index by unit vectors ``[n, d]``."""
        if self.is_on_gpu and isinstance(index, self._faiss.IndexIVF):
            try:
                there = self._copied(self._faiss.IndexFlatIP(index.d))
                index.clustering_index = there
                index.train(vectors)
                return
            except RuntimeError as error:
                self._leave(error)
            finally:
                index.clustering_index = None
        index.train(vectors)

    def add(self, index: Any, vectors: NDArray[np.float32], ids: NDArray[np.int64]) -> None:
        """Put vectors ``[n, d]`` with their ids ``[n]`` into an index that was trained."""
        if self.is_on_gpu and isinstance(index, self._faiss.IndexIVF):
            try:
                if self._centres is None:
                    self._centres = self._copied(self._faiss.downcast_index(index.quantizer))
                _, lists = self._centres.search(vectors, 1)
            except RuntimeError as error:
                self._leave(error)
            else:
                held = [np.ascontiguousarray(each) for each in (vectors, ids, lists)]
                index.add_core(len(ids), *map(self._faiss.swig_ptr, held))
                return
        index.add_with_ids(vectors, ids)

    def _copied(self, index: Any) -> Any:
        return self._faiss.index_cpu_to_gpu(self._resources, 0, index)

    def _leave(self, error: RuntimeError) -> None:
        """Have the CPU do the rest, and say why: the card has no memory left, say."""
        self._resources = self._centres = None
        # Before it stand the function and the line of FAISS's source.
        why = " ".join(str(error).rpartition("Error: ")[2].split())[:200]
        warnings.warn(f"vectors are sorted in without the GPU: {why}", RuntimeWarning, stacklevel=3)


def _has_gpu(faiss: Any) -> bool:
    return hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0
