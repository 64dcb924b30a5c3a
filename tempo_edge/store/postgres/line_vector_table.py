"""Sentence vectors of lines: rows of a table of their own, which go with their lines.

They are made when lines are stored already, in the order of the lines' ids, so that all of them up
to one have what they will get.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector

from tempo_edge.store.evidence import LineHit
from tempo_edge.store.postgres.evidence import LINE, EvidenceTable, hit
from tempo_edge.store.postgres.halves import eight_bits

__all__ = ["LineVectorTable"]

# Facts of a library: the model that made the sentence vectors of its lines, and the id of the line
# up to which it has read them.
_MODEL, _UNTIL = "line_model", "lines_read"


class LineVectorTable(EvidenceTable):
    """The rows of ``line_vectors``; what a public method does, its interface says."""

    def line_model(self) -> str:
        """The digest of the model that made the sentence vectors of lines; empty without any."""
        return self.get_meta(_MODEL) or ""

    def line_vectors(self, ids: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
        """Ids ``[n]`` and sentence vectors ``[n, d]`` of the lines among some that have one."""
        rows = self._run(
            "SELECT line_id, vector FROM line_vectors WHERE line_id=ANY(%s::bigint[]) "
            "ORDER BY line_id",
            (list(ids),),
        ).fetchall()
        numbers = np.asarray([row[0] for row in rows], dtype=np.int64)
        return numbers, eight_bits(self.name, "a line", [row[1] for row in rows], None)

    def begin_line_vectors(self, model: str) -> None:
        """Drop the sentence vectors of lines that another model made."""
        if self.line_model() == model:
            return
        with self._writing():
            self._run("DELETE FROM line_vectors")
            self.set_meta(_MODEL, model)
            self.set_meta(_UNTIL, "0")

    def lines_to_read(self, limit: int) -> list[LineHit]:
        """The next lines that no sentence vector was made of, by their ids; names get none."""
        rows = self._run(
            f"SELECT {LINE} FROM evidence WHERE id>%s AND kind<>'name' ORDER BY id LIMIT %s",
            (int(self.get_meta(_UNTIL) or 0), limit),
        )
        return [hit(row) for row in rows]

    def put_line_vectors(self, last: int, ids: Sequence[int], vectors: NDArray[np.int8]) -> None:
        """Store sentence vectors ``[n, d]`` of lines with these ids."""
        rows = [(line, HalfVector(vector)) for line, vector in zip(ids, vectors, strict=True)]
        with self._writing():
            if rows:
                self._run_each(
                    "INSERT INTO line_vectors VALUES (%s, %s) "
                    "ON CONFLICT (line_id) DO UPDATE SET vector=excluded.vector",
                    rows,
                )
            self.set_meta(_UNTIL, str(last))
