"""The cost of several terms: expressions of one to four of them, with everything loaded.

``python -m benchmarks.terms --library FILE`` searches a library, such as that of 1,000 hours which
``python -m benchmarks.query --footage DIR --keep DIR`` leaves behind. The terms of each expression
are drawn by a seed, and searched one by one in the same turn: their sum is what k searches cost.
``answers`` is a digest of all answers: that of another checkout has to be the same.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.machine import describe
from benchmarks.query import QUERIES
from tempo_edge.answer import Answer
from tempo_edge.library import Library

__all__ = ["main"]

#: Expressions by how many terms they have; a number is the place of a term.
FORMS = (
    "{0}",
    "{0} AND {1}",
    "{0} NOT {1}",
    "{0} THEN {1}",
    "{0} AND {1} NOT {2}",
    "{0} AND {1} THEN {2}",
    "{0} AND {1} AND {2} NOT {3}",
    "{0} AND {1} NOT {2} THEN {3}",
)


def measure(path: Path, grounder: str, rounds: int, seed: int) -> dict[str, object]:
    """Milliseconds of processor and wall time of each form, and a digest of all answers."""
    generator = np.random.default_rng(seed)
    spent: dict[str, list[tuple[float, float]]] = defaultdict(list)
    alone: dict[str, list[float]] = defaultdict(list)
    digest = hashlib.sha256()
    with Library.open(path) as library:
        for query in QUERIES:
            library.find(query, grounder=grounder)
        for _ in range(rounds):
            terms = generator.permutation(QUERIES).tolist()
            one = [_timed(library.find, each, grounder)[0] for each in terms[:4]]
            for form in FORMS:
                cost, answer = _timed(library.find, form.format(*terms), grounder)
                spent[form].append(cost)
                alone[form].append(sum(cpu for cpu, _ in one[: form.count("{")]))
                digest.update(repr(_told(answer)).encode())
    forms = {}
    for form, costs in spent.items():
        cpu, wall = np.median(np.asarray(costs), axis=0) * 1000
        ratio = float(np.median([c / k for (c, _), k in zip(costs, alone[form], strict=True)]))
        forms[form] = {
            "cpu_ms": round(float(cpu), 1),
            "wall_ms": round(float(wall), 1),
            "searches": round(ratio, 2),
        }
    return {"forms": forms, "rounds": rounds, "answers": digest.hexdigest()[:16]}


def _timed(
    find: Callable[..., Answer], query: str, grounder: str
) -> tuple[tuple[float, float], Answer]:
    """(seconds of the processor, seconds), and the answer."""
    began, before = time.perf_counter(), time.process_time()
    answer = find(query, grounder=grounder, limit=100)
    return (time.process_time() - before, time.perf_counter() - began), answer


def _told(answer: Answer) -> object:
    """All that an answer says, to the last bit of its numbers."""
    moments = [
        (str(m.path), m.start_seconds, m.end_seconds, m.score, m.confidence, m.parts)
        for m in (*answer.moments, *answer.rejected)
    ]
    return moments, answer.rejected_count, answer.missing


def main() -> None:
    """``python -m benchmarks.terms``: figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--grounder", default="curve")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    figures = measure(asked.library, asked.grounder, asked.rounds, asked.seed)
    print(json.dumps({**figures, "seed": asked.seed, "machine": describe()}, indent=1))


if __name__ == "__main__":
    main()
