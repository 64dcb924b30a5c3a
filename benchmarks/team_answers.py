"""Whether a library on a server answers as one in a file does: moments, times and confidences.

``python -m benchmarks.team_answers --test DIR`` starts a PostgreSQL of its own (extra ``test``),
indexes a folder made by ``benchmarks.composites`` into a library in a file and into one on that
server, each with the real indexer, and asks both for all its sentences, those that occur and those
that don't, with every grounder. Numbers are the same to the last bit, or they are different.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks._team_server import started_server
from benchmarks.composites import load_composites
from benchmarks.machine import describe
from benchmarks.scoring import Truth
from tempo_edge import Library
from tempo_edge.answer import Answer
from tempo_edge.moment import Moment

__all__ = ["differences", "main"]

# Differences that are printed, of each grounder.
_MOST_SHOWN = 5

# What is compared of an answer.
_PARTS = ("moments", "rejected", "rejected_count", "rivals")


def _told(moment: Moment) -> dict[str, Any]:
    return {
        "file": Path(moment.path).name,
        "start_seconds": moment.start_seconds,
        "end_seconds": moment.end_seconds,
        "confidence": moment.confidence,
        "score": moment.score,
        "found_by": list(moment.found_by),
    }


def _whole(answer: Answer) -> dict[str, Any]:
    """All that an answer says, but for what is a library's own, such as ids."""
    return {
        "moments": [_told(moment) for moment in answer.moments],
        "rejected": [_told(moment) for moment in answer.rejected],
        "rejected_count": answer.rejected_count,
        "rivals": answer.rivals,
    }


def differences(
    libraries: Sequence[Library], queries: Sequence[Truth], grounder: str
) -> dict[str, Any]:
    """How the answers of two libraries differ.

    Args:
        libraries: two over the same films.
        queries: what both are asked, one after the other.
        grounder: what turns candidates into moments.
    """
    moments = rejected = 0
    seconds = [0.0, 0.0]
    different: dict[str, int] = dict.fromkeys(_PARTS, 0)
    examples: list[dict[str, Any]] = []
    answered = {"present": 0, "absent": 0}
    for query in queries:
        told: list[dict[str, Any]] = []
        for place, library in enumerate(libraries):
            began = time.perf_counter()
            answer = library.find(query["query"], grounder=grounder)
            seconds[place] += time.perf_counter() - began
            told.append(_whole(answer))
        first, second = told
        moments += len(first["moments"])
        rejected += len(first["rejected"])
        answered["present" if query["present"] else "absent"] += bool(first["moments"])
        for part in _PARTS:
            if first[part] != second[part]:
                different[part] += 1
                examples.append({part: query["query"], "file": first[part], "server": second[part]})
    return {
        "queries": len(queries),
        "answered": answered,
        "moments compared": moments,
        "rejected compared": rejected,
        "answers that differ in": different,
        "seconds a query": [round(each / max(1, len(queries)), 3) for each in seconds],
        "examples": examples[:_MOST_SHOWN],
    }


def _indexed(library: Library, folder: Path, what: str) -> Library:
    report = library.index([folder])
    with library.catalogue.snapshot():
        frames = library.catalogue.totals()["frames"]
    note = f"{what}: {report.indexed} indexed, {report.unchanged} unchanged, {frames} frames"
    print(f"{note}, {report.elapsed_seconds:.0f} s", file=sys.stderr)
    return library


def main(arguments: Sequence[str] | None = None) -> None:
    """Index twice, ask twice, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--test", type=Path, required=True, help="composites to ask for")
    parser.add_argument(
        "--most", type=int, help="ask for so many of its sentences, spread over all"
    )
    parser.add_argument("--grounder", action="append", help="this one alone; repeat for more")
    parser.add_argument("--keep", type=Path, help="keep the library in a file in this folder")
    parser.add_argument("--library", help="the one on a server, in place of a server of its own")
    options = parser.parse_args(arguments)
    queries = load_composites(options.test).queries
    if options.most is not None:
        queries = queries[:: -(-len(queries) // options.most)]
    name = options.library
    if name is None:
        server = started_server()
        name = server.name(server.new_database())
    with tempfile.TemporaryDirectory() as place:
        folder = options.keep or Path(place)
        folder.mkdir(parents=True, exist_ok=True)
        with (
            Library.open(folder / f"{options.test.name}-team.db") as alone,
            Library.open(name) as team,
        ):
            both = _indexed(alone, options.test, "file"), _indexed(team, options.test, "server")
            grounders = options.grounder or list(alone.searcher.pictures.grounders)
            told = {each: differences(both, queries, each) for each in grounders}
    print(json.dumps({**describe(), "by grounder": told}, indent=1))


if __name__ == "__main__":
    main()
