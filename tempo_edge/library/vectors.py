"""FAISS, a cache: nearest frames to a query, rebuilt from the catalogue whenever it is missing.

The file carries in its name a hash of what it was built from. Frames newer than it are searched by
brute force beside it, so that it need not be rebuilt for every new video.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import LibraryError, MissingExtraError
from tempo_edge.library.catalogue import Catalogue
from tempo_edge.packing import unpack

__all__ = ["Hits", "VectorCache", "load_faiss"]

# Below this many frames an exact scan is as fast as an inverted file and never misses.
_FLAT_LIMIT = 50_000

# Frames that may wait outside the cache before it is rebuilt.
_TAIL_LIMIT = 20_000

# Inverted lists read for a query: with a few thousand lists, about one frame in a hundred.
_LISTS_VISITED = 24

# Frames kept aside as a sample of the library, to tell how a query scores by chance.
SAMPLE_SIZE = 2048


def load_faiss() -> Any:
    """The FAISS module.

    Raises:
        MissingExtraError: neither the ``cpu`` nor the ``gpu`` extra is installed.
    """
    try:
        import faiss
    except ImportError as error:
        raise MissingExtraError(
            'FAISS is not installed: pip install "tempo-edge[cpu]" '
            '(or "tempo-edge[gpu]" with an NVIDIA card)'
        ) from error
    return faiss


@dataclass(frozen=True)
class Hits:
    """Nearest frames, best first: ``ids`` and ``similarities``, both ``[k]``."""

    ids: NDArray[np.int64]
    similarities: NDArray[np.float32]


class VectorCache:
    """The frames of one library, searchable by cosine similarity."""

    def __init__(self, folder: Path, catalogue: Catalogue) -> None:
        self._folder = folder
        self._catalogue = catalogue
        self._faiss = load_faiss()
        self._index: Any = None
        self._built: dict[str, Any] = {}
        self._tail_ids: NDArray[np.int64] = np.zeros(0, np.int64)
        self._tail: NDArray[np.float32] = np.zeros((0, 0), np.float32)
        self.sample: NDArray[np.float32] = np.zeros((0, 0), np.float32)

    def refresh(self) -> None:
        """Bring the cache up to the catalogue: load, extend by brute force, or rebuild."""
        count, largest = self._catalogue.frame_span()
        if self._built and self._built["largest_id"] == largest and self._fresh(count):
            return
        if self._index is None and not self._load():
            self._build(count, largest)
            return
        waiting = count - self._built["count"]
        if largest > self._built["largest_id"] and waiting > _TAIL_LIMIT or not self._fresh(count):
            self._build(count, largest)
            return
        self._read_tail()

    def search(
        self, query: NDArray[np.float32], k: int, among: NDArray[np.int64] | None = None
    ) -> Hits:
        """The ``k`` frames nearest to a unit vector ``[d]``; fewer in a small library.

        Args:
            among: ids of the only frames that may be given.
        """
        ids = [np.zeros(0, np.int64)]
        similarities = [np.zeros(0, np.float32)]
        if self._index is not None and self._index.ntotal:
            found, where = self._index.search(
                query[None], min(k, self._index.ntotal), params=self._parameters(among)
            )
            ids.append(where[0][where[0] >= 0])
            similarities.append(found[0][where[0] >= 0])
        if len(self._tail_ids):
            inside = slice(None) if among is None else np.isin(self._tail_ids, among)
            ids.append(self._tail_ids[inside])
            similarities.append(self._tail[inside] @ query)
        all_ids, all_similarities = np.concatenate(ids), np.concatenate(similarities)
        best = np.argsort(-all_similarities, kind="stable")[:k]
        return Hits(all_ids[best], all_similarities[best])

    def _parameters(self, among: NDArray[np.int64] | None) -> Any:
        """Search parameters: how many lists to visit, and a filter on ids where there is one."""
        faiss = self._faiss
        chosen: dict[str, Any] = {}
        if among is not None:
            chosen["sel"] = faiss.IDSelectorBatch(among)
        if isinstance(self._index, faiss.IndexIVF):
            return faiss.SearchParametersIVF(nprobe=_LISTS_VISITED, **chosen)
        return faiss.SearchParameters(**chosen) if chosen else None

    def _fresh(self, count: int) -> bool:
        """Few enough frames were deleted since that the cache's dead entries do no harm."""
        built = int(self._built["count"])
        return count >= 0.8 * built or built - count < 1000

    # -- building ----------------------------------------------------------------------------

    def _build(self, count: int, largest: int) -> None:
        faiss = self._faiss
        if not count:
            self._index, self._built = None, {}
            self._tail_ids, self.sample = np.zeros(0, np.int64), np.zeros((0, 0), np.float32)
            return
        step = max(1, count // 100_000)
        training = np.concatenate(
            [unpack(v[::step]) for _, v in self._catalogue.vectors_after(0)]
        )
        dim = training.shape[1]
        if count < _FLAT_LIMIT:
            index = faiss.IndexIDMap2(
                faiss.IndexScalarQuantizer(
                    dim, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
                )
            )
        else:
            lists = min(4096, int(2 * count**0.5))
            index = faiss.IndexIVFScalarQuantizer(
                faiss.IndexFlatIP(dim),
                dim,
                lists,
                faiss.ScalarQuantizer.QT_8bit,
                faiss.METRIC_INNER_PRODUCT,
            )
            index.cp.niter = 8
            index.cp.max_points_per_centroid = 64
        index.train(training)
        for ids, vectors in self._catalogue.vectors_after(0):
            index.add_with_ids(unpack(vectors), ids)
        picks = np.linspace(0, len(training) - 1, min(SAMPLE_SIZE, len(training))).astype(int)
        self.sample = training[picks]
        self._index = index
        self._built = {"count": count, "largest_id": largest, "dim": dim}
        self._tail_ids = np.zeros(0, np.int64)
        if not self._catalogue.readonly or os.access(self._folder.parent, os.W_OK):
            self._save()

    def _save(self) -> None:
        """Write the index, its sample and what it was built from; readers see all or nothing."""
        key = self._key()
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            with _atomic(self._folder / f"{key}.faiss") as target:
                self._faiss.write_index(self._index, str(target))
            with _atomic(self._folder / f"{key}.npy") as target, target.open("wb") as file:
                np.save(file, self.sample)
            about = {
                **self._built,
                "key": key,
                "bytes": (self._folder / f"{key}.faiss").stat().st_size,
            }
            with _atomic(self._folder / "current.json") as target:
                target.write_text(json.dumps(about), encoding="utf-8")
        except (OSError, RuntimeError) as error:
            raise LibraryError(f"{self._folder} can't be written: {error}") from error
        for old in self._folder.iterdir():
            if old.suffix in (".faiss", ".npy") and old.stem != key:
                old.unlink(missing_ok=True)

    def _key(self) -> str:
        facts = json.dumps(
            [self._catalogue.get_meta("library_id"), sorted(self._built.items())], default=str
        )
        return "vectors-" + hashlib.sha256(facts.encode()).hexdigest()[:16]

    # -- loading -----------------------------------------------------------------------------

    def _load(self) -> bool:
        """Open the cached index, memory-mapped; False where it is missing, torn or another's."""
        try:
            about = json.loads((self._folder / "current.json").read_text(encoding="utf-8"))
            path = self._folder / f"{about['key']}.faiss"
            self._built = {k: int(about[k]) for k in ("count", "largest_id", "dim")}
            if about["key"] != self._key() or path.stat().st_size != about["bytes"]:
                self._built = {}
                return False
            self._index = self._faiss.read_index(str(path), self._faiss.IO_FLAG_MMAP)
            self.sample = np.load(self._folder / f"{about['key']}.npy", allow_pickle=False)
        except (OSError, ValueError, KeyError, RuntimeError):
            self._built, self._index = {}, None
            return False
        return True

    def _read_tail(self) -> None:
        parts = list(self._catalogue.vectors_after(int(self._built["largest_id"])))
        if parts:
            self._tail_ids = np.concatenate([ids for ids, _ in parts])
            self._tail = unpack(np.concatenate([vectors for _, vectors in parts]))


class _atomic:  # noqa: N801 - reads as the statement it is
    """Write beside the target, then rename over it once the block ends well."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._draft = target.with_name(f".{target.name}.{os.getpid()}")

    def __enter__(self) -> Path:
        return self._draft

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is None:
            self._draft.replace(self._target)
        else:
            self._draft.unlink(missing_ok=True)

