"""What a new decoder judges presence by, fitted on windows of one half and judged on the other's.

``python -m benchmarks.presence --data DATA --work WORK`` draws made-up windows of development
pictures and tells present questions from absent ones by the evidence that a prompt holds: the best
frame's z-score, the query's log-probability among its counterfactuals, and a logistic fit of both.
Every question is also asked *blind*, of a window that shows nothing that it was made of: what is
above 50 there is how sentences are worded and not what is seen. The fit is what
:mod:`tempo_edge.train.grounder.model.presence` begins with.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import describe
from tempo_edge.models import load_profile
from tempo_edge.search.calibrate import fit_monotone
from tempo_edge.search.grounders.prompt import EVIDENCE, Z_SCORE_SCALE
from tempo_edge.train.grounder.examples import ABSENT, HARD, Kind
from tempo_edge.train.grounder.held_out_windows import HeldOutWindows, told_apart
from tempo_edge.train.grounder.prompt_builder import PromptBuilder
from tempo_edge.train.grounder.synthetic.mix import Mix
from tempo_edge.train.grounder.training import Places, dev_windows

Numbers = NDArray[np.float64]


def evidence(windows: HeldOutWindows, builder: PromptBuilder) -> tuple[Numbers, Numbers]:
    """The evidence float64 ``[n, 2]`` for each question, seeing and blind; NaN without a twin."""
    seen = [builder.prompt(each).features[-1, EVIDENCE] for each in windows.examples]
    blind = [
        np.full(2, np.nan) if twin is None else builder.prompt(twin).features[-1, EVIDENCE]
        for twin in windows.twins
    ]
    return (
        np.array(seen, np.float64) / Z_SCORE_SCALE,
        np.array(blind, np.float64) / Z_SCORE_SCALE,
    )


def table(rows: dict[str, tuple[Numbers, Numbers]], kinds: NDArray[np.str_]) -> list[str]:
    """The lines of a table of scores ``[n]``, seeing and blind, by what they are of."""
    groups: list[tuple[str, Sequence[Kind]]] = [
        ("hard", HARD),
        *((kind, (kind,)) for kind in ABSENT),
    ]
    lines = [
        f"| evidence | {' | '.join(f'{name} | blind' for name, _ in groups)} |",
        "|---|" + "---:|" * (2 * len(groups)),
    ]
    for name, scores in rows.items():
        cells = [f"{told_apart(each, kinds, of):.1f}" for _, of in groups for each in scores]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder with the archives")
    parser.add_argument("--work", type=Path, required=True, help="keeps encoded pictures")
    parser.add_argument("--profile", default="nano", help="default %(default)s")
    parser.add_argument("--count", type=int, default=2000, help="windows of each half")
    options = parser.parse_args(arguments)
    profile = load_profile(options.profile)
    builder = PromptBuilder(profile)
    places = Places(options.data, options.work, options.work, options.work)

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    def half(reported: bool) -> tuple[Numbers, Numbers, NDArray[np.str_]]:
        windows = dev_windows(
            Mix(shots=(4, 14)), places, profile, builder, options.count, say, reported=reported
        )
        kinds = np.array([each.kind for each in windows.examples])
        return (*evidence(windows, builder), kinds)

    fitted, _, kinds = half(False)
    weights, bias = fit_monotone(fitted, kinds == "present")
    seen, blind, kinds = half(True)
    rows = {
        "z-score of the best frame": (seen[:, 0], blind[:, 0]),
        "log-probability among counterfactuals": (seen[:, 1], blind[:, 1]),
        "both, fitted": (seen @ weights + bias, blind @ weights + bias),
    }
    print("\n".join(table(rows, kinds)))
    facts = {"weights": weights.round(3).tolist(), "bias": round(bias, 3)}
    print(json.dumps({**describe(), "count": options.count, **facts}))


if __name__ == "__main__":
    main()
