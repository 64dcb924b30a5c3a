"""What a profile loses in a small library that brings no unrelated pictures of its own.

``python -m benchmarks.small_libraries --data DATA --work DIR`` asks queries of the made-up small
libraries of ``benchmarks.calibration``, each held against the profile's background, against the
library's own frames alone, and against what stands for a background (``search.contrast``). The
answer's own frames are among the library's, as they are in a real one.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks._asked import Draw, Picture, asked, draws, pictures
from benchmarks.calibration import Vectors, best_views, encoded, made_of
from benchmarks.machine import describe
from tempo_edge.evaluation.metrics.rejection import auroc
from tempo_edge.models import load_profile
from tempo_edge.models.registry import BUILT_IN
from tempo_edge.search.calibrate import FEATURES, Calibration
from tempo_edge.search.contrast import EVIDENCE, Cohort, Contrast, stand_in
from tempo_edge.search.fitted import QUICK, calibration_of

__all__ = ["FOOTAGE", "confidences", "main"]

Array = NDArray[np.float32]

SIZES = (6, 20, 60, 200)

#: Unrelated footage for a library's frames ``[n, d]``.
FOOTAGE: dict[str, Callable[[Vectors, Array], Array]] = {
    "its own background": lambda vectors, frames: vectors.background,
    "the library's frames": lambda vectors, frames: frames,
    "what stands for one": lambda vectors, frames: stand_in(frames, vectors.sentences),
}

_CANDIDATES = 5


def confidences(
    vectors: Vectors, found: list[Picture], drawn: list[Draw], footage: str, judge: Calibration
) -> NDArray[np.float64]:
    """The highest confidence of each draw, by the :data:`FOOTAGE` of that name."""
    firsts = np.cumsum([0, *[picture.views for picture in found]])
    owner = np.repeat(np.arange(len(found)), np.diff(firsts))
    cohort = Cohort.of(vectors.sentences, vectors.background)
    highest: list[float] = []
    for draw in drawn:
        query = vectors.texts[draw.query]
        here = [*draw.library.tolist(), *draw.here]
        frames = vectors.pictures[np.isin(owner, here)]
        unrelated = FOOTAGE[footage](vectors, frames)
        if unrelated is not vectors.background:
            cohort = Cohort.of(vectors.sentences, unrelated)
        contrast = Contrast.of(query, cohort, unrelated, frames, len(frames))
        shown = best_views(vectors.pictures @ query, firsts, owner)[here]
        likely = vectors.pictures[shown]
        likely = likely[np.argsort(-(likely @ query))[:_CANDIDATES]]
        evidence = np.stack([contrast.facts(frame) for frame in likely])
        facts = np.zeros((len(likely), len(FEATURES)))
        facts[:, [FEATURES.index(name) for name in EVIDENCE]] = evidence
        highest.append(max(judge.confidence(row) for row in facts))
    return np.array(highest)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the archives of pictures")
    parser.add_argument("--work", type=Path, required=True, help="vectors are kept here")
    parser.add_argument("--draws", type=int, default=1600, help="how many libraries")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    found = pictures(options.data)
    queries = asked(options.data, found, options.seed)
    small = [draw for draw in draws(found, queries, options.seed) if draw.size in SIZES]
    order = np.random.default_rng(0).permutation(len(small))[: options.draws]
    drawn = [small[i] for i in order.tolist()]
    size = np.array([draw.size for draw in drawn])
    present = np.array([bool(draw.here) for draw in drawn])
    judge = calibration_of(load_profile("nano"), QUICK)
    nano = encoded(BUILT_IN / "nano", options.work, options.data, found, queries)
    print(json.dumps({**describe(), "draws": len(drawn)}))
    print("| profile | held against | " + " | ".join(map(str, SIZES)) + " |")
    print("|---|---|" + "---|" * len(SIZES))
    for name, vectors in {"nano": nano, "offset": made_of(nano, options.seed)["offset"]}.items():
        for footage in FOOTAGE:
            likely = confidences(vectors, found, drawn, footage, judge)
            cells = [_cell(likely[size == n], present[size == n], judge.threshold) for n in SIZES]
            print(f"| {name} | {footage} | {' | '.join(cells)} |", flush=True)


def _cell(confidence: NDArray[np.float64], present: NDArray[np.bool_], level: float) -> str:
    """AUROC, answered and false alarms."""
    area = auroc(confidence[present].tolist(), confidence[~present].tolist())
    rates = [(confidence[kind] >= level).mean() for kind in (present, ~present)]
    return ", ".join(f"{100 * rate:.1f}" for rate in (area, *rates))


if __name__ == "__main__":
    main()
