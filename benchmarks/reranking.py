"""What a library gains where its best moments are put in order by counterfactual margins.

``python -m benchmarks.reranking --films DIR [--library FILE]`` asks each query of a folder made by
``benchmarks.composites`` of all its videos at once, by the grounder ``curve``. To the log-odds of
each moment a share of the query's log-probability among its counterfactuals is added, over the
frames that the moment shows, and the first moment is judged again; nothing is fitted. How often the
right one is among the first tells how much any order could gain.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.composites import load_composites
from benchmarks.machine import describe
from benchmarks.scoring import Truth
from tempo_edge import Library, Moment
from tempo_edge.evaluation.metrics import auroc
from tempo_edge.evaluation.metrics.spans import tiou
from tempo_edge.quantization import dequantize
from tempo_edge.search.grounders.prompt import Question, opposed
from tempo_edge.store.interface import Catalogue

__all__ = ["Judged", "gains", "main", "table"]

# Moments that are put in order, and shares of the log-probability that are tried.
_MOST, _SHARES = 30, (0.0, 0.25, 0.5, 1.0, 2.0)

_AMONG = (1, 3, 5, 10, 30)

# The frames of a whole video.
_ALL = (-(2**62), 2**62)


@dataclass(frozen=True)
class Judged:
    """A query with the moments ``[k]`` that were found for it, most likely first.

    Attributes:
        present: whether it is there at all.
        log_odds: of each moment; ``margins``: the query's log-probability among its
            counterfactuals over its frames.
        overlaps: the best temporal IoU of each with what is true; ``files``: whether it lies in the
            right file.
    """

    present: bool
    log_odds: NDArray[np.float64]
    margins: NDArray[np.float64]
    overlaps: NDArray[np.float64]
    files: NDArray[np.bool_]

    def first(self, share: float) -> tuple[float, int]:
        """The score of the moment that comes first by such a share, and its place."""
        scores = self.log_odds + share * self.margins
        return float(scores.max()), int(scores.argmax())


def judge(library: Library, queries: Sequence[Truth]) -> list[Judged]:
    """Each query as a library answers it, without those that it has no moment for."""
    profile = library.profile
    with library.store.reader() as catalogue, catalogue.snapshot():
        frames = _Frames(catalogue)
        judged = []
        for query in queries:
            text = query["query"]
            vector = profile.text_tower.encode([text])[0]
            states = np.zeros((1, 1), np.float32)
            asked = Question.of(vector, states, profile.background, text)
            asked = opposed(asked, text, profile.text_tower)
            found = library.find(text, limit=_MOST, min_confidence=0.0, grounder="curve").moments
            if found:
                margins = [asked.margin(frames.of(moment)) for moment in found]
                judged.append(_judged(query, found, margins))
        return judged


def _judged(query: Truth, found: Sequence[Moment], margins: Sequence[float]) -> Judged:
    sure = np.clip([moment.confidence for moment in found], 1e-6, 1 - 1e-6)
    files = np.array([moment.path.name == query["file"] for moment in found])
    spans = [(moment.start_seconds, moment.end_seconds) for moment in found]
    true = [(float(start), float(end)) for start, end in query["spans"]]
    overlaps = [max((tiou(span, each) for each in true), default=0.0) for span in spans]
    return Judged(
        query["present"],
        np.log(sure / (1 - sure)),
        np.array(margins),
        np.where(files, overlaps, 0.0),
        files,
    )


class _Frames:
    """The frames of a library's moments."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._videos = {path: row.video_id for path, row in catalogue.files().items()}
        self._read: dict[int, tuple[NDArray[np.float64], NDArray[np.float32]]] = {}

    def of(self, moment: Moment) -> NDArray[np.float32]:
        """Unit vectors ``[n, d]`` of what a moment shows, the nearest one if it has none."""
        video = self._videos[str(moment.path)]
        assert video is not None
        if video not in self._read:
            facts = self._catalogue.video(video)
            pts, _, packed = self._catalogue.frames_between(video, *_ALL)
            self._read[video] = (
                pts.astype(np.float64) * float(facts.time_base),
                dequantize(packed),
            )
        seconds, vectors = self._read[video]
        inside = (seconds >= moment.start_seconds) & (seconds < moment.end_seconds)
        if inside.any():
            return vectors[inside]
        return vectors[[int(np.abs(seconds - moment.start_seconds).argmin())]]


def gains(judged: Sequence[Judged], present: int) -> dict[float, dict[str, float]]:
    """Figures in percent by the share of the log-probability.

    Args:
        present: how many queries are there, those without any moment among them.
    """
    rows = {}
    for share in _SHARES:
        firsts = [(each, *each.first(share)) for each in judged]
        there = [(each, at) for each, _, at in firsts if each.present]
        scores = [[s for each, s, _ in firsts if each.present is kind] for kind in (True, False)]
        rows[share] = {
            "R1@0.5": 100.0 * sum(each.overlaps[at] >= 0.5 for each, at in there) / present,
            "R1@0.7": 100.0 * sum(each.overlaps[at] >= 0.7 for each, at in there) / present,
            "file R@1": 100.0 * sum(bool(each.files[at]) for each, at in there) / present,
            "AUROC": 100.0 * auroc(*scores),
        }
    return rows


def table(rows: dict[float, dict[str, float]]) -> str:
    """A GitHub table, a row a share."""
    names = list(next(iter(rows.values())))
    lines = ["| share | " + " | ".join(names) + " |", "|---:|" + "---:|" * len(names)]
    for share, row in rows.items():
        lines.append(f"| {share:g} | " + " | ".join(f"{row[name]:.1f}" for name in names) + " |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=Path, required=True, help="composites, of development")
    parser.add_argument("--library", type=Path, help="kept there, and taken up if it is there")
    options = parser.parse_args(arguments)
    queries = load_composites(options.films).queries
    with tempfile.TemporaryDirectory() as scratch:
        path = options.library or Path(scratch) / "library.db"
        with Library.open(path, profile="nano") as library:
            library.index([options.films])
            judged = judge(library, queries)
    present = sum(query["present"] for query in queries)
    print(table(gains(judged, present)))
    there = [each for each in judged if each.present]
    for most in _AMONG:
        found = sum(bool((each.overlaps[:most] >= 0.7).any()) for each in there)
        print(f"the right one, at 0.7, among the first {most}: {100.0 * found / present:.1f} %")
    print(json.dumps(describe()))


if __name__ == "__main__":
    main()
