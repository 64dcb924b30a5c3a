"""How far absent sentences can be told from present ones without looking.

``python -m benchmarks.text_only --data DATA`` draws the questions of made-up windows and lets two
readers who see nothing learn which are true: one of the words of a sentence, alone and in pairs,
and one of its vector by the text tower. Each is judged on pictures that it did not learn from. An
AUROC of 50 is wanted: what lies above it, a grounder can have without looking at a frame.

A row is a way of drawing absent sentences. *Uniform* swaps put any word of a line in place of
another, *by word frequency* as often as the other way round, and *balanced* ones by the words
around it, too, as windows have them (:mod:`tempo_edge.evaluation.balanced_swaps`). The first two
are held against captions at random, the others against the present sentences of windows. Half the
pictures of an archive are for fitting the swaps, the others are asked about.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import describe
from tempo_edge.evaluation.balanced_swaps import BalancedSwaps
from tempo_edge.evaluation.hashed_softmax import HashedSoftmax, columns_of
from tempo_edge.evaluation.metrics import auroc
from tempo_edge.evaluation.minimal_pairs import Swap, swap, word_frequencies
from tempo_edge.models import load_profile
from tempo_edge.train.data.archives import Archive
from tempo_edge.train.grounder.examples import Kind
from tempo_edge.train.grounder.synthetic import feature_bank
from tempo_edge.train.grounder.synthetic.mix import Mix
from tempo_edge.train.grounder.synthetic.windows import draw

_WORD = re.compile(r"[a-z]+|[^\sa-z]")
_FOLDS = 5
_SHOTS = (1, 4)  # which sentences are asked hangs little on how much a window shows
_RIDGE = 0.3  # against weights of unit vectors

#: Sentences, and the number of the picture that each was made of.
Sentences = list[tuple[str, int]]


def drawn(bank: feature_bank.FeatureBank, kind: Kind, count: int, seed: int) -> Sentences:
    """The sentences of one kind as windows ask them."""
    rng = np.random.default_rng(seed)
    mix = Mix(
        shots=_SHOTS,
        absent=float(kind != "present"),
        hard=float(kind != "easy"),
        swaps=float(kind == "swap"),
    )
    examples = (draw(bank, mix, rng) for _ in range(count))
    # A look-alike is of the picture that it was made of, not of the one that it resembles.
    return [(each.query, max(each.about - each.shown or each.about)) for each in examples]


def plain(
    captions: Sequence[tuple[str, ...]],
    change: Callable[[str, np.random.Generator], Swap | None] | None,
    count: int,
    seed: int,
) -> Sentences:
    """Captions at random, or swaps of such that could be changed."""
    rng = np.random.default_rng(seed)
    out: Sentences = []
    while len(out) < count:
        picture = int(rng.integers(len(captions)))
        sentence = captions[picture][int(rng.integers(len(captions[picture])))]
        changed = None if change is None else change(sentence, rng)
        if change is None:
            out.append((sentence, picture))
        elif changed is not None:
            out.append((changed.sentence, picture))
    return out


def by_words(
    sentences: Sequence[str], present: NDArray[np.bool_], folds: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The log-odds float64 ``[n]`` of being present, by words and pairs of words.

    A sentence is judged by a classifier that learned from those of the other folds.
    """
    columns = np.stack([columns_of(_features(sentence)) for sentence in sentences])
    out = np.empty(len(sentences))
    for fold in range(_FOLDS):
        learned, judged = folds != fold, folds == fold
        rng = np.random.default_rng(fold)
        softmax = HashedSoftmax.fit(columns[learned], present[learned].astype(np.int64), 2, rng)
        shares = softmax.shares(columns[judged])
        out[judged] = np.log(shares[:, 1]) - np.log(shares[:, 0])
    return out


def _features(sentence: str) -> set[str]:
    words = ["^", *_WORD.findall(sentence.lower()), "$"]
    return {*words, *(" ".join(pair) for pair in itertools.pairwise(words))}


