"""How well what is present is told from what is absent, on profiles that no calibration saw.

``python -m benchmarks.calibration --data DATA --work DIR --profile NAME=DIR …`` asks queries of
made-up libraries of pictures, from six to a thousand hours of frames, by the vectors of several
profiles. Beside those that are given two are made of the first: ``projected`` has its vectors in 64
random directions, ``offset`` has them pushed apart, pictures one way and sentences another, as far
as they are in models that were trained on millions of pairs.

Each profile is judged by a calibration that was fitted on it, and by one that was fitted on all the
others. With ``--write FILE`` the general calibration, fitted on all, is written.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from benchmarks._asked import LARGE, SIZES, Asked, Draw, Picture, asked, draws, pictures, views
from benchmarks._training_pairs import pair_odds, training_pairs
from benchmarks.machine import describe
from tempo_edge._files import atomic_write
from tempo_edge.evaluation.metrics.rejection import auroc
from tempo_edge.models.registry import BUILT_IN, read_profile
from tempo_edge.quantization import unit
from tempo_edge.search.calibrate import Calibration
from tempo_edge.search.contrast import EVIDENCE, Cohort, Contrast

__all__ = [
    "Facts",
    "Vectors",
    "best_views",
    "encoded",
    "facts_of",
    "made_up",
    "main",
    "named_profile",
]

_TOP = 5
_SAMPLE = 2048

# How far frames made up for a large library are from a real one, as in `benchmarks.query`.
_NOISE = 0.6

# Standard deviations that a share of ``exp(-rarity)`` of normal draws reaches.
_RARITY = np.linspace(0.7, 34.0, 2000)
_DEVIATIONS = [-NormalDist().inv_cdf(float(np.exp(-rarity))) for rarity in _RARITY]

# Libraries in which an answer is looked for first, and how many of the present are to be answered.
_SMALL, _ANSWERED = (60, 200), 0.75


@dataclass(frozen=True)
class Vectors:
    """What one profile makes of everything, all of unit length: ``[n, d]`` each.

    Attributes:
        pictures: every view of every picture; ``texts``: the queries.
        sentences: generic ones; ``background``: unrelated pictures.
        trained, captions: pictures that towers were trained on, and a caption of each.
    """

    pictures: NDArray[np.float32]
    texts: NDArray[np.float32]
    sentences: NDArray[np.float32]
    background: NDArray[np.float32]
    trained: NDArray[np.float32]
    captions: NDArray[np.float32]

    def mapped(self, of_pictures: _Map, of_texts: _Map) -> Vectors:
        """The vectors of a profile made of this one."""
        return Vectors(
            of_pictures(self.pictures),
            of_texts(self.texts),
            of_texts(self.sentences),
            of_pictures(self.background),
            of_pictures(self.trained),
            of_texts(self.captions),
        )


@dataclass(frozen=True)
class Facts:
    """The evidence of the likeliest frames of each draw.

    Attributes:
        evidence: ``[n, f]``; ``similarity``: ``[n]``.
        start: where each draw's rows begin, ``[m]``.
        right: whether the frame is of a picture that the query is true of, ``[n]``.
        present: whether one is in the library, ``[m]``; ``size``: of the library, ``[m]``.
    """

    evidence: NDArray[np.float64]
    similarity: NDArray[np.float64]
    start: NDArray[np.int64]
    right: NDArray[np.bool_]
    present: NDArray[np.bool_]
    size: NDArray[np.int64]

    def best(self, score: NDArray[np.float64]) -> NDArray[np.int64]:
        """The row of each draw that scores highest."""
        ends = [*self.start[1:], len(score)]
        return np.array(
            [a + int(np.argmax(score[a:b])) for a, b in zip(self.start, ends, strict=True)]
        )

    def with_pair(self, vectors: Vectors) -> Facts:
        """The same with the log-odds of a pair before all other evidence: the model's own word."""
        scale, bias = pair_odds(vectors.trained, vectors.captions)
        odds = scale * self.similarity + bias
        return replace(self, evidence=np.column_stack([odds, self.evidence]))


