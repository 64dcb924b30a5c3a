"""Follows a grounder on made-up windows of dev pictures: what it finds, and what it refuses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tempo_edge.train.grounder.asking import Asker, boundaries, meant
from tempo_edge.train.grounder.model import Grounder, answer
from tempo_edge.train.grounder.windows import Example, Source
from tempo_edge.train.metrics.refusal import auroc
from tempo_edge.train.metrics.spans import Span, best_tiou

_BATCH = 32


class Trial:
    """A fixed set of examples, the same for every model that is tried on it."""

    def __init__(self, source: Source, asker: Asker, *, count: int = 300, seed: int = 1) -> None:
        """Draw `count` examples from `source`, which training must not have seen."""
        rng = np.random.default_rng(seed)
        self._asker = asker
        self.examples: list[Example] = [source.draw(rng) for _ in range(count)]

    def answers(self, model: Grounder) -> tuple[list[list[Span]], list[float]]:
        """The spans answered to each example, and the chance that what it asks for occurs."""
        model.eval()
        spans: list[list[Span]] = []
        present: list[float] = []
        for start in range(0, len(self.examples), _BATCH):
            chunk = self.examples[start : start + _BATCH]
            prompts = [self._asker.prompt(example) for example in chunk]
            said = answer(model, prompts, [boundaries(example).grammar() for example in chunk])
            spans += [meant(*pair) for pair in zip(chunk, said.tokens, strict=True)]
            present += said.present.tolist()
        return spans, present

    def __call__(self, model: Grounder) -> dict[str, float]:
        """Figures in percent."""
        spans, present = self.answers(model)
        return figures(self.examples, spans, present)


def figures(
    examples: Sequence[Example], spans: Sequence[Sequence[Span]], present: Sequence[float]
) -> dict[str, float]:
    """R1 at 0.5 and 0.7, mIoU, shares answered by kind, reject-F1 and AUROC, in percent."""
    by_kind: dict[str, list[int]] = {"present": [], "easy": [], "hard": []}
    for row, example in enumerate(examples):
        by_kind[example.kind].append(row)
    there, absent = by_kind["present"], [*by_kind["easy"], *by_kind["hard"]]
    overlaps = np.array(
        [best_tiou(spans[row][0], examples[row].spans) if spans[row] else 0.0 for row in there]
    )

    def answered(rows: Sequence[int]) -> float:
        return float(np.mean([bool(spans[row]) for row in rows])) if rows else float("nan")

    missed = sum(not spans[row] for row in there)
    rejected = sum(not spans[row] for row in absent)
    out = {
        "r1_at_0.5": float((overlaps >= 0.5).mean()),
        "r1_at_0.7": float((overlaps >= 0.7).mean()),
        "mean_iou": float(overlaps.mean()),
        "answered": answered(there),
        "false_alarms_easy": answered(by_kind["easy"]),
        "false_alarms_hard": answered(by_kind["hard"]),
        "reject_f1": 2 * rejected / max(1, rejected + missed + len(absent)),
        "auroc": auroc([present[row] for row in there], [present[row] for row in absent]),
    }
    return {name: round(100.0 * value, 1) for name, value in out.items()}
