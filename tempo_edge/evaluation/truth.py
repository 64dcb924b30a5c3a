"""Truth: queries, and when what they ask for is seen in which video of a folder."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tempo_edge.errors import TempoEdgeError
from tempo_edge.library import Library
from tempo_edge.moment import Span

__all__ = ["Query", "read_truth", "videos_by_name"]


@dataclass(frozen=True)
class Query:
    """A sentence with the file and spans it is true of; no file when it is true of none.

    ``near`` is then the file of which it is nearly true, if there is one.
    """

    text: str
    file: str | None
    spans: tuple[Span, ...]
    near: str | None = None


def read_truth(folder: Path) -> list[Query]:
    """The queries of a folder of composites.

    Raises:
        TempoEdgeError: the folder has no ``truth.jsonl``, or a line of it can't be read; at least
            one query must occur.
    """
    path = folder / "truth.jsonl"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise TempoEdgeError(f"{path} can't be read: {error}") from error
    queries = [_query(path, number, line) for number, line in enumerate(lines, start=1)]
    if not any(query.spans for query in queries):
        raise TempoEdgeError(f"{path} must have a query that occurs")
    return queries


def _query(path: Path, number: int, line: str) -> Query:
    try:
        facts = json.loads(line)
        spans = tuple(Span(float(start), float(end)) for start, end in facts["spans"])
        query = Query(str(facts["query"]), facts["file"], spans)
        if bool(spans) != isinstance(query.file, str):
            raise ValueError("a query has a file and spans, or null and none")
    except (ValueError, KeyError, TypeError) as error:
        raise TempoEdgeError(f"{path} line {number} can't be read: {error!r}") from error
    return query


def videos_by_name(library: Library, queries: Iterable[Query]) -> dict[str, int]:
    """The ids of a library's videos by the names of their files.

    Raises:
        TempoEdgeError: the library lacks a video that one of the queries is about.
    """
    videos = {
        Path(path).name: row.video_id
        for path, row in library.catalogue.files().items()
        if row.video_id is not None
    }
    for query in queries:
        if query.file is not None and query.file not in videos:
            raise TempoEdgeError(f"query {query.text!r} is about {query.file!r}: it isn't indexed")
    return videos
