"""Measures the grounding of an annotated folder of videos, as the field does: in the right video.

Each sentence is asked of its own video. So that refusals can be measured, sentences of other videos
(easy) and sentences with one word changed (swaps) are asked of it, too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge import Library
from tempo_edge.evaluation.metrics import (
    LENGTHS,
    SALIENCY,
    THRESHOLDS,
    Interval,
    ScoredInterval,
    of_length,
    score_grounding,
    score_highlights,
    score_precision,
    score_refusals,
)
from tempo_edge.evaluation.metrics.qvhighlights import CLIP_SECONDS
from tempo_edge.search.window import Window
from tempo_edge.train.data.annotations import READERS, Annotation, read_annotations
from tempo_edge.train.grounder.absent_sentences import AbsentSentences
from tempo_edge.train.grounder.annotated_windows import indexed_annotations, whole_video
from tempo_edge.train.progress_log import Say

# How much more a confidence weighs than a cosine when clips are ranked.
_FIRST = 100.0


@dataclass(frozen=True)
class EvaluateSettings:
    """The settings of a measurement.

    ``videos`` is a folder, ``annotations`` a file of the ``kind`` that :data:`READERS` name; both
    relative to the settings' own folder. ``absent`` is the number of absent sentences for each
    present one, ``hard`` the share of them that are a true one with a word changed, ``most`` the
    number of present sentences asked, 0 for all, drawn by ``seed``.
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
        for name in ("absent", "most", "seed"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} {getattr(self, name)} must not be negative")


@dataclass(frozen=True)
class Asked:
    """One sentence asked of one video, and its answer.

    ``true`` is empty where nothing shows it; ``found`` are all spans with their confidence, best
    first. Where annotators valued clips, ``saliency`` is what they gave and ``clips`` are scores.
    """

    kind: str
    true: tuple[Interval, ...]
    found: tuple[ScoredInterval, ...]
    saliency: NDArray[np.int64] | None = None
    clips: tuple[float, ...] = ()

    @property
    def confidence(self) -> float:
        """The confidence of the likeliest span; 0 where there is none."""
        return max((confidence for *_, confidence in self.found), default=0.0)


def questions(
    annotations: Sequence[Annotation], settings: EvaluateSettings
) -> list[tuple[str, Annotation]]:
    """Every question with its kind, the same for the same seed; absent ones have no spans.

    Where too few sentences can be changed, more are asked of other videos.
    """
    rng = np.random.default_rng(settings.seed)
    asked = list(annotations)
    if settings.most and settings.most < len(asked):
        asked = [asked[i] for i in sorted(rng.choice(len(asked), settings.most, replace=False))]
    wanted = round(settings.absent * len(asked))
    absent = AbsentSentences(annotations)
    swapped = _swapped(absent, asked, round(settings.hard * wanted), rng)
    easy = _elsewhere(absent, asked, wanted - len(swapped), rng)
    rows = [("present", each) for each in asked]
    return [*rows, *(("swap", each) for each in swapped), *(("easy", each) for each in easy)]


def _swapped(
    absent: AbsentSentences, asked: Sequence[Annotation], count: int, rng: np.random.Generator
) -> list[Annotation]:
    """Sentences with one word changed, of their own videos: as many as are wanted or can be."""
    if not count:
        return []
    out: list[Annotation] = []
    for row in rng.permutation(len(asked)).tolist():
        changed = absent.swapped(asked[row], rng)
        if changed is not None:
            out.append(Annotation(asked[row].video, changed, ()))
            if len(out) == count:
                break
    return out


def _elsewhere(
    absent: AbsentSentences, asked: Sequence[Annotation], count: int, rng: np.random.Generator
) -> list[Annotation]:
    """Sentences asked of videos of which they are not said: as many as are wanted or can be."""
    videos = [each.video for each in asked]
    out: list[Annotation] = []
    for row in rng.permutation(len(asked)).tolist():
        at = absent.elsewhere(asked[row].query, videos, rng) if len(out) < count else None
        if at is not None:
            out.append(Annotation(videos[at], asked[row].query, ()))
    return out


def ask(
    library: Library, annotations: Sequence[Annotation], settings: EvaluateSettings
) -> list[Asked]:
    """Ask everything of the videos that the library holds.

    Raises:
        DataError: it holds none of them.
    """
    known = indexed_annotations(library, annotations)
    files = {annotation.video: row for annotation, row in known}
    rows = []
    for kind, asked in questions([each for each, _ in known], settings):
        file, saliency = files[asked.video], asked.saliency
        answer = library.find(
            asked.query, within=file.path, min_confidence=0.0, grounder=settings.grounder
        )
        found = tuple((m.start_seconds, m.end_seconds, m.confidence) for m in answer)
        clips: tuple[float, ...] = ()
        if saliency is not None and file.video_id is not None:
            vector = library.profile.text_tower.encode([asked.query])[0]
            clips = clip_scores(whole_video(library, file.video_id, vector), found, len(saliency))
        rows.append(Asked(kind, asked.spans, found, saliency, clips))
    return rows


def clip_scores(window: Window, found: Sequence[ScoredInterval], clips: int) -> tuple[float, ...]:
    """The score of every two seconds of a video, by the frame that stands for their middle.

    What lies in a span comes first, by the span's confidence, then what looks like the query.
    """
    middles = (np.arange(clips) + 0.5) * CLIP_SECONDS
    frames = np.searchsorted(window.edges, middles, side="right") - 1
    looks = window.similarities[np.clip(frames, 0, len(window.pts) - 1)].astype(np.float64)
    sure = np.zeros(clips)
    for start, end, confidence in found:
        inside = (middles >= start) & (middles < end)
        sure[inside] = np.maximum(sure[inside], confidence)
    return tuple((_FIRST * sure + looks).tolist())


def figures(rows: Sequence[Asked], threshold: float = 0.5) -> dict[str, float]:
    """The figures of the field in percent; NaN where nothing can be counted.

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
    out.update(_highlights([row for row in present if row.saliency is not None]))
    for kind in ("present", "easy", "swap"):
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


def _highlights(rows: Sequence[Asked]) -> dict[str, float]:
    """The figures of clips' ranks, as QVHighlights counts them; none without annotators' values."""
    out: dict[str, float] = {}
    for name, minimum in SALIENCY.items() if rows else ():
        values = [row.saliency for row in rows if row.saliency is not None]
        scores = score_highlights([row.clips for row in rows], values, minimum)
        out[f"hl_map_{name.lower()}"] = scores.mean_ap
        out[f"hl_hit1_{name.lower()}"] = scores.hit1
    return out


def evaluate(
    settings: EvaluateSettings, here: Path, library: Path, profile: str, say: Say
) -> dict[str, Any]:
    """Index the videos where that is still to do, ask everything, and give the figures."""
    annotations = read_annotations(here / settings.annotations, settings.kind)
    with Library.open(library, profile=profile) as opened:
        report = opened.index([here / settings.videos])
        say(f"{report.indexed} videos indexed, {len(annotations)} annotations")
        rows = ask(opened, annotations, settings)
        pictures = opened.searcher.pictures
        threshold = pictures.calibration(pictures.grounder(settings.grounder)).threshold
    counts = {kind: sum(row.kind == kind for row in rows) for kind in ("present", "easy", "swap")}
    return {**asdict(settings), "asked": counts, "figures": figures(rows, threshold)}
