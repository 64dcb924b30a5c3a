"""Whether a query is found more often in other words than its own.

``python -m benchmarks.phrasings --data DATA --work DIR --profile NAME=DIR …`` asks labels, phrases
of three words, captions and questions of made-up libraries of development pictures: as they are, as
the mean of their vector with those of a few sentences around them (``a photo of …``), and questions
also stripped to what they seek. A library is judged as ``benchmarks.calibration`` does, by the
general calibration. Differences are to the words as they are, with the bounds of 95 % of a paired
bootstrap over queries.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks._asked import Asked, Draw, Picture, asked, draws, pictures
from benchmarks.calibration import Vectors, encoded, facts_of, made_of, named_profile
from benchmarks.machine import describe
from benchmarks.rivals import odds_of
from benchmarks.scoring import difference_cells
from tempo_edge.evaluation.fitting import shortened
from tempo_edge.evaluation.metrics.rejection import auroc
from tempo_edge.evaluation.questions import as_question
from tempo_edge.evaluation.truth import Query
from tempo_edge.models import load_profile
from tempo_edge.models.registry import BUILT_IN, read_profile
from tempo_edge.quantization import unit
from tempo_edge.search.calibrate import Calibration
from tempo_edge.search.fitted import QUICK, calibration_of
from tempo_edge.search.wording import sought

__all__ = ["Asking", "kinds_of", "main"]

_Read = Callable[[str], NDArray[np.float32]]
_Way = Callable[[_Read, str], NDArray[np.float32]]

# Libraries in which the right picture is to come first, how many of each size, and how often
# those of the calibration are drawn.
_SIZES, _LIBRARIES, _ROUNDS = (60, 200, 600), 4, 2

_CAPTIONS, _RESAMPLES = 150, 200

# Sentences around a query.
_AROUND = ("a photo of {}", "a video of {}", "someone {}", "a scene of {}")


def _mean(sentences: Sequence[str]) -> _Way:
    """The mean of a query's vector with those of sentences around it."""
    return lambda read, text: unit(
        np.sum([read(text), *[read(around.format(text)) for around in sentences]], axis=0)
    )


# How each kind of query is said otherwise.
_MEANS: dict[str, _Way] = {
    "mean with 2": _mean(_AROUND[:2]),
    "mean with 4": _mean(_AROUND),
    "a photo of": lambda read, text: read(_AROUND[0].format(text)),
}
_STRIPPED: dict[str, _Way] = {"stripped": lambda read, text: read(sought(text))}


@dataclass(frozen=True)
class Asking:
    """Queries of one kind, and where each is asked.

    Attributes:
        found: the pictures; ``rows``: the whole of each among the views of all.
        drawn: libraries as the calibration draws them.
        libraries: a query, other pictures, and one that it is true of.
    """

    found: list[Picture]
    queries: list[Asked]
    drawn: list[Draw]
    libraries: list[tuple[int, NDArray[np.int64], int]]

    @staticmethod
    def of(found: list[Picture], queries: list[Asked], seed: int) -> Asking:
        """Every query asked of libraries of several sizes, with what it seeks and without."""
        generator = np.random.default_rng(seed)
        drawn = [
            draw
            for turn in range(_ROUNDS)
            for draw in draws(found, queries, seed + turn)
            if draw.size <= max(_SIZES)
        ]
        libraries = []
        for number, query in enumerate(queries):
            others = np.setdiff1d(np.arange(len(found)), query.true)
            for size in _SIZES * _LIBRARIES:
                here = generator.choice(others, min(size - 1, len(others)), replace=False)
                libraries.append((number, here, int(generator.choice(query.true))))
        return Asking(found, queries, drawn, libraries)

    def outcome(self, vectors: Vectors, judge: Calibration, seed: int) -> _Outcome:
        """What comes of a profile's vectors, those of the queries being its texts."""
        rows = np.cumsum([0, *[picture.views for picture in self.found]])[:-1]
        near = vectors.texts @ vectors.pictures[rows].T
        first = [
            bool(near[query, right] > near[query, others].max())
            for query, others, right in self.libraries
        ]
        facts = facts_of(vectors, self.found, self.queries, self.drawn, seed)
        odds = odds_of(facts, judge)
        return _Outcome(np.array(first), odds[facts.best(odds)])

    def measured(self, outcome: _Outcome, of: NDArray[np.int64]) -> list[float]:
        """Right one first, AUROC and false alarms, of queries each as often as it is named."""
        times = np.bincount(of, minlength=len(self.queries))
        weight = times[[query for query, *_ in self.libraries]]
        often = times[[draw.query for draw in self.drawn]]
        present = np.repeat([bool(draw.here) for draw in self.drawn], often)
        top = np.repeat(outcome.top, often)
        level = np.quantile(top[present], 0.2)
        return [
            100 * float((outcome.first * weight).sum() / weight.sum()),
            100 * auroc(top[present].tolist(), top[~present].tolist()),
            100 * float((top[~present] >= level).mean()),
        ]


