"""Fit how likely lines of words answer a query: ``models/line_calibration.json``.

``python -m tempo_edge.evaluation.line_fitting --data DIR`` reads the captions of ``flickr8k.tar``,
of which each picture has five, and makes libraries of many sizes whose lines are one caption of
each of some pictures. Asked are the lines themselves, some of their words, the other captions,
which say the same in other words, and captions of pictures that are not there. Beside these, things
that people say and paraphrases of them (``--lines``), half of which only measure: there people's
words differ more, and what is absent is farther off. It is fitted on the train split; what it comes
to on the dev split and on the lines held out is printed. The real store and the real search find
what is judged.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge.evaluation.fitting import shortened
from tempo_edge.evaluation.truth import Query
from tempo_edge.models.line_encoder import LineEncoder, is_readable
from tempo_edge.models.registry import LINE_CALIBRATION, load_profile
from tempo_edge.quantization import dequantize, quantize
from tempo_edge.search.calibrate import fit_monotone
from tempo_edge.search.line_finder import JudgedLine, LineFinder, Meaning
from tempo_edge.search.line_judge import FACTS, LINES_WEIGHT, WORD_FACTS, LineJudge
from tempo_edge.search.lines import WantedWords
from tempo_edge.store.interface import WritableCatalogue
from tempo_edge.store.opening import open_store
from tempo_edge.store.rows import FileRow, VideoRow
from tempo_edge.words.line import KINDS, Line

__all__ = ["Asked", "asked_of", "captions_of", "fitted", "main"]

# Lines of a library that is drawn, and how often one of that size is.
_SIZES = ((10, 5), (60, 2), (300, 1), (1500, 1))

# Pictures that are asked about in each library, and as many that it lacks, at most.
_ASKED = 60

# The share of absent queries that may be answered, on what it is fitted on.
_FALSE_ALARMS = 0.02

# Facts of a line with a vector that are weighed; more of them are no better on lines held out.
_WEIGHED = ("in_a_row", "rare_share", "cosine", "above_lines", "apart")

_LINES_OF_A_FILM = 50
_SECONDS = 4.0


@dataclass(frozen=True)
class Asked:
    """A query, and what the search found.

    Attributes:
        kind: ``exact``, ``some words``, ``paraphrase`` or ``absent``.
        lines: what was found, with its facts; ``right``: which of it are answers, ``[n]``.
    """

    kind: str
    lines: Sequence[JudgedLine]
    right: NDArray[np.bool_]


def captions_of(data: Path, split: str) -> list[list[str]]:
    """The captions of each picture of a split of Flickr8k."""
    with tarfile.open(data / "flickr8k.tar") as tar:
        index = tar.extractfile("index.jsonl")
        assert index is not None
        rows = [json.loads(line) for line in index]
    return [row["captions"] for row in rows if row["file"].startswith(f"{split}/")]


def asked_of(
    pictures: Sequence[Sequence[str]],
    encoder: LineEncoder,
    judge: LineJudge,
    scratch: Path,
    seed: int,
) -> Iterator[Asked]:
    """Queries of libraries of many sizes, whose lines are captions of some pictures.

    Args:
        pictures: the captions of each, two at least.
        scratch: a folder for the libraries.
    """
    rng = random.Random(seed)
    for size, times in _SIZES:
        for time in range(times):
            drawn = rng.sample(pictures, min(len(pictures), size + _ASKED))
            here, elsewhere = drawn[:size], drawn[size:]
            library = scratch / f"{size}-{time}.db"
            yield from _asked_of(library, here, elsewhere, encoder, judge, rng)


def _asked_of(
    library: Path,
    here: Sequence[Sequence[str]],
    elsewhere: Sequence[Sequence[str]],
    encoder: LineEncoder,
    judge: LineJudge,
    rng: random.Random,
) -> Iterator[Asked]:
    """Queries of one library: of pictures that it has a line of, and of some that it has not."""
    lines = [captions[0] for captions in here]
    queries = [("absent", rng.choice(captions), "") for captions in elsewhere]
    for captions in rng.sample(here, min(len(here), _ASKED)):
        line = captions[0]
        short = shortened(Query(line, "", ())).text
        queries += [("exact", line, line), ("some words", short, line)]
        queries += [("some words", _misremembered(line, rng), line)]
        queries += [("paraphrase", text, line) for text in rng.sample(captions[1:], 2)]
    yield from _answers(library, lines, queries, encoder, judge)


def _answers(
    library: Path,
    lines: Sequence[str],
    queries: Sequence[tuple[str, str, str]],
    encoder: LineEncoder,
    judge: LineJudge,
) -> Iterator[Asked]:
    """What a library of some lines gives for queries: (kind, text, the line that is right)."""
    store = open_store(library)
    with store.writer() as catalogue:
        fill(catalogue, lines, encoder)
        search = store.line_vectors(catalogue)
        search.refresh()
        finder = LineFinder(catalogue, judge)
        vectors = encoder.encode([text for _, text, _ in queries])
        for (kind, text, line), vector in zip(queries, vectors, strict=True):
            wanted = WantedWords.of(text)
            meaning = Meaning(vector, search) if is_readable(text) else None
            found = finder.judged(wanted, KINDS, None, meaning)
            held = FACTS.index("rare_share")
            right = [
                bool(line)
                and (
                    each.hit.line.text == line or (kind == "some words" and each.facts[held] > 0.99)
                )
                for each in found
            ]
            yield Asked(kind, found, np.asarray(right, dtype=np.bool_))


def spoken_of(
    table: Path, encoder: LineEncoder, judge: LineJudge, scratch: Path, *, held_out: bool
) -> Iterator[Asked]:
    """Queries of a library of things that people say, and of one that lacks what is asked for.

    Args:
        table: language, line and a paraphrase of it in each row, with tabs between.
        held_out: whether those rows are asked for that nothing is fitted on; else the others are.
    """
    halves = halves_of(table)
    asked, others = halves[::-1] if held_out else halves
    lines, queries = [row[1] for half in halves for row in half], []
    for _, line, paraphrase in asked:
        queries += [("exact", line, line), ("paraphrase", paraphrase, line)]
    yield from _answers(scratch / "all.db", lines, queries, encoder, judge)
    absent = [("absent", text, "") for row in asked for text in row[1:]]
    yield from _answers(scratch / "half.db", [row[1] for row in others], absent, encoder, judge)


def halves_of(table: Path) -> tuple[list[list[str]], list[list[str]]]:
    """The rows of a table of things that people say: those that are fitted on, and the others."""
    rows = [row.split("\t") for row in table.read_text(encoding="utf-8").splitlines()]
    random.Random(0).shuffle(rows)
    return rows[: len(rows) // 2], rows[len(rows) // 2 :]


def _misremembered(line: str, rng: random.Random) -> str:
    """A line without a third of its words."""
    words = line.split()
    kept = sorted(rng.sample(range(len(words)), max(1, 2 * len(words) // 3)))
    return " ".join(words[at] for at in kept)


def fill(catalogue: WritableCatalogue, lines: Sequence[str], encoder: LineEncoder) -> None:
    """Write films without a picture that have these lines, and their sentence vectors."""
    for first in range(0, len(lines), _LINES_OF_A_FILM):
        part = lines[first : first + _LINES_OF_A_FILM]
        seconds = _SECONDS * len(part)
        video = VideoRow("h264", 64, 48, seconds, None, Fraction(1, 1000), Fraction(0))
        with catalogue.transaction():
            row = catalogue.put_video(
                first.to_bytes(8, "big"), video, [], np.zeros((0, 2), np.float32)
            )
            path = f"/films/{first:06d}.mp4"
            catalogue.put_file(FileRow(path, "", 1, 1, "indexed", "", row))
            spans = [(_SECONDS * at, _SECONDS * (at + 1)) for at in range(len(part))]
            put = [Line(*span, "subtitle", text) for span, text in zip(spans, part, strict=True)]
            catalogue.put_lines(row, KINDS, put)
    catalogue.begin_line_vectors(encoder.digest)
    hits = [hit for hit in catalogue.lines_to_read(len(lines)) if is_readable(hit.line.text)]
    vectors = encoder.encode([hit.line.text for hit in hits])
    catalogue.put_line_vectors(hits[-1].id, [hit.id for hit in hits], quantize(vectors))


def fitted(asked: Sequence[Asked], features: Sequence[str]) -> dict[str, Any]:
    """Weights and bias over some facts, by the line of each query that they make the likeliest.

    Args:
        features: the first ones of :data:`FACTS`.
    """
    count = len(features)
    facts = [
        np.asarray([line.facts[:count] for line in each.lines if len(line.facts) >= count])
        for each in asked
    ]
    told = [at for at, each in enumerate(facts) if 0 < len(each) == len(asked[at].lines)]
    weights = np.zeros(count)
    weights[features.index("cosine" if "cosine" in features else "rare_share")] = 1.0
    bias = 0.0
    for _ in range(6):
        best = [int(np.argmax(facts[at] @ weights)) for at in told]
        chosen = np.stack([facts[at][pick] for at, pick in zip(told, best, strict=True)])
        right = np.asarray([asked[at].right[pick] for at, pick in zip(told, best, strict=True)])
        if count == len(FACTS):
            offset = LINES_WEIGHT * chosen[:, -1]
            weighed = [features.index(name) for name in _WEIGHED]
            weights = np.zeros(count)
            weights[weighed], bias = fit_monotone(chosen[:, weighed], right, offset=offset)
            weights[-1] = LINES_WEIGHT
        else:
            weights, bias = fit_monotone(chosen, right)
    kept = [(name, float(w)) for name, w in zip(features, weights, strict=True) if w]
    return {"features": [n for n, _ in kept], "weights": [w for _, w in kept], "bias": bias}


def odds(
    asked: Iterable[Asked], about: dict[str, Any], words: dict[str, Any]
) -> dict[str, list[tuple[float, bool]]]:
    """By the kind of query, the log-odds of the likeliest line and whether it is right.

    Args:
        about: how lines with a vector are judged; ``words``: how those without one are.
    """
    found: dict[str, list[tuple[float, bool]]] = {}
    for each in asked:
        best = (-np.inf, False)
        for line, right in zip(each.lines, each.right, strict=True):
            judge = about if len(line.facts) == len(FACTS) else words
            held = [line.facts[FACTS.index(name)] for name in judge["features"]]
            score = float(np.dot(held, judge["weights"])) + judge["bias"]
            best = max(best, (score, bool(right)))
        found.setdefault(each.kind, []).append(best)
    return found


def _threshold(asked: Sequence[Asked], about: dict[str, Any], words: dict[str, Any]) -> float:
    """The probability from which few enough absent queries are answered."""
    absent = [score for score, _ in odds(asked, about, words)["absent"]]
    level = float(np.quantile(absent, 1 - _FALSE_ALARMS))
    return float(np.clip(1 / (1 + np.exp(-level)), 0.3, 0.95))


def report(asked: Sequence[Asked], contents: dict[str, Any]) -> str:
    """A row for each kind of query: how many, the share that is answered, and rightly."""
    level = np.log(contents["threshold"] / (1 - contents["threshold"]))
    rows = ["| queries | number | first line right | answered |", "|---|---:|---:|---:|"]
    for kind, found in odds(asked, contents["meaning"], contents["words"]).items():
        right = np.mean([is_right for _, is_right in found])
        answered = np.mean([score >= level for score, _ in found])
        rows.append(f"| {kind} | {len(found)} | {100 * right:.1f} % | {100 * answered:.1f} % |")
    return "\n".join(rows)


def _by_chance(pictures: Sequence[Sequence[str]], encoder: LineEncoder) -> tuple[float, float]:
    """Mean and standard deviation of the cosine of two lines of different pictures."""
    vectors = dequantize(quantize(encoder.encode([captions[0] for captions in pictures[:800]])))
    cosines = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    return float(cosines.mean()), float(cosines.std())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="the folder with flickr8k.tar")
    parser.add_argument("--lines", type=Path, required=True, help="benchmarks/said.tsv")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dry-run", action="store_true", help="print, write nothing")
    options = parser.parse_args(arguments)
    encoder = LineEncoder(load_profile("nano"))
    table = options.lines
    train = captions_of(options.data, "train")
    mean, std = _by_chance(train, encoder)
    contents: dict[str, Any] = {"mean": mean, "std": std, "threshold": 0.5}
    judge = LineJudge.unfitted(mean, std)
    with tempfile.TemporaryDirectory() as scratch:
        captions = list(asked_of(train, encoder, judge, Path(scratch), options.seed))
        spoken = list(spoken_of(table, encoder, judge, Path(scratch), held_out=False))
    asked = captions + 2 * spoken
    words, meaning = fitted(asked, WORD_FACTS), fitted(asked, FACTS)
    contents["threshold"] = _threshold(spoken, meaning, words)
    contents |= {"words": words, "meaning": meaning}
    contents["fitted"] = {"queries": len(asked), "seed": options.seed, "model": encoder.digest}
    if not options.dry_run:
        LINE_CALIBRATION.write_text(json.dumps(contents, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(contents, indent=1))
    with tempfile.TemporaryDirectory() as scratch:
        pictures = captions_of(options.data, "dev")
        dev = list(asked_of(pictures, encoder, judge, Path(scratch), options.seed + 1))
        others = list(spoken_of(table, encoder, judge, Path(scratch), held_out=True))
    for name, of in (("captions of the dev split", dev), ("lines that are held out", others)):
        print(f"\n{name}:\n{report(of, contents)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