class _Map:
    """Unit vectors projected, or pushed one way."""

    def __init__(self, matrix: NDArray[np.float32] | None, shift: NDArray[np.float32]) -> None:
        self._matrix, self._shift = matrix, shift

    def __call__(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        moved = vectors if self._matrix is None else vectors @ self._matrix
        return unit(np.asarray(moved + self._shift, dtype=np.float32))


def encoded(
    folder: Path, work: Path, data: Path, found: list[Picture], queries: list[Asked]
) -> Vectors:
    """The vectors of a profile, kept in the work folder."""
    profile = read_profile(folder)
    texts = [query.text for query in queries]
    about = json.dumps([profile.fingerprint, texts, [p.file for p in found]])
    kept = work / f"{hashlib.sha256(about.encode()).hexdigest()[:16]}.npz"
    if not kept.exists():
        images = work / "views.npy"
        if not images.exists():
            np.save(images, views(data, found))
        shown = np.load(images, mmap_mode="r")
        seen = [
            profile.image_tower.encode(np.asarray(shown[i : i + 64]))[0]
            for i in range(0, len(shown), 64)
        ]
        with atomic_write(kept) as draft, draft.open("wb") as file:
            read = profile.text_tower.encode(texts)
            np.savez(file, pictures=np.concatenate(seen), texts=read, sentences=profile.sentences)
    with np.load(kept) as stored:
        arrays = {name: stored[name] for name in stored.files}
    trained, captions = training_pairs(folder, work, data)
    return Vectors(**arrays, background=profile.background, trained=trained, captions=captions)


def made_of(base: Vectors, seed: int) -> dict[str, Vectors]:
    """Two further profiles made of one."""
    generator = np.random.default_rng(seed)
    dim = base.pictures.shape[1]
    matrix = generator.normal(size=(dim, 64)).astype(np.float32)
    one, other = unit(generator.normal(size=(2, dim)).astype(np.float32))
    projected = _Map(matrix, np.zeros(64, np.float32))
    return {
        "projected": base.mapped(projected, projected),
        "offset": base.mapped(_Map(None, 1.2 * one), _Map(None, 1.5 * unit(other + 0.15 * one))),
    }


def facts_of(
    vectors: Vectors, found: list[Picture], queries: list[Asked], drawn: list[Draw], seed: int
) -> Facts:
    """The evidence of every draw."""
    generator = np.random.default_rng(seed)
    cohort = Cohort.of(vectors.sentences, vectors.background)
    firsts = np.cumsum([0, *[picture.views for picture in found]])
    rows: list[NDArray[np.float64]] = []
    scores: list[float] = []
    right: list[bool] = []
    start: list[int] = []
    owner = np.repeat(np.arange(len(found)), np.diff(firsts))
    for draw in drawn:
        query = vectors.texts[draw.query]
        similar = vectors.pictures @ query
        view = best_views(similar, firsts, owner)
        own = view[list(draw.here)]
        if draw.size == LARGE:
            frames, sample = made_up(vectors, firsts, draw, query, similar, generator)
            count = LARGE
        else:
            shown = view[draw.library]
            frames = vectors.pictures[shown[np.argsort(-similar[shown])[:_TOP]]]
            sample = vectors.pictures[shown]
            count = sum(found[i].views for i in draw.library)
        candidates = np.concatenate([frames, vectors.pictures[own]])
        contrast = Contrast.of(query, cohort, vectors.background, sample, count + len(own))
        start.append(len(rows))
        rows += [contrast.facts(frame) for frame in candidates]
        scores += (candidates @ query).tolist()
        right += [False] * len(frames) + [True] * len(own)
    return Facts(
        np.array(rows),
        np.array(scores),
        np.array(start),
        np.array(right),
        np.array([bool(draw.here) for draw in drawn]),
        np.array([draw.size for draw in drawn]),
    )


def best_views(
    similar: NDArray[np.float32], firsts: NDArray[np.int64], owner: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The view of each picture that is nearest to a query, ``[p]``."""
    highest = np.maximum.reduceat(similar, firsts[:-1])
    hits = np.flatnonzero(similar == highest[owner])
    return np.asarray(hits[np.unique(owner[hits], return_index=True)[1]])


def made_up(
    vectors: Vectors,
    firsts: NDArray[np.int64],
    draw: Draw,
    query: NDArray[np.float32],
    similar: NDArray[np.float32],
    generator: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The likeliest frames of a large library and a sample of it, without making all of it.

    Every frame is a picture's vector and noise. How the noise that lies along the query is spread
    over millions of frames is known, so the highest of each picture's are drawn at once.
    """
    base = firsts[draw.library]
    noise = _NOISE / len(query) ** 0.5
    copies = LARGE // len(base)
    rarity = -np.log(-np.expm1(np.log(generator.random(len(base))) / copies))
    highest = np.interp(rarity, _RARITY, _DEVIATIONS) * noise
    best = np.argsort(-(similar[base] + highest))[: _TOP - 1]
    moved = generator.normal(0, noise, (len(best), len(query)))
    moved += (highest[best] - moved @ query)[:, None] * query
    frames = unit(np.asarray(vectors.pictures[base[best]] + moved, dtype=np.float32))
    some = base[generator.integers(len(base), size=_SAMPLE)]
    sample = vectors.pictures[some] + generator.normal(0, noise, (_SAMPLE, len(query)))
    return frames, unit(np.asarray(sample, dtype=np.float32))


def fitted(of: Sequence[Facts], features: Sequence[str] = EVIDENCE) -> Calibration:
    """The calibration of several profiles, each of which counts alike."""
    picks = [facts.best(facts.evidence[:, features.index("above_sentences")]) for facts in of]
    present = np.concatenate([facts.present for facts in of])
    for _ in range(4):
        chosen = [facts.evidence[pick] for facts, pick in zip(of, picks, strict=True)]
        calibration = Calibration.fitted(np.concatenate(chosen), present, features)
        picks = [facts.best(facts.evidence @ calibration.weights) for facts in of]
    return calibration


def measured(facts: Facts, score: NDArray[np.float64]) -> dict[str, float]:
    """AUROC and false alarms at 80 % answered, each the mean over the sizes of libraries.

    ``right`` is the AUROC of draws whose best frame is the right one against absent ones.
    """
    best = facts.best(score)
    top, right = score[best], facts.right[best]
    rows: list[tuple[float, float, float]] = []
    for size in (*SIZES, LARGE):
        of = facts.size == size
        present, absent = of & facts.present, of & ~facts.present
        level = np.quantile(top[present], 0.2)
        rows.append(
            (
                auroc(top[present].tolist(), top[absent].tolist()),
                auroc(top[of & right].tolist(), top[absent].tolist()),
                float((top[absent] >= level).mean()),
            )
        )
    means = np.mean(rows, axis=0)
    return dict(zip(("auroc", "right", "alarms"), (100 * means).tolist(), strict=True))


def by_size(facts: Facts, score: NDArray[np.float64], drawn: list[Draw]) -> str:
    """Answered and false alarms by size, at the level that answers most of the small; refused."""
    top = score[facts.best(score)]
    small = np.isin(facts.size, _SMALL) & facts.present
    level = np.quantile(top[small], 1 - _ANSWERED)
    cells = []
    for size in (*SIZES, LARGE):
        of = facts.size == size
        rates = [(top[of & kind] >= level).mean() for kind in (facts.present, ~facts.present)]
        cells.append(f"{100 * rates[0]:.0f}, {100 * rates[1]:.0f}")
    large = {draw.query: top[i] for i, draw in enumerate(drawn) if draw.size == LARGE and draw.here}
    answered = [
        large[draw.query] < level
        for i, draw in enumerate(drawn)
        if small[i] and top[i] >= level and draw.query in large
    ]
    return " | ".join([*cells, f"{100 * np.mean(answered):.1f}"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    options = _parser().parse_args(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    found = pictures(options.data)
    queries = asked(options.data, found, options.seed)
    drawn = draws(found, queries, options.seed)
    profiles: dict[str, Vectors] = {}
    for name, folder in [("nano", BUILT_IN / "nano"), *options.profile]:
        profiles[name] = encoded(folder, options.work, options.data, found, queries)
        print(f"{name}: encoded", file=sys.stderr)
    profiles |= made_of(profiles["nano"], options.seed)
    facts = {n: facts_of(v, found, queries, drawn, options.seed) for n, v in profiles.items()}
    print(json.dumps({**describe(), "queries": len(queries), "draws": len(drawn)}))
    _tell(facts, drawn)
    _tell_of_pairs({name: of.with_pair(profiles[name]) for name, of in facts.items()})
    if options.write is not None:
        general = fitted(list(facts.values()))
        kept = {name: w for name, w in zip(EVIDENCE, general.weights.tolist(), strict=True) if w}
        shape = json.loads((BUILT_IN / "nano" / "calibration.json").read_text())["curve"]
        contents = {
            "features": list(kept),
            "weights": list(kept.values()),
            "bias": general.bias,
            "threshold": general.threshold,
            "default": "curve",
            "curve": shape,
            "fitted": {"profiles": list(facts), "draws": len(drawn), "seed": options.seed},
        }
        with atomic_write(options.write) as draft:
            draft.write_text(json.dumps(contents, indent=1) + "\n", encoding="utf-8")


def _tell(facts: dict[str, Facts], drawn: list[Draw]) -> None:
    """Print the tables."""
    print("\n| statistic | " + " | ".join(facts) + " |\n|---|" + "---|" * len(facts))
    for number, name in enumerate(("similarity", *EVIDENCE[:-1])):
        cells = []
        for of in facts.values():
            score = of.evidence[:, number - 1] if number else of.similarity
            figures = measured(of, score)
            cells.append(f"{figures['auroc']:.1f}, {figures['right']:.1f}")
        print(f"| {name} | {' | '.join(cells)} |")
    print("\n| profile | similarity | its own fit | all others' fit |\n|---|---|---|---|")
    chosen: dict[str, Calibration] = {}
    for name, of in facts.items():
        chosen[name] = fitted([other for key, other in facts.items() if key != name])
        scores = [of.similarity, *[of.evidence @ c.weights for c in (fitted([of]), chosen[name])]]
        cells = [", ".join(f"{v:.1f}" for v in measured(of, score).values()) for score in scores]
        print(f"| {name} | {' | '.join(cells)} |")
    print("\n| profile | " + " | ".join(map(str, (*SIZES, LARGE))) + " | refused |")
    print("|---|" + "---|" * (len(SIZES) + 2))
    for name, of in facts.items():
        print(f"| {name} | {by_size(of, of.evidence @ chosen[name].weights, drawn)} |")


def _tell_of_pairs(facts: dict[str, Facts]) -> None:
    """Print what the log-odds of a pair add to the fits, and what they weigh in them."""
    features = ("read", *EVIDENCE)
    print("\n| profile | its own fit with the pair | all others' fit with it | weight |")
    print("|---|---|---|---|")
    for name, of in facts.items():
        others = [other for key, other in facts.items() if key != name]
        fits = fitted([of], features), fitted(others, features)
        figures = [measured(of, of.evidence @ fit.weights) for fit in fits]
        cells = [", ".join(f"{v:.1f}" for v in each.values()) for each in figures]
        weights = ", ".join(f"{fit.weights[0]:.2f}" for fit in fits)
        print(f"| {name} | {' | '.join(cells)} | {weights} |")


def named_profile(text: str) -> tuple[str, Path]:
    name, mark, folder = text.partition("=")
    if not mark or not (Path(folder) / "profile.json").exists():
        raise argparse.ArgumentTypeError(f"{text!r} must be NAME=DIR with DIR/profile.json")
    return name, Path(folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the archives of pictures")
    parser.add_argument("--work", type=Path, required=True, help="vectors are kept here")
    parser.add_argument(
        "--profile",
        type=named_profile,
        action="append",
        default=[],
        metavar="NAME=DIR",
        help="a folder that holds a profile; repeat for more",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, help="write the general calibration here")
    return parser


if __name__ == "__main__":
    main()