@dataclass(frozen=True)
class _Outcome:
    """Whether the right picture came first, by library; the highest log-odds, by draw."""

    first: NDArray[np.bool_]
    top: NDArray[np.float64]


def kinds_of(found: list[Picture], seed: int) -> dict[str, list[Asked]]:
    """Labels, three words of captions, captions, and questions for all but the second."""
    generator = np.random.default_rng(seed)
    labelled: dict[tuple[str, str], list[int]] = {}
    for number, picture in enumerate(found):
        if picture.label is not None:
            labelled.setdefault((picture.source, picture.label), []).append(number)
    labels = [Asked(text, source, tuple(of)) for (source, text), of in sorted(labelled.items())]
    captioned = [number for number, picture in enumerate(found) if picture.captions]
    captions = []
    for number in generator.choice(captioned, _CAPTIONS, replace=False).tolist():
        text = found[number].captions[int(generator.integers(len(found[number].captions)))]
        captions.append(Asked(text, found[number].source, (number,)))
    return {
        "labels": labels,
        "three words": [
            replace(query, text=shortened(Query(query.text, None, ())).text) for query in captions
        ],
        "captions": captions,
        "questions": [
            replace(query, text=as_question(query.text, number))
            for number, query in enumerate(labels + captions)
        ],
    }


def tell(
    at: Asking, name: str, kind: str, vectors: dict[str, Vectors], judge: Calibration, seed: int
) -> None:
    """Print what comes of each way to say the queries of one kind; the first is the plain one."""
    generator = np.random.default_rng(seed)
    everyone = np.arange(len(at.queries))
    outcomes = {way: at.outcome(of, judge, seed) for way, of in vectors.items()}
    again = [generator.choice(everyone, len(everyone)) for _ in range(_RESAMPLES)]
    plain = next(iter(outcomes.values()))
    base = np.array([at.measured(plain, of) for of in again])
    for way, outcome in outcomes.items():
        measured = at.measured(outcome, everyone)
        cells = [f"{value:.1f}" for value in measured]
        if outcome is not plain:
            moved = np.array([at.measured(outcome, of) for of in again]) - base
            cells = difference_cells(measured, moved)
        print(f"| {name} | {kind} | {way} | {' | '.join(cells)} |", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the archives of pictures")
    parser.add_argument("--work", type=Path, required=True, help="vectors are kept here")
    parser.add_argument("--profile", type=named_profile, action="append", default=[])
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    everything = pictures(options.data)
    known = asked(options.data, everything, options.seed)
    of_dev = [p.source != "coco_sentences" and p.file.startswith("dev/") for p in everything]
    found = [picture for picture, dev in zip(everything, of_dev, strict=True) if dev]
    shown = np.repeat(of_dev, [picture.views for picture in everything])
    kinds = kinds_of(found, options.seed)
    asking = {kind: Asking.of(found, queries, options.seed) for kind, queries in kinds.items()}
    judge = calibration_of(load_profile("nano"), QUICK)
    print(json.dumps({**describe(), **{kind: len(queries) for kind, queries in kinds.items()}}))
    print("| profile | query | said | right one first | AUROC | false alarms at 80 % |")
    print("|---|---|---|---|---|---|", flush=True)
    for name, folder in [("nano", BUILT_IN / "nano"), *options.profile]:
        base = encoded(folder, options.work, options.data, everything, known)
        base = replace(base, pictures=base.pictures[shown])
        read = _reader(folder)
        for kind, queries in kinds.items():
            others = _STRIPPED if kind == "questions" else _MEANS
            ways: dict[str, _Way] = {"as asked": lambda read, text: read(text), **others}
            said = {
                way: replace(base, texts=np.stack([how(read, query.text) for query in queries]))
                for way, how in ways.items()
            }
            tell(asking[kind], name, kind, said, judge, options.seed)
            if name == "nano":
                few = {way: made_of(of, options.seed)["projected"] for way, of in said.items()}
                tell(asking[kind], "projected", kind, few, judge, options.seed)


def _reader(folder: Path) -> _Read:
    """A profile's way from a sentence to its vector, each worked out once."""
    tower = read_profile(folder).text_tower
    return cache(lambda text: np.asarray(tower.encode([text])[0]))


if __name__ == "__main__":
    main()
