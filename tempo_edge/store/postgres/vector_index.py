"""What finds frames among many: chosen by how many there are, and told."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tempo_edge.store.postgres.session import connect
from tempo_edge.store.postgres.trouble import told

if TYPE_CHECKING:
    from pgvector import HalfVector

    from tempo_edge.store.postgres.catalogue import PostgresCatalogue

__all__ = ["VectorIndex"]

# Below this many frames a scan of all of them is quick, and never misses.
_SCAN_LIMIT = 50_000

# An inverted file is laid out anew where there are this many times as many frames.
_GROWTH = 2

# Lists that are read for a query, times the root of how many there are: of 250 a fifth.
_PROBED = 3.0

# How far a graph is followed for a query, at least.
_LEAST_FOLLOWED = 200

# Frames that an index goes on through where a scope leaves too little of them.
_MOST_TUPLES = 200_000

# The fact of a library that says how its inverted files were laid out, by partition.
_LAID_OUT = "vector_index"


@dataclass(frozen=True)
class _Found:
    """An index of a partition: its kind, ``ivfflat`` or ``hnsw``, its dimension and its lists."""

    kind: str
    dim: int
    lists: int


class VectorIndex:
    """The indexes over the vectors of a library's frames."""

    def __init__(self, catalogue: PostgresCatalogue) -> None:
        self._catalogue = catalogue
        self._found: _Found | None = None

    def look(self) -> None:
        """See which index there is: of the partition with most frames."""
        rows = self._catalogue.fetch(
            "SELECT am.amname, pg_get_indexdef(i.indexrelid), c.reloptions "
            "FROM pg_inherits h JOIN pg_index i ON i.indrelid=h.inhrelid "
            "JOIN pg_class c ON c.oid=i.indexrelid JOIN pg_am am ON am.oid=c.relam "
            "JOIN pg_class t ON t.oid=i.indrelid "
            "WHERE h.inhparent='frames'::regclass AND am.amname IN ('ivfflat', 'hnsw') "
            "AND i.indisvalid ORDER BY t.reltuples DESC, am.amname LIMIT 1"
        )
        self._found = None
        for kind, definition, options in rows:
            if definition is None:  # in a snapshot of before it was laid out anew
                continue
            dim = int(definition.partition("halfvec(")[2].partition(")")[0] or 0)
            told_lists = [each for each in options or [] if each.startswith("lists=")]
            lists = int(told_lists[0].partition("=")[2]) if told_lists else 0
            if dim:
                self._found = _Found(kind, dim, lists)

    def words(self) -> str:
        """How frames are searched, for people."""
        found = self._found
        if found is None:
            return "exact: all frames are looked at"
        if found.kind == "hnsw":
            return "HNSW, a graph"
        return f"IVFFlat, {self._probed(found)} of {found.lists} lists"

    def search(
        self,
        query: HalfVector,
        count: int,
        videos: list[int] | None = None,
        *,
        exactly: bool = False,
    ) -> list[Any]:
        """(id, vector) of the frames nearest to a query, at most so many.

        Args:
            videos: ids of the only videos whose frames may be given.
            exactly: whether all of those are looked at.
        """
        vector = self._catalogue.vector
        cosine = self._catalogue.cosine
        where = "" if videos is None else "WHERE video_id=ANY(%s::bigint[]) "
        values: list[Any] = [] if videos is None else [videos]
        found = self._found
        if found is None or exactly:
            # What is added keeps an index from being asked.
            order = f"(vector {cosine} %s::{vector})+0"
        else:
            self._set_out(found, count)
            order = f"(vector::{vector}({found.dim})) {cosine} %s::{vector}({found.dim})"
        return self._catalogue.fetch(
            f"SELECT id, vector FROM frames {where}ORDER BY {order} LIMIT {int(count)}",
            (*values, query),
        )

    def _set_out(self, found: _Found, count: int) -> None:
        """Say how far the index is to be read."""
        if found.kind == "hnsw":
            settings = {
                "hnsw.ef_search": min(1000, max(_LEAST_FOLLOWED, count)),
                "hnsw.iterative_scan": "relaxed_order",
                "hnsw.max_scan_tuples": _MOST_TUPLES,
            }
        else:
            settings = {
                "ivfflat.probes": self._probed(found),
                "ivfflat.iterative_scan": "relaxed_order",
            }
        called = ", ".join(f"set_config('{name}', '{to}', false)" for name, to in settings.items())
        self._catalogue.fetch(f"SELECT {called}")

    def _probed(self, found: _Found) -> int:
        return min(found.lists, round(_PROBED * math.sqrt(found.lists)))

    # -- making it ---------------------------------------------------------------------------------

    def keep_up(self) -> None:
        """Make an inverted file where a partition has grown to be worth one, or out of its own.

        A graph that somebody made keeps up by itself, and is left.

        Raises:
            LibraryError: it can't be made.
        """
        if self._catalogue.count_frames() < _SCAN_LIMIT:
            return
        name = self._catalogue.name
        # Not that of the catalogue, which is within a snapshot. Others read on meanwhile.
        with connect(name) as db, told(name):
            facts = db.execute("SELECT value FROM meta WHERE key=%s", (_LAID_OUT,)).fetchone()
            laid_out = json.loads(facts[0]) if facts else {}
            partitions = db.execute("SELECT partition FROM profiles").fetchall()
            for (partition,) in partitions:
                ((count, dim),) = db.execute(
                    f"SELECT count(*), (SELECT {self._pgvector}.vector_dims(vector) "
                    f"FROM {partition} LIMIT 1) "
                    f"FROM {partition}"
                ).fetchall()
                has_graph = db.execute(
                    "SELECT 1 FROM pg_indexes WHERE schemaname=current_schema() AND tablename=%s "
                    "AND indexdef LIKE '%%USING hnsw%%'",
                    (partition,),
                ).fetchone()
                before = laid_out.get(partition, 0)
                if has_graph or count < _SCAN_LIMIT or count < _GROWTH * before:
                    continue
                with db.transaction():
                    self._lay_out(db, partition, int(count), int(dim))
                    laid_out[partition] = int(count)
                    db.execute(
                        "INSERT INTO meta VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET "
                        "value=excluded.value",
                        (_LAID_OUT, json.dumps(laid_out)),
                    )

    @property
    def _pgvector(self) -> str | None:
        return self._catalogue.place.vector

    def _lay_out(self, db: Any, partition: str, count: int, dim: int) -> None:
        vector = self._catalogue.vector
        lists = max(10, int(count**0.5))
        db.execute("SET LOCAL maintenance_work_mem='512MB'")
        db.execute(f"DROP INDEX IF EXISTS {partition}_by_look")
        db.execute(
            f"CREATE INDEX {partition}_by_look ON {partition} USING ivfflat "
            f"((vector::{vector}({dim})) {self._pgvector}.halfvec_cosine_ops) WITH (lists={lists})"
        )
        db.execute(f"ANALYZE {partition}")
