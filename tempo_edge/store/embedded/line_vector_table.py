"""Sentence vectors of lines: rows of a table of their own, which go with their lines.

They are made when lines are stored already, in the order of the lines' ids, so that all of them up
to one have what they will get.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tempo_edge.store.embedded.evidence import AT_ONCE, LINE, EvidenceTable, kind_of, slots
from tempo_edge.store.embedded.schema import LINE_VECTORS
from tempo_edge.store.evidence import LineHit

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
        rows: list[tuple[int, bytes]] = []
        if self.line_model():
            for start in range(0, len(ids), AT_ONCE):
                part = ids[start : start + AT_ONCE]
                rows += self._db.execute(
                    f"SELECT line_id, vector FROM line_vectors WHERE line_id IN ({slots(part)})",
                    part,
                )
        return self._line_vectors(rows)

    def line_vectors_after(
        self, line: int, batch: int = 65536
    ) -> Iterator[tuple[list[tuple[int, int, str]], NDArray[np.int8]]]:
        """Batches of ((id, id of its video, kind) of a line, its vector ``[n, d]``), by id.

        Args:
            line: those with a larger id are given.
        """
        if not self.line_model():
            return
        cursor = self._db.execute(
            "SELECT line_id, vector, video_id, kind FROM line_vectors "
            "JOIN evidence ON evidence.id=line_id WHERE line_id>? ORDER BY line_id",
            (line,),
        )
        read = self._columns("a line")
        while rows := cursor.fetchmany(batch):
            _, vectors = self._line_vectors([row[:2] for row in rows])
            yield [(int(row[0]), int(row[2]), kind_of(read, row[3])) for row in rows], vectors

    def last_line_vector(self) -> int:
        """The largest id of a line with a sentence vector; 0 without any."""
        if not self.line_model():
            return 0
        (last,) = self._db.execute("SELECT coalesce(max(line_id), 0) FROM line_vectors").fetchone()
        return int(last)

    def begin_line_vectors(self, model: str) -> None:
        """Drop the sentence vectors of lines that another model made."""
        if self.line_model() == model:
            return
        with self.transaction():
            self._db.execute("DROP TABLE IF EXISTS line_vectors")
            self._db.execute(LINE_VECTORS)
            self.set_meta(_MODEL, model)
            self.set_meta(_UNTIL, "0")

    def lines_to_read(self, limit: int) -> list[LineHit]:
        """The next lines that no sentence vector was made of, by their ids; names get none."""
        if not self._has("words_read"):
            return []
        rows = self._db.execute(
            f"SELECT {LINE} FROM evidence WHERE id>? AND kind<>'name' ORDER BY id LIMIT ?",
            (int(self.get_meta(_UNTIL) or 0), limit),
        )
        return [self._hit(*row) for row in rows]

    def put_line_vectors(self, last: int, ids: Sequence[int], vectors: NDArray[np.int8]) -> None:
        """Store sentence vectors ``[n, d]`` of lines with these ids."""
        with self.transaction():
            self._db.executemany(
                "INSERT OR REPLACE INTO line_vectors (line_id, vector) VALUES (?, ?)",
                ((line, vector.tobytes()) for line, vector in zip(ids, vectors, strict=True)),
            )
            self.set_meta(_UNTIL, str(last))

    def _line_vectors(
        self, rows: Sequence[tuple[int, bytes]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
        read = self._columns("the vector of a line")
        ids = np.asarray([row[0] for row in rows], dtype=np.int64)
        return ids, read.vectors("vector", [row[1] for row in rows], None)
