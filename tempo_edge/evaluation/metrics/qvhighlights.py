"""QVHighlights: its files, and all the figures that its authors publish for a prediction file.

The figures carry the names of the authors' own report, joined with ``/``: ``full/MR-mAP/0.5``,
``short/MR-R1/0.7``, ``HL-min-Fair/HL-Hit1``; those under ``brief`` repeat some of the others.
``full/MR-mIoU`` is not among theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge.evaluation.metrics.grounding import LADDER, score_grounding
from tempo_edge.evaluation.metrics.highlights import HIGHEST, SALIENCY, score_highlights
from tempo_edge.evaluation.metrics.lines import listed, number, numbers, read_json_lines
from tempo_edge.evaluation.metrics.precision import LENGTHS, of_length, score_precision
from tempo_edge.evaluation.metrics.spans import (
    Interval,
    ScoredInterval,
    check_predicted,
    check_true,
)

CLIP_SECONDS = 2
ANNOTATORS = 3


@dataclass(frozen=True, eq=False)
class Label:
    """A query's truth.

    Attributes:
        windows: the spans that show it.
        saliency: int64 [clips, 3], what each annotator gave each clip of the video, 0 to 4.
    """

    qid: int
    windows: tuple[Interval, ...]
    saliency: NDArray[np.int64]


@dataclass(frozen=True)
class Prediction:
    """A query's prediction: spans with scores, best first, and one score a clip."""

    qid: int
    windows: tuple[ScoredInterval, ...]
    saliency: tuple[float, ...]


def read_labels(path: Path) -> list[Label]:
    """The queries of a split, as released: JSON lines, plain or gzipped.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a line is not as released; the text names file, line, field and value.
    """
    return read_json_lines(path, _label)


def read_answers(path: Path) -> list[Prediction]:
    """A prediction file in the authors' format: JSON lines, plain or gzipped.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a line is not in the format; the text names file, line, field and value.
    """
    return read_json_lines(path, _answer)


def _label(facts: dict[str, Any]) -> Label:
    windows: list[Interval] = []
    for window in listed(facts, "relevant_windows"):
        start, end = numbers("relevant_windows", window, 2)
        check_true("relevant_windows", (start, end))
        windows.append((start, end))
    if not windows:
        raise ValueError("relevant_windows [] must hold at least one window")
    return Label(_qid(facts), tuple(windows), saliency_of(facts))


def _qid(facts: dict[str, Any]) -> int:
    qid = facts["qid"]
    if not isinstance(qid, int):
        raise ValueError(f"qid {str(qid)[:40]} must be a whole number")
    return qid


def saliency_of(facts: dict[str, Any]) -> NDArray[np.int64]:
    """The marks of each annotator for each clip, int64 [clips, 3], from a line of a split's file.

    Raises:
        ValueError: it is not as released.
    """
    clips = int(number("duration", facts["duration"]) / CLIP_SECONDS)
    if clips < 1:
        raise ValueError(f"duration {facts['duration']} must hold a clip of {CLIP_SECONDS} s")
    ids, rows = listed(facts, "relevant_clip_ids"), listed(facts, "saliency_scores")
    if len(ids) != len(rows):
        raise ValueError(f"{len(rows)} saliency_scores for {len(ids)} relevant_clip_ids")
    values = np.zeros((clips, ANNOTATORS), np.int64)
    for clip, row in zip(ids, rows, strict=True):
        if not isinstance(clip, int) or not 0 <= clip < clips:
            raise ValueError(f"relevant_clip_ids {clip} must be within 0 to {clips - 1}")
        given = numbers("saliency_scores", row, ANNOTATORS)
        if not all(0 <= value <= HIGHEST for value in given):
            raise ValueError(f"saliency_scores {row} must be within 0 to {HIGHEST}")
        values[clip] = given
    return values


def _answer(facts: dict[str, Any]) -> Prediction:
    windows: list[ScoredInterval] = []
    for window in listed(facts, "pred_relevant_windows"):
        start, end, score = numbers("pred_relevant_windows", window, 3)
        check_predicted("pred_relevant_windows", (start, end, score))
        windows.append((start, end, score))
    given = listed(facts, "pred_saliency_scores")
    scores = numbers("pred_saliency_scores", given, len(given))
    if not scores or not np.isfinite(scores).all():
        raise ValueError(f"pred_saliency_scores {str(scores)[:40]} must be finite, at least one")
    return Prediction(_qid(facts), tuple(windows), tuple(scores))


def figures(answers: Sequence[Prediction], labels: Sequence[Label]) -> dict[str, float]:
    """Every figure in percent, not rounded; NaN for a length that no query has.

    Raises:
        ValueError: the two do not hold the same queries, each once.
    """
    by_id = {label.qid: label for label in labels}
    _check_ids([answer.qid for answer in answers], [label.qid for label in labels])
    truth = [by_id[answer.qid] for answer in answers]
    found = _moments("full", answers, [label.windows for label in truth])
    for name, (longer_than, at_most) in LENGTHS.items():
        windows = [of_length(label.windows, longer_than, at_most) for label in truth]
        kept = [at for at, some in enumerate(windows) if some]
        part = _moments(name, [answers[at] for at in kept], [windows[at] for at in kept])
        found |= {key: figure for key, figure in part.items() if not key.endswith("mIoU")}
    for name, minimum in SALIENCY.items():
        scores = score_highlights(
            [answer.saliency for answer in answers], [label.saliency for label in truth], minimum
        )
        found[f"HL-min-{name}/HL-mAP"] = scores.mean_ap
        found[f"HL-min-{name}/HL-Hit1"] = scores.hit1
    return found | _brief(found)


def _check_ids(asked: Sequence[int], known: Sequence[int]) -> None:
    for where, qids in (("answers", asked), ("labels", known)):
        if len(set(qids)) != len(qids):
            twice = next(qid for qid, count in Counter(qids).items() if count > 1)
            raise ValueError(f"qid {twice} occurs more than once in the {where}")
    if odd := sorted(set(asked) ^ set(known)):
        where = "answers" if odd[0] in known else "labels"
        raise ValueError(f"qid {odd[0]} is missing from the {where} ({len(odd)} differ in all)")


def _moments(
    name: str, answers: Sequence[Prediction], truth: Sequence[Sequence[Interval]]
) -> dict[str, float]:
    precision = score_precision([answer.windows for answer in answers], truth)
    spans = [[window[:2] for window in answer.windows] for answer in answers]
    first = score_grounding(spans, truth, LADDER)
    return {
        **{f"{name}/MR-mAP/{at}": figure for at, figure in precision.at.items()},
        f"{name}/MR-mAP/average": precision.average,
        **{f"{name}/MR-R1/{at}": figure for at, figure in first.r1.items()},
        f"{name}/MR-mIoU": first.mean_iou,
    }


def _brief(found: dict[str, float]) -> dict[str, float]:
    short = {
        "MR-full-R1@0.5": "full/MR-R1/0.5",
        "MR-full-R1@0.7": "full/MR-R1/0.7",
        "MR-full-mAP": "full/MR-mAP/average",
        "MR-full-mAP@0.5": "full/MR-mAP/0.5",
        "MR-full-mAP@0.75": "full/MR-mAP/0.75",
        **{f"MR-{name}-mAP": f"{name}/MR-mAP/average" for name in LENGTHS},
        **{f"HL-min-{name}-mAP": f"HL-min-{name}/HL-mAP" for name in SALIENCY},
        **{f"HL-min-{name}-Hit1": f"HL-min-{name}/HL-Hit1" for name in SALIENCY},
    }
    return {f"brief/{name}": found[key] for name, key in short.items()}
