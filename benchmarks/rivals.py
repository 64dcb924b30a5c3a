"""What puts the right moment first, and what many nearly as likely others say of the first one.

``python -m benchmarks.rivals --data DATA --work DIR --profile NAME=DIR …`` takes the queries,
libraries and profiles of ``benchmarks.calibration``, by default every fourth draw, and the general
calibration. Rivals are other pictures here, of which the five nearest are looked at.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks._asked import LARGE, SIZES, asked, draws, pictures
from benchmarks.calibration import Facts, encoded, facts_of, made_of, named_profile
from benchmarks.machine import describe
from tempo_edge.models import load_profile
from tempo_edge.models.registry import BUILT_IN
from tempo_edge.search.calibrate import FEATURES, Calibration, log_odds
from tempo_edge.search.contrast import EVIDENCE
from tempo_edge.search.fitted import QUICK, calibration_of

__all__ = ["first_right", "main", "odds_of", "unsure"]

# Log-odds within which another one is nearly as likely, as in ``search.candidates``, and how many
# such make an answer unsure.
_NEARLY, _MANY = 1.0, 4

_GROUPS = (SIZES[:4], SIZES[4:], (LARGE,))


def odds_of(facts: Facts, judge: Calibration) -> NDArray[np.float64]:
    """The log-odds of every frame of every draw, ``[n]``."""
    weights = judge.weights[[FEATURES.index(name) for name in EVIDENCE]]
    return np.asarray(facts.evidence @ weights + judge.bias)


def first_right(facts: Facts, score: NDArray[np.float64], sizes: Sequence[int]) -> float:
    """The share of present queries whose right frame scores highest, at these sizes."""
    of = facts.present & np.isin(facts.size, sizes)
    return float(facts.right[facts.best(score)][of].mean())


def unsure(
    facts: Facts, odds: NDArray[np.float64], level: float, sizes: Sequence[int]
) -> tuple[float, float, float]:
    """Of what is answered: the share that is unsure, and that of right ones of these and others."""
    best = facts.best(odds)
    ends = [*facts.start[1:], len(odds)]
    # Of a large library four frames are looked at beside the right ones: all of them, then.
    many = np.array(
        [
            (odds[a:b] >= odds[first] - _NEARLY).sum() > min(_MANY, b - a - 1)
            for a, b, first in zip(facts.start, ends, best, strict=True)
        ]
    )
    answered = (odds[best] >= level) & np.isin(facts.size, sizes)
    right, other = (
        float(facts.right[best][kind].mean()) if kind.any() else float("nan")
        for kind in (answered & many, answered & ~many)
    )
    return float(many[answered].mean()), right, other


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the archives of pictures")
    parser.add_argument("--work", type=Path, required=True, help="vectors are kept here")
    parser.add_argument("--profile", type=named_profile, action="append", default=[])
    parser.add_argument("--every", type=int, default=4, help="take one draw of so many")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    found = pictures(options.data)
    queries = asked(options.data, found, options.seed)
    drawn = draws(found, queries, options.seed)[:: options.every]
    profiles = {
        name: encoded(folder, options.work, options.data, found, queries)
        for name, folder in [("nano", BUILT_IN / "nano"), *options.profile]
    }
    profiles |= made_of(profiles["nano"], options.seed)
    judge = calibration_of(load_profile("nano"), QUICK)
    facts = {n: facts_of(v, found, queries, drawn, options.seed) for n, v in profiles.items()}
    print(json.dumps({**describe(), "draws": len(drawn)}))
    tell(facts, judge)


def tell(facts: dict[str, Facts], judge: Calibration) -> None:
    """Print the tables."""
    print("| profile | pictures | similarity | residual | above_sentences | confidence | both |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for name, of in facts.items():
        odds = odds_of(of, judge)
        evidence = [of.evidence[:, EVIDENCE.index(n)] for n in ("residual", "above_sentences")]
        scores = [of.similarity, *evidence, odds, odds + 20 * of.similarity]
        for sizes in _GROUPS:
            cells = [f"{100 * first_right(of, score, sizes):.1f}" for score in scores]
            print(f"| {name} | {sizes[0]} to {sizes[-1]} | {' | '.join(cells)} |")
    every = (*SIZES, LARGE)
    print("\n| profile | " + " | ".join(map(str, every)) + " | all |")
    print("|---|" + "---|" * (len(every) + 1))
    for name, of in facts.items():
        odds = odds_of(of, judge)
        rows = [unsure(of, odds, log_odds(judge.threshold), [n]) for n in every]
        rows.append(unsure(of, odds, log_odds(judge.threshold), every))
        cells = [", ".join(f"{100 * share:.0f}" for share in row) for row in rows]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
