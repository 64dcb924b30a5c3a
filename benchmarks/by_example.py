"""What an example finds beside what a sentence finds: the same targets, in the same library.

``python -m benchmarks.by_example --data DATA --test DIR`` indexes a folder made by
``benchmarks.composites`` of the test split with the real indexer (or takes ``--library``), and asks
the real search for photographs that are shown there: by the sentence that was written for each, by
another view of it (cropped, mirrored, in other light, as a JPEG), and by both. Absent are other
photographs of the test split, asked for by one of their captions, by a view, by both; and a
sentence with a view of something else that is shown as well, which no moment answers. Nothing is
fitted here.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.composites import load_composites
from benchmarks.grounding import indexed
from benchmarks.machine import describe
from tempo_edge import Library
from tempo_edge._files import atomic_write
from tempo_edge.answer import Answer
from tempo_edge.evaluation.example_films import Picture, photographs, view
from tempo_edge.evaluation.metrics.spans import best_tiou
from tempo_edge.example import Example
from tempo_edge.query import Query

__all__ = ["Asked", "asked_of", "main"]

# The least overlap with a target that finds it.
_TIOU = 0.5

_WAYS = ("sentence", "example", "both")


@dataclass(frozen=True)
class Asked:
    """One query, and what is right: a file and spans, or none.

    Attributes:
        way: of ``sentence``, ``example`` and ``both``; ``kind``: ``present``, ``absent`` or
            ``other``, of a sentence and an example that are both there and not together.
    """

    way: str
    kind: str
    text: str
    example: bytes
    file: str = ""
    spans: tuple[tuple[float, float], ...] = ()

    @property
    def query(self) -> Query:
        """The query as a door makes it."""
        like = Example("a view", picture=self.example) if self.way != "sentence" else None
        return Query("" if self.way == "example" else self.text, like=like, seen=True)

    def is_right(self, answer: Answer) -> bool:
        """Whether the likeliest moment, shown or not, is of what was asked for."""
        best = answer.moments[0] if answer.moments else answer.best_rejected
        if best is None or best.path.name != self.file:
            return False
        return best_tiou((best.start_seconds, best.end_seconds), self.spans) >= _TIOU


def asked_of(data: Path, test: Path, most: int, seed: int) -> Iterator[Asked]:
    """Queries over a folder of composites: so many present ones at most, and so many absent."""
    rng, drawn = random.Random(seed), np.random.default_rng(seed)
    composites = load_composites(test)
    pictures = {each.thing: each for each in photographs(data, "flickr8k", "test", most=None)}
    shown = {shot["item"] for video in composites.manifest["videos"] for shot in video["shots"]}
    present = [q for q in composites.queries if q["present"] and q.get("item") in pictures]
    chosen = rng.sample(present, min(most, len(present)))
    for number, truth in enumerate(chosen):
        spans = tuple((float(start), float(end)) for start, end in truth["spans"])
        own = view(pictures[truth["item"]], drawn)
        for way in _WAYS:
            yield Asked(way, "present", truth["query"], own, truth["file"] or "", spans)
        other = chosen[(number + 1) % len(chosen)]["query"]
        yield Asked("both", "other", other, own)
    absent: list[Picture] = [each for name, each in sorted(pictures.items()) if name not in shown]
    for picture in rng.sample(absent, min(most, len(absent))):
        for way in _WAYS:
            yield Asked(way, "absent", rng.choice(picture.words), view(picture, drawn))


def _measured(library: Library, asked: Sequence[Asked]) -> str:
    """A row for each way of asking."""
    found: dict[tuple[str, str], list[tuple[bool, bool]]] = {}
    spent: dict[str, list[float]] = {}
    for each in asked:
        began = time.process_time()
        answer = library.ask(each.query)
        spent.setdefault(each.way, []).append(time.process_time() - began)
        row = bool(answer.moments), each.is_right(answer)
        found.setdefault((each.way, each.kind), []).append(row)
    head = "| asked by | R@1 | shown | shown and right | absent shown | other shown | ms |"
    rows = [head, "|---|---:|---:|---:|---:|---:|---:|"]
    for way in _WAYS:
        here, gone = np.asarray(found[way, "present"]), np.asarray(found[way, "absent"])
        other = found.get((way, "other"))
        shares = [here[:, 1].mean(), here[:, 0].mean(), here.all(1).mean(), gone[:, 0].mean()]
        cells = [f"{100 * share:.1f}" for share in shares]
        cells.append("" if other is None else f"{100 * np.mean([s for s, _ in other]):.1f}")
        cells.append(f"{1e3 * np.median(spent[way]):.0f}")
        rows.append(f"| {way} | {' | '.join(cells)} |")
    count = len(found["sentence", "present"]), len(found["sentence", "absent"])
    return "\n".join(
        [*rows, "", f"{count[0]} present and {count[1]} absent, percent; tIoU {_TIOU}"]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="the folder with flickr8k.tar")
    parser.add_argument("--test", type=Path, required=True, help="composites of the test split")
    parser.add_argument("--library", type=Path, help="the folder is indexed there already")
    parser.add_argument("--most", type=int, default=120, help="queries of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="write the table there as well")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        library = (
            indexed(options.test, Path(scratch))
            if options.library is None
            else Library.open(options.library)
        )
        with library:
            asked = list(asked_of(options.data, options.test, options.most, options.seed))
            table = _measured(library, asked)
    print(json.dumps(describe()), table, sep="\n")
    if options.out is not None:
        with atomic_write(options.out) as draft:
            draft.write_text(table + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