def by_vectors(
    vectors: NDArray[np.float32], present: NDArray[np.bool_], folds: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The log-odds float64 ``[n]`` of being present, by logistic regression on vectors ``[n, d]``.

    A sentence is judged by a model that learned from those of the other folds.
    """
    facts = np.concatenate([vectors.astype(np.float64), np.ones((len(vectors), 1))], axis=1)
    out = np.empty(len(vectors))
    for fold in range(_FOLDS):
        learned, judged = folds != fold, folds == fold
        out[judged] = facts[judged] @ _logistic(facts[learned], present[learned])
    return out


def _logistic(facts: NDArray[np.float64], present: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The weights float64 ``[d]`` of a ridge logistic regression, by Newton's steps."""
    weights, ridge = np.zeros(facts.shape[1]), np.eye(facts.shape[1]) * _RIDGE
    for _ in range(8):
        odds = np.clip(facts @ weights, -30.0, 30.0)
        chance = 1.0 / (1.0 + np.exp(-odds))
        slope = facts.T @ (present - chance) - ridge @ weights
        bend = (facts * (chance * (1.0 - chance))[:, None]).T @ facts + ridge
        weights += np.linalg.solve(bend, slope)
    return weights


def measure(
    data: Path, archive: str, profile: str, count: int, seed: int
) -> dict[str, dict[str, float]]:
    """The AUROC in percent of each reader, for each way of drawing absent sentences."""
    with Archive(data, archive) as opened:
        said = [record.captions for record in opened.split("train")]
    fitting, asked = said[::2], said[1::2]
    known = [caption for captions in fitting for caption in captions]
    frequencies = word_frequencies(known)
    bank = feature_bank.of_captions(asked, BalancedSwaps.fit(known))

    def frequent(sentence: str, rng: np.random.Generator) -> Swap | None:
        return swap(sentence, rng, frequencies=frequencies)

    captions = plain(asked, None, count, seed)
    present = drawn(bank, "present", count, seed)
    rows = {
        "swaps, uniform": (captions, plain(asked, swap, count, seed + 1)),
        "swaps, by word frequency": (captions, plain(asked, frequent, count, seed + 1)),
        "swaps, balanced": (present, drawn(bank, "swap", count, seed + 1)),
        "look-alikes": (present, drawn(bank, "lookalike", count, seed + 1)),
        "easy": (present, drawn(bank, "easy", count, seed + 1)),
    }
    tower = load_profile(profile).text_tower
    vectors: dict[str, NDArray[np.float32]] = {}
    for name, (there, absent) in rows.items():
        print(f"{name}: such as {absent[0][0]!r}", file=sys.stderr)
        fresh = sorted({sentence for sentence, _ in [*there, *absent]} - vectors.keys())
        vectors.update(zip(fresh, tower.encode(fresh), strict=True))
    return {name: _told(*pair, vectors) for name, pair in rows.items()}


def _told(
    there: Sentences, absent: Sentences, vectors: dict[str, NDArray[np.float32]]
) -> dict[str, float]:
    """The AUROC in percent of each reader."""
    sentences = [sentence for sentence, _ in [*there, *absent]]
    folds = np.array([picture % _FOLDS for _, picture in [*there, *absent]])
    present = np.arange(len(sentences)) < len(there)
    read = {
        "words and pairs": by_words(sentences, present, folds),
        "sentence vectors": by_vectors(np.stack([vectors[s] for s in sentences]), present, folds),
    }
    return {
        name: round(100.0 * auroc(odds[present].tolist(), odds[~present].tolist()), 1)
        for name, odds in read.items()
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder with the archive")
    parser.add_argument("--archive", default="flickr8k", help="an archive with captions")
    parser.add_argument("--profile", default="nano", help="whose text tower reads")
    parser.add_argument("--count", type=int, default=3000, help="how many sentences of a kind")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    rows = measure(options.data, options.archive, options.profile, options.count, options.seed)
    print(json.dumps({**describe(), "count": options.count, "seed": options.seed, **rows}))
    readers = list(next(iter(rows.values())))
    print("| absent | " + " | ".join(readers) + " |", "|---|" + "---:|" * len(readers), sep="\n")
    for name, row in rows.items():
        print(f"| {name} | " + " | ".join(f"{row[each]:.1f}" for each in readers) + " |")


if __name__ == "__main__":
    main()
