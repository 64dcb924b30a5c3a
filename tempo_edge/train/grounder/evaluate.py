"""Measures the grounding of an annotated folder of videos, as the field does: in the right video.

Each sentence is asked of its own video. So that refusals can be measured, sentences of other videos
(easy) and sentences with one word changed (hard) are asked of it, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tempo_edge import Library
from tempo_edge.train.grounder.footage import READERS, Annotation, held, read_annotations
from tempo_edge.train.metrics import (
    LENGTHS,
    THRESHOLDS,
    ScoredSpan,
    Span,
    of_length,
    score_grounding,
    score_precision,
    score_refusals,
)
from tempo_edge.train.swaps import swap

Say = Callable[[str], None]


@dataclass(frozen=True)
class EvaluateSettings:
    """What is measured.

    ``videos`` is a folder, ``annotations`` a file of the ``kind`` that :data:`READERS` name; both
    relative to the settings' own folder. ``absent`` is the number of absent sentences for each
    present one, ``hard`` the share of them that are nearly true, ``most`` the number of present
    sentences asked, 0 for all, drawn by ``seed``.
    """

    videos: str = "."
    annotations: str = "annotations.jsonl"
    kind: str = "qvhighlights"
    grounder: str = "mllm"
    absent: float = 0.5
    hard: float = 0.75
    most: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in READERS:
            raise ValueError(f"kind {self.kind!r} must be one of {', '.join(READERS)}")
        if not 0.0 <= self.hard <= 1.0:
            raise ValueError(f"hard {self.hard} must be within [0, 1]")
        for name in ("absent", "most"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} {getattr(self, name)} must not be negative")


@dataclass(frozen=True)
class Asked:
    """One sentence asked of one video, and what was answered.

    ``true`` is empty where nothing shows it; ``found`` are all spans with their confidence, best
    first.
    """

    kind: str
    true: tuple[Span, ...]
    found: tuple[ScoredSpan, ...]

    @property
    def confidence(self) -> float:
        """That of the likeliest span."""
        return max((confidence for *_, confidence in self.found), default=0.0)


def questions(
    annotations: Sequence[Annotation], settings: EvaluateSettings
) -> list[tuple[str, str, str, tuple[Span, ...]]]:
    """(kind, video, sentence, true spans) of every question, the same for the same seed."""
    rng = np.random.default_rng(settings.seed)
    asked = list(annotations)
    if settings.most and settings.most < len(asked):
        asked = [asked[i] for i in sorted(rng.choice(len(asked), settings.most, replace=False))]
    rows = [("present", each.video, each.query, each.spans) for each in asked]
    for at in rng.permutation(len(asked))[: round(settings.absent * len(asked))].tolist():
        own = asked[at]
        changed = swap(own.query, rng) if rng.random() < settings.hard else None
        if changed is not None:
            rows.append(("hard", own.video, changed.sentence, ()))
            continue
        others = [each for each in asked if each.video != own.video]
        if others:
            other = others[int(rng.integers(len(others)))]
            rows.append(("easy", own.video, other.query, ()))
    return rows


def ask(
    library: Library, annotations: Sequence[Annotation], settings: EvaluateSettings
) -> list[Asked]:
    """Ask everything of the videos that the library holds.

    Raises:
        DataError: it holds none of them.
    """
    known = held(library, annotations)
    paths = {annotation.video: row.path for annotation, row in known}
    rows = []
    for kind, video, query, true in questions([each for each, _ in known], settings):
        answer = library.find(
            query, within=paths[video], min_confidence=0.0, grounder=settings.grounder
        )
        found = tuple((m.start_seconds, m.end_seconds, m.confidence) for m in answer)
        rows.append(Asked(kind, true, found))
    return rows


def figures(rows: Sequence[Asked], threshold: float = 0.5) -> dict[str, float]:
    """Everything in percent; what can't be counted is NaN.

    R@1 and mIoU take the first span whether it would be shown or not, as the field does; the shares
    answered, false alarms and reject-F1 are of what a search with this threshold would show.
    """
    present = [row for row in rows if row.kind == "present"]
    spans = [[(start, end) for start, end, _ in row.found] for row in present]
    truth = [row.true for row in present]
    grounding = score_grounding(spans, truth)
    out = {f"r1_at_{at}": grounding.r1[at] for at in THRESHOLDS}
    out["mean_iou"] = grounding.mean_iou
    precision = score_precision([row.found for row in present], truth)
    out.update({"map": precision.average, "map_at_0.5": precision.at[0.5]})
    out["map_at_0.75"] = precision.at[0.75]
    for name, bounds in LENGTHS.items():
        some = [(row.found, of_length(row.true, *bounds)) for row in present]
        some = [(found, true) for found, true in some if true]
        scored = score_precision([found for found, _ in some], [true for _, true in some])
        out[f"map_{name}"] = scored.average
    for kind in ("present", "easy", "hard"):
        shown = [
            bool(row.found) and row.confidence >= threshold for row in rows if row.kind == kind
        ]
        name = "answered" if kind == "present" else f"false_alarms_{kind}"
        out[name] = 100 * float(np.mean(shown)) if shown else math.nan
    sure = [row.confidence for row in rows]
    refusals = score_refusals(sure, [row.kind == "present" for row in rows], threshold=threshold)
    out.update(
        reject_f1=refusals.reject_f1, auroc=refusals.auroc, calibration_error=refusals.ece_mass
    )
    return {name: round(value, 2) for name, value in out.items()}


def evaluate(
    settings: EvaluateSettings, here: Path, library: Path, profile: str, say: Say
) -> dict[str, Any]:
    """Index the videos where that is still to do, ask everything, and give the figures."""
    annotations = read_annotations(here / settings.annotations, settings.kind)
    with Library.open(library, profile=profile) as opened:
        report = opened.index([here / settings.videos])
        say(f"{report.indexed} videos indexed, {len(annotations)} annotations")
        rows = ask(opened, annotations, settings)
        searcher = opened.searcher
        threshold = searcher.calibration(searcher.grounder(settings.grounder)).threshold
    counts = {kind: sum(row.kind == kind for row in rows) for kind in ("present", "easy", "hard")}
    return {**asdict(settings), "asked": counts, "figures": figures(rows, threshold)}
