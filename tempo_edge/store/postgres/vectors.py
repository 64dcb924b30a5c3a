"""The search among frames, by pgvector.

Up to some size all of them are looked at. Above it an index says which are looked at, and whoever
writes the library makes it: an inverted file, unless there is a graph (HNSW) that somebody made.
Whatever finds them, similarities are computed of their eight bits, as every store does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector

from tempo_edge.errors import LibraryError
from tempo_edge.quantization import dequantize
from tempo_edge.store.postgres.catalogue import PostgresCatalogue
from tempo_edge.store.postgres.halves import eight_bits
from tempo_edge.store.postgres.vector_index import VectorIndex
from tempo_edge.store.vectors import Hits, Vectors

__all__ = ["PostgresVectors"]

# A query is rounded to half floats where it is compared first: as many more are looked at again.
_AGAIN, _SHARE_AGAIN = 64, 0.25

#: Frames that tell how a query scores by chance.
SAMPLE_SIZE = 2048

# Up to so many frames the sample is spread over them by number; above, by id.
_NUMBERED = 200_000

# Videos of a scope that its sample is of.
_SAMPLED_VIDEOS = 200

# Frames of a scope up to which all of them are looked at.
_SCAN_LIMIT = 200_000


class PostgresVectors(Vectors):
    """The frames of one library, searchable by cosine similarity."""

    def __init__(self, catalogue: PostgresCatalogue) -> None:
        self._catalogue = catalogue
        self._index = VectorIndex(catalogue)
        self._state: tuple[int, int] | None = None
        self._sample: NDArray[np.float32] = np.zeros((0, 0), np.float32)

    def refresh(self, *, writing: bool = False, must_save: bool = False) -> None:
        """Look at what there is; whoever writes makes an index where one is wanted.

        Raises:
            LibraryError: it can't be made.
        """
        if writing:
            try:
                self._index.keep_up()
            except LibraryError:  # a search looks at all frames then
                if must_save:
                    raise
        self._index.look()
        ((count, first, last),) = self._catalogue.fetch(
            "SELECT (SELECT coalesce(sum(frame_count), 0)::bigint FROM videos), "
            "coalesce(min(id), 0), coalesce(max(id), 0) FROM frames"
        )
        if (count, last) != self._state:
            self._state = count, last
            self._sample = dequantize(self._spread(count, first, last))

    def search(
        self, query: NDArray[np.float32], k: int, videos: Sequence[int] | None = None
    ) -> Hits:
        """The ``k`` frames nearest to a unit vector ``[d]``; fewer in a small library.

        Args:
            videos: ids of the only videos whose frames may be given.
        """
        wanted = k + max(_AGAIN, int(_SHARE_AGAIN * k))
        half = HalfVector(np.asarray(query, np.float16))
        if videos is None:
            rows = self._index.search(half, wanted)
        else:
            few = self._catalogue.count_frames(videos) <= _SCAN_LIMIT
            rows = self._index.search(half, wanted, list(videos), exactly=few)
        if not rows:
            return Hits(np.zeros(0, np.int64), np.zeros(0, np.float32))
        ids = np.asarray([row[0] for row in rows], dtype=np.int64)
        similarities = dequantize(self._eight_bits([row[1] for row in rows])) @ query
        best = np.lexsort((ids, -similarities))[:k]
        return Hits(ids[best], similarities[best])

    def sample(self, videos: Sequence[int] | None = None) -> NDArray[np.float32]:
        """Unit vectors ``[n, d]`` spread over all frames, or over those of some videos."""
        if videos is None:
            return self._sample
        some = list(videos[:_SAMPLED_VIDEOS])
        step = max(1, self._catalogue.count_frames(some) // SAMPLE_SIZE)
        rows = self._catalogue.fetch(
            "SELECT vector FROM (SELECT vector, row_number() OVER (ORDER BY id)-1 AS place "
            "FROM frames WHERE video_id=ANY(%s::bigint[])) AS placed WHERE place %% %s=0 "
            "ORDER BY place",
            (some, step),
        )
        return dequantize(self._eight_bits([row[0] for row in rows]))

    def _spread(self, count: int, first: int, last: int) -> NDArray[np.int8]:
        """Vectors ``[n, d]`` of frames that are spread over all, by their ids."""
        if not count:
            return np.zeros((0, 0), np.int8)
        if count <= _NUMBERED:
            picks = np.linspace(0, count - 1, min(SAMPLE_SIZE, count)).astype(int)
            rows = self._catalogue.fetch(
                "SELECT vector FROM (SELECT vector, row_number() OVER (ORDER BY id)-1 AS place "
                "FROM frames) AS placed WHERE place=ANY(%s::bigint[]) ORDER BY place",
                (picks.tolist(),),
            )
        else:
            picks = np.linspace(first, last, SAMPLE_SIZE).astype(int)
            rows = self._catalogue.fetch(
                "SELECT DISTINCT ON (found.id) found.vector FROM unnest(%s::bigint[]) AS pick, "
                "LATERAL (SELECT id, vector FROM frames WHERE id>=pick ORDER BY id LIMIT 1) "
                "AS found ORDER BY found.id",
                (picks.tolist(),),
            )
        return self._eight_bits([row[0] for row in rows])

    def _eight_bits(self, vectors: Sequence[HalfVector]) -> NDArray[np.int8]:
        return eight_bits(self._catalogue.name, "a frame", vectors, self._catalogue.dim)
