"""Eight invented queries in QVHighlights' format, with answers whose figures are counted by hand.

Their windows are of all three lengths and on both edges of them. Among the answers: one without any
window, one that says the same window twice, one not in the order of its scores, and one whose right
window comes eleventh, where it no longer counts.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def _label(qid: int, query: str, duration: int, *windows: list[int]) -> Row:
    """Clips inside the windows get values that go round 4, 3, 2, 1, each annotator one further."""
    clips = [clip for start, end in windows for clip in range(start // 2, end // 2)]
    return {
        "qid": qid,
        "query": query,
        "duration": duration,
        "vid": f"video{qid}",
        "relevant_clip_ids": clips,
        "saliency_scores": [[4 - (clip + worker) % 4 for worker in range(3)] for clip in clips],
        "relevant_windows": [list(window) for window in windows],
    }


def _answer(label: Row, scores: list[float], *windows: list[float]) -> Row:
    return {
        "qid": label["qid"],
        "query": label["query"],
        "vid": label["vid"],
        "pred_relevant_windows": [list(window) for window in windows],
        "pred_saliency_scores": scores,
    }


LABELS: list[Row] = [
    _label(1, "a kettle boils over", 40, [10, 20]),
    _label(2, "two hens cross a yard", 40, [0, 8], [20, 40]),
    _label(3, "a boat leaves the quay", 60, [0, 40]),
    _label(4, "someone drops a spoon", 40, [4, 10]),
    _label(5, "a girl ties her laces", 40, [10, 40]),
    _label(6, "the lift doors open", 40, [0, 10], [12, 22]),
    _label(7, "rain on a tin roof", 40, [6, 36]),
    _label(8, "a man repairs a clock", 60, [0, 34]),
]

ANSWERS: list[Row] = [
    _answer(LABELS[0], [0.05 * clip for clip in range(20)], [10, 20, 0.9], [0, 40, 0.5]),
    _answer(
        LABELS[1],
        [0.9, 0.9, 0.9, 0.9, -0.1, -0.1, -0.2, -0.3, 0.5, 0.5, 0.7, 0.2],  # eight clips too few
        *([20, 36, 0.8], [0, 8, 0.7], [8, 20, 0.1]),
    ),
    _answer(LABELS[2], [0.0] * 30, [0, 20, 0.6], [0, 40, 0.4]),
    _answer(LABELS[3], [0.1] * 20 + [0.9], [20, 30, 0.9], [2, 10, 0.5]),  # the best is no clip
    _answer(LABELS[4], [-0.01 * clip for clip in range(20)]),
    _answer(
        LABELS[5],
        [0.3, 0.8, 0.1, 0.8, 0.3] * 4,
        *([0, 10, 0.9], [0, 10, 0.8], [12, 22, 0.7]),
    ),
    _answer(LABELS[6], [0.5, -0.5] * 10, [0, 40, 0.2], [6, 36, 0.9]),
    _answer(
        LABELS[7],
        [1.0 if clip % 3 else 0.25 for clip in range(30)],
        *([at, at + 2, 0.5] for at in range(40, 60, 2)),
        [0, 34, 0.4],
    ),
]


def write(folder: Path, labels: list[Row] = LABELS, answers: list[Row] = ANSWERS) -> None:
    """The two files below `folder`, named as the published ones are."""
    for name, rows in (
        ("text/qvhighlights_val_release.jsonl.gz", labels),
        ("qvhighlights_scorer/sample_val_preds.jsonl.gz", answers),
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(path, "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
