"""FAISS, a cache: nearest frames to a query, rebuilt from the catalogue whenever it is missing.

The file carries in its name a hash of what it was built from. Frames newer than it are searched by
brute force beside it, so that it need not change for every new video. Frames that were deleted
since stay in it for a while; they are recognised and left out. Whoever writes the library keeps the
cache up with it; a search does so only where that is quick.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge._cores import cpu_count
from tempo_edge._extras import lacking
from tempo_edge.errors import LibraryError, MissingExtraError
from tempo_edge.quantization import dequantize
from tempo_edge.store.embedded.catalogue import SqliteCatalogue
from tempo_edge.store.embedded.index_filling import IndexFiller
from tempo_edge.store.embedded.vector_files import CacheOrigin, VectorFiles
from tempo_edge.store.vectors import Hits, Vectors

__all__ = ["LISTS_VISITED", "FaissVectors", "empty_index", "load_faiss"]

# Below this many frames an exact scan is as fast as an inverted file and never misses.
_FLAT_LIMIT = 50_000

# Frames that may wait outside the cache before it takes them in: no more than a scan takes in its
# stride, and no more than leave the sample true to the library.
_TAIL_LIMIT = 20_000
_TAIL_SHARE = 0.25
_TAIL_FREE = 64

# The same for a search in a large library: it would rather scan for a second than build for a
# minute, while another process indexes.
_TAIL_PATIENCE = 250_000

# An inverted file takes in new frames until there are this many times as many as it was trained on.
_GROWTH = 2

# Deleted frames that may lie in the cache before it is rebuilt: a share of it, and a number that a
# rebuild isn't worth its while below.
_DEAD_SHARE = 0.2
_DEAD_LIMIT = 1000

# Frames that the inverted lists are laid out with: about forty for each list at most.
_TRAINING_FRAMES = 160_000

#: Inverted lists read for a query: with a few thousand lists, about one frame in a hundred.
LISTS_VISITED = 24

# The same where a filter leaves a part of the library: as many of its frames are to be looked at,
# and those that it leaves out lie in between.
_LISTS_OF_A_PART = 240

# Frames kept aside as a sample of the library, to tell how a query scores by chance.
SAMPLE_SIZE = 2048

# Videos of a scope that its sample is of.
_SAMPLED_VIDEOS = 500

# What FAISS's set of ids takes for each of them.
_SET_BYTES = 50

# FAISS rounds frames once more, to eight bits of its own: as many more than are asked for are
# compared again as they are stored.
_AGAIN, _SHARE_AGAIN = 64, 0.25

# A scoped search over at most this many frames scans them all and needs no FAISS.
_SCAN_LIMIT = 200_000


def load_faiss() -> Any:
    """The FAISS module.

    Raises:
        MissingExtraError: neither the ``cpu`` nor the ``gpu`` extra is installed.
    """
    try:
        import faiss
    except ImportError as error:
        raise MissingExtraError(lacking("faiss")) from error
    return faiss


def empty_index(faiss: Any, dim: int, count: int) -> Any:
    """An index for so many unit vectors of a length, to be trained and then filled with their ids.

    It is an exact scan while they are few, and has inverted lists above.

    Args:
        faiss: the module.
    """
    kind, metric = faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    if count < _FLAT_LIMIT:
        return faiss.IndexIDMap2(faiss.IndexScalarQuantizer(dim, kind, metric))
    lists = min(4096, int(2 * count**0.5))
    index = faiss.IndexIVFScalarQuantizer(faiss.IndexFlatIP(dim), dim, lists, kind, metric)
    index.cp.niter = 8
    index.cp.max_points_per_centroid = 64
    index.cp.min_points_per_centroid = 1  # else FAISS complains on stderr
    return index


class FaissVectors(Vectors):
    """The frames of one library, searchable by cosine similarity."""

    def __init__(self, folder: Path, catalogue: SqliteCatalogue) -> None:
        self._folder = folder
        self._catalogue = catalogue
        self._faiss = load_faiss()
        self._files = VectorFiles(folder, self._faiss)
        self._reopened = catalogue.reopened
        self._forget()

    def _forget(self) -> None:
        """Hold nothing."""
        self._index: Any = None
        self._origin: CacheOrigin | None = None
        self._dead = 0
        self._tail_ids: NDArray[np.int64] = np.zeros(0, np.int64)
        self._tail: NDArray[np.float32] = np.zeros((0, 0), np.float32)
        self._sample: NDArray[np.float32] = np.zeros((0, 0), np.float32)

    def refresh(self, *, writing: bool = False, must_save: bool = False) -> None:
        """Bring the cache up to the catalogue: load, scan beside it, extend or rebuild.

        Args:
            writing: the caller writes the library, and has time to leave a good cache behind.
            must_save: complain where a changed cache can't be written; otherwise it is just used.

        Raises:
            LibraryError: it must be saved and can't be.
        """
        self._drop_what_changed()
        if self._origin is None and (kept := self._files.read(self._is_ours)) is not None:
            self._origin, self._index, self._sample = kept
        origin = self._origin
        if origin is not None and self._follow(origin, writing):
            return
        if origin is None or not self._extend(origin):
            self._build()
        if self._origin is not None:
            self._save_if_possible(self._origin, must_save)

    def _drop_what_changed(self) -> None:
        """Hold nothing that is of a file cut short, or of a library as it is no more."""
        if not self._files.is_whole():
            self._files.release()
            self._forget()
        if self._reopened != self._catalogue.reopened:
            self._reopened = self._catalogue.reopened
            if self._origin is not None and not self._is_ours(self._origin):
                self._forget()

    def search(
        self, query: NDArray[np.float32], k: int, videos: Sequence[int] | None = None
    ) -> Hits:
        """The ``k`` frames nearest to a unit vector ``[d]``; fewer in a small library.

        Args:
            videos: ids of the only videos whose frames may be given.
        """
        if videos is None:
            return self._search_twice(query, k, None)
        if self._catalogue.count_frames(videos) > _SCAN_LIMIT:
            return self._search_twice(query, k, self._catalogue.frame_ids(videos))
        nearest = Hits(np.zeros(0, np.int64), np.zeros(0, np.float32))
        for ids, packed in self._catalogue.vectors_of(videos):
            similarities = dequantize(packed) @ query
            all_ids = np.concatenate([nearest.ids, ids])
            all_of_them = np.concatenate([nearest.similarities, similarities])
            best = np.argsort(-all_of_them, kind="stable")[:k]
            nearest = Hits(all_ids[best], all_of_them[best])
        return nearest

    def sample(self, videos: Sequence[int] | None = None) -> NDArray[np.float32]:
        """Unit vectors ``[n, d]`` spread over all frames, or over those of some videos."""
        if videos is None:
            return self._sample
        some = videos[:_SAMPLED_VIDEOS]
        step = max(1, self._catalogue.count_frames(some) // SAMPLE_SIZE)
        parts, skipped = [np.zeros((0, 0), np.int8)], 0
        for _, packed in self._catalogue.vectors_of(some):
            parts.append(packed[skipped::step].copy())  # or else the whole batch would stay
            skipped = (skipped - len(packed)) % step
        return dequantize(np.concatenate(parts[1:] or parts))

    def _search_twice(
        self, query: NDArray[np.float32], k: int, among: NDArray[np.int64] | None
    ) -> Hits:
        """The nearest of the frames that FAISS finds, as they are stored."""
        found = self._search_living(query, k + max(_AGAIN, int(_SHARE_AGAIN * k)), among)
        ids, packed = self._catalogue.vectors_of_frames(found.ids.tolist())
        if not len(ids):
            return Hits(ids, np.zeros(0, np.float32))
        similarities = dequantize(packed) @ query
        best = np.argsort(-similarities, kind="stable")[:k]
        return Hits(ids[best], similarities[best])

    def _search_living(
        self, query: NDArray[np.float32], k: int, among: NDArray[np.int64] | None
    ) -> Hits:
        """The nearest frames, or those among some of which the ids are given."""
        asked = k
        while True:
            hits = self._search(query, asked, among)
            if not self._dead:
                return hits
            exhausted = len(hits.ids) < asked
            keys = self._catalogue.frame_keys(hits.ids.tolist())
            alive = np.isin(hits.ids, np.asarray([key[0] for key in keys], dtype=np.int64))
            if exhausted or alive.sum() >= k:
                return Hits(hits.ids[alive][:k], hits.similarities[alive][:k])
            asked *= 4  # deleted frames crowd out the others: look further down

    def _search(self, query: NDArray[np.float32], k: int, among: NDArray[np.int64] | None) -> Hits:
        """The nearest frames, deleted ones among them."""
        ids = [np.zeros(0, np.int64)]
        similarities = [np.zeros(0, np.float32)]
        if self._index is not None and self._index.ntotal:
            # Waking other threads for one query takes longer than its scan on a busy machine.
            self._faiss.omp_set_num_threads(1)
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
            chosen["sel"] = self._selector(among)
        if isinstance(self._index, faiss.IndexIVF):
            return faiss.SearchParametersIVF(nprobe=self._lists(among), **chosen)
        return faiss.SearchParameters(**chosen) if chosen else None

    def _lists(self, among: NDArray[np.int64] | None) -> int:
        """Inverted lists to visit for the nearest frames of all, or for those among some."""
        if among is None:
            return LISTS_VISITED
        share = max(1, len(among)) / self._index.ntotal
        return min(int(self._index.nlist), max(_LISTS_OF_A_PART, int(LISTS_VISITED / share)))

    def _selector(self, among: NDArray[np.int64]) -> Any:
        """A filter on ids; a bitmap, unless they are so few that a set takes less room."""
        largest = int(among.max(initial=0))
        if largest > _SET_BYTES * len(among):
            return self._faiss.IDSelectorBatch(among)
        is_among = np.zeros(largest + 1, np.bool_)
        is_among[among] = True
        return self._faiss.IDSelectorBitmap(np.packbits(is_among, bitorder="little"))

    # -- following the catalogue ---------------------------------------------------------------

    def _follow(self, origin: CacheOrigin, writing: bool) -> bool:
        """Scan what was added since the cache was built; False where it must change."""
        count, largest = self._catalogue.frame_span()
        limit = min(_TAIL_LIMIT, max(_TAIL_FREE, int(_TAIL_SHARE * origin.count)))
        if not writing and origin.count >= _FLAT_LIMIT:
            limit = _TAIL_PATIENCE
        known = int(self._tail_ids[-1]) if len(self._tail_ids) else origin.largest_id
        if largest > known:
            added = self._catalogue.vectors_after(origin.largest_id, batch=limit + 1)
            self._tail_ids, packed = next(added)
            self._tail = dequantize(packed)
        self._dead = origin.count + len(self._tail_ids) - count
        return len(self._tail_ids) <= limit and _few(self._dead, origin.count)

    # -- building ----------------------------------------------------------------------------

    def _build(self) -> None:
        _, largest = self._catalogue.frame_span()
        count = self._catalogue.count_after(0)
        self._forget()
        if not count:
            return
        self._faiss.omp_set_num_threads(cpu_count())
        step = max(1, count // _TRAINING_FRAMES)
        # Packed until they are together, and copied, or else the whole batches would stay.
        drawn = [vectors[::step].copy() for _, vectors in self._catalogue.vectors_after(0)]
        training = dequantize(np.concatenate(drawn))
        del drawn
        index = empty_index(self._faiss, training.shape[1], count)
        filler = IndexFiller(self._faiss, count)
        filler.train(index, training)
        for ids, vectors in self._catalogue.vectors_after(0):
            filler.add(index, dequantize(vectors), ids)
        self._sample = _spread(training, SAMPLE_SIZE)
        self._adopt(index, largest, trained=count)

    def _extend(self, origin: CacheOrigin) -> bool:
        """Add what is new to an inverted file, which is much quicker than to train another."""
        count, largest = self._catalogue.frame_span()
        if origin.trained < _FLAT_LIMIT or count > _GROWTH * origin.trained:
            return False
        added = self._catalogue.count_after(origin.largest_id)
        if not added or not _few(origin.count + added - count, origin.count):
            return False
        index = self._files.read_to_write(origin)
        if index is None:
            return False
        self._faiss.omp_set_num_threads(cpu_count())
        parts: list[NDArray[np.float32]] = []
        filler = IndexFiller(self._faiss, added)
        for ids, packed in self._catalogue.vectors_after(origin.largest_id):
            vectors = dequantize(packed)
            filler.add(index, vectors, ids)
            parts.append(_spread(vectors, SAMPLE_SIZE))
        share = round(SAMPLE_SIZE * (index.ntotal - origin.count) / index.ntotal)
        old = _spread(self._sample, SAMPLE_SIZE - share)
        self._sample = np.concatenate([old, _spread(np.concatenate(parts), share)])
        self._adopt(index, largest, trained=origin.trained)
        return True

    def _adopt(self, index: Any, largest: int, trained: int) -> None:
        self._index = index
        self._origin = CacheOrigin(
            self._catalogue.get_meta("library_id") or "",
            index.ntotal,
            largest,
            self._catalogue.contents_of_frame(largest),
            trained,
        )
        self._tail_ids = np.zeros(0, np.int64)
        self._dead = index.ntotal - self._catalogue.frame_span()[0]

    def _save_if_possible(self, origin: CacheOrigin, must_save: bool) -> None:
        try:
            self._files.write(origin, self._index, self._sample)
        except (OSError, RuntimeError) as error:
            # Where somebody deletes the cache at this moment, the next search builds it.
            if must_save and os.strerror(errno.ENOENT) not in str(error):
                raise LibraryError(
                    f"{self._folder} can't be written ({error}): make room there; the library "
                    "itself is whole, but searches are slower without this cache"
                ) from error

    def _is_ours(self, origin: CacheOrigin) -> bool:
        """True if the cache was built from this database, or from this one as it was before."""
        contents = self._catalogue.contents_of_frame(int(origin.largest_id))
        return origin.library == self._catalogue.get_meta("library_id") and contents in (
            origin.contents,
            "",  # that video was deleted since
        )


def _few(dead: int, count: int) -> bool:
    """True if so many deleted frames among so many in a cache do no harm."""
    return 0 <= dead < count and dead <= max(_DEAD_LIMIT, _DEAD_SHARE * count)


def _spread(vectors: NDArray[np.float32], number: int) -> NDArray[np.float32]:
    """Evenly spread rows of a matrix, as many as asked for or as there are."""
    picks = np.linspace(0, len(vectors) - 1, min(number, len(vectors))).astype(int)
    return np.asarray(vectors[picks])
