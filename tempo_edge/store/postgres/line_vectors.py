"""The search among sentence vectors of lines, by pgvector: all of them are looked at."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector

from tempo_edge.quantization import dequantize
from tempo_edge.store.line_vectors import LineVectors
from tempo_edge.store.postgres.catalogue import PostgresCatalogue
from tempo_edge.store.postgres.halves import eight_bits
from tempo_edge.store.vectors import Hits
from tempo_edge.words.line import KINDS

__all__ = ["PostgresLineVectors"]

# Lines that tell how a query scores by chance.
_SAMPLE = 1024

# A query is rounded to half floats where it is compared first: as many more are looked at again.
_AGAIN = 64


class PostgresLineVectors(LineVectors):
    """The lines of one library, searchable by cosine similarity."""

    def __init__(self, catalogue: PostgresCatalogue) -> None:
        self._catalogue = catalogue
        self._state: tuple[int, int, str] | None = None
        self._sample: NDArray[np.float32] = np.zeros((0, 0), np.float32)

    def refresh(self, *, writing: bool = False) -> None:
        """Look at how many lines there are, and at some of them."""
        ((count, last),) = self._catalogue.fetch(
            "SELECT count(*), coalesce(max(line_id), 0) FROM line_vectors"
        )
        state = int(count), int(last), self._catalogue.line_model()
        if state != self._state:
            self._state = state
            self._sample = self._drawn(int(count))

    def count(self) -> int:
        """How many lines are searched, about."""
        return 0 if self._state is None else self._state[0]

    def sample(self) -> NDArray[np.float32]:
        """Unit vectors ``[n, d]`` spread over all lines."""
        return self._sample

    def _drawn(self, count: int) -> NDArray[np.float32]:
        step = max(1, count // _SAMPLE)
        rows = self._catalogue.fetch(
            "SELECT vector FROM (SELECT vector, row_number() OVER (ORDER BY line_id)-1 AS place "
            "FROM line_vectors) AS placed WHERE place %% %s=0 ORDER BY place LIMIT %s",
            (step, _SAMPLE),
        )
        return dequantize(self._eight_bits([row[0] for row in rows]))

    def search(
        self,
        query: NDArray[np.float32],
        k: int,
        *,
        kinds: Collection[str] | None = None,
        videos: Collection[int] | None = None,
    ) -> Hits:
        """The lines nearest to a unit vector ``[d]``."""
        conditions, values = ["true"], []
        if kinds is not None and not set(KINDS) - {"name"} <= set(kinds):
            conditions.append("kind=ANY(%s::text[])")
            values.append(list[Any](kinds))
        if videos is not None:
            conditions.append("video_id=ANY(%s::bigint[])")
            values.append(list[Any](videos))
        joined = "" if len(conditions) == 1 else "JOIN evidence ON evidence.id=line_id "
        vector = self._catalogue.vector
        rows = self._catalogue.fetch(
            f"SELECT line_id, vector FROM line_vectors {joined}WHERE {' AND '.join(conditions)} "
            f"ORDER BY vector {self._catalogue.cosine} %s::{vector} LIMIT {int(k) + _AGAIN}",
            (*values, HalfVector(np.asarray(query, np.float16))),
        )
        if not rows:
            return Hits(np.zeros(0, np.int64), np.zeros(0, np.float32))
        ids = np.asarray([row[0] for row in rows], dtype=np.int64)
        similarities = dequantize(self._eight_bits([row[1] for row in rows])) @ query
        best = np.lexsort((ids, -similarities))[:k]
        return Hits(ids[best], similarities[best])

    def _eight_bits(self, vectors: list[HalfVector]) -> NDArray[np.int8]:
        return eight_bits(self._catalogue.name, "a line", vectors, None)
