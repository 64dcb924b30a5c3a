"""The baseline that peers amount to: one frame a second, a cutoff on the similarity, top-k.

The library under it was indexed with ``--uniform 1``. A span grows from the best frame while the
similarity stays above the median plus a fixed share of the peak's rise; the cutoff is one number
for every query and library. Both are given the best value that development videos allow.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.scoring import PredictedMoment, Prediction, Truth
from tempo_edge import Library
from tempo_edge.search.grounders.curve import cut_out
from tempo_edge.search.retrieve import retrieve
from tempo_edge.search.similarity import CurveSettings

__all__ = ["ask", "ask_one", "best_cutoff", "fit_cutoff"]

_SETTINGS = CurveSettings(keep=0.55, smooth=0.0)


def ask(library: Library, queries: Sequence[Truth], cutoff: float = -1.0) -> list[Prediction]:
    """Answer every query; ``best_confidence`` is the best frame's cosine similarity."""
    return [ask_one(library, query["query"], cutoff) for query in queries]


def ask_one(
    library: Library, query: str, cutoff: float, videos: list[int] | None = None
) -> Prediction:
    """Answer one query, of some videos only or of all."""
    vector: NDArray[np.float32] = library.profile.text_tower.encode([query])[0]
    found: list[tuple[float, PredictedMoment]] = []
    for window in retrieve(vector, library.catalogue, library.vectors, videos=videos):
        for segment in cut_out(window, _SETTINGS, np.inf, limit=1):
            found.append(
                (
                    segment.peak,
                    {
                        "file": library.catalogue.files_of(window.video_id)[0].path,
                        "start_seconds": segment.span.start_seconds,
                        "end_seconds": segment.span.end_seconds,
                        "score": segment.peak,
                    },
                )
            )
    found.sort(key=lambda pair: -pair[0])
    best = found[0][0] if found else -1.0
    shown = [moment for peak, moment in found if peak >= cutoff]
    return {"moments": shown[:10], "best_confidence": best}


def fit_cutoff(library: Library, queries: Sequence[Truth]) -> float:
    """The cutoff with the best balanced accuracy of answering and refusing."""
    predictions = ask(library, queries)
    similarity = [float(p["best_confidence"]) for p in predictions]
    return best_cutoff(similarity, [q["present"] for q in queries])


def best_cutoff(confidence: Sequence[float], present: Sequence[bool]) -> float:
    """The confidence from which answering what is present and refusing the rest goes best."""
    values, there = np.asarray(confidence), np.asarray(present)
    cuts = np.sort(values)
    accuracy = [(values[there] >= c).mean() + (values[~there] < c).mean() for c in cuts]
    return float(cuts[int(np.argmax(accuracy))])
