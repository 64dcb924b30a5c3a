"""Tries a grounder on made-up windows that it was not trained on: spans found, queries refused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from tempo_edge.evaluation.metrics import Interval, Refusals, auroc, score_grounding
from tempo_edge.search.similarity import find_peaks, floor_of
from tempo_edge.train.grounder.examples import Example, ExampleSource
from tempo_edge.train.grounder.model.generate import generate
from tempo_edge.train.grounder.model.network import GrounderNetwork
from tempo_edge.train.grounder.prompt_builder import PromptBuilder, answer_spans

_BATCH = 32

#: The figures whose mean says which checkpoint is best.
DEV_SCORE = ("r1_at_0.7", "reject_f1")


def dev_score(row: dict[str, float]) -> float:
    """The score of a checkpoint by its figures on dev, in percent."""
    return sum(row[name] for name in DEV_SCORE) / len(DEV_SCORE)


class HeldOutWindows:
    """A fixed set of examples that no training saw, the same for every model."""

    def __init__(
        self,
        source: ExampleSource,
        prompt_builder: PromptBuilder,
        *,
        count: int = 300,
        seed: int = 1,
    ) -> None:
        """Draw `count` examples from `source`, which training must not have seen."""
        rng = np.random.default_rng(seed)
        self._prompt_builder = prompt_builder
        self.examples: list[Example] = [source.draw(rng) for _ in range(count)]

    def answers(self, model: GrounderNetwork) -> tuple[list[list[Interval]], list[float]]:
        """The spans answered to each example, and the chance that what it asks for occurs."""
        model.eval()
        spans: list[list[Interval]] = []
        present: list[float] = []
        for start in range(0, len(self.examples), _BATCH):
            chunk = self.examples[start : start + _BATCH]
            prompts = [self._prompt_builder.prompt(example) for example in chunk]
            answers = generate(model, prompts, [example.boundaries.grammar() for example in chunk])
            spans += [answer_spans(*pair) for pair in zip(chunk, answers.tokens, strict=True)]
            present += answers.present.tolist()
        return spans, present

    def best_threshold(self) -> tuple[float, dict[str, float]]:
        """The z-score from which :meth:`by_similarity` does best, and its figures there."""
        rows = [(float(at), self.by_similarity(float(at))) for at in np.arange(0.0, 6.0, 0.25)]
        return max(rows, key=lambda row: dev_score(row[1]))

    def by_similarity(self, threshold: float) -> dict[str, float]:
        """Figures of the frames most like the query and no model; a grounder must beat them.

        The threshold is in deviations of what the query scores by chance.
        """
        peaks = self._peaks
        spans = [[span] if z_score >= threshold else [] for span, z_score in peaks]
        return figures(self.examples, spans, [z_score for _, z_score in peaks])

    @cached_property
    def _peaks(self) -> list[tuple[Interval, float]]:
        return [self._peak(example) for example in self.examples]

    def _peak(self, example: Example) -> tuple[Interval, float]:
        """The span around an example's best frame, and its z-score."""
        question = self._prompt_builder.question(example.query)
        z_scores = np.array([question.z_score(look.vector) for look in example.looks])
        floor = floor_of(z_scores, example.edges, 0.0)
        shape = self._prompt_builder.shape
        ((first, last),) = find_peaks(z_scores, example.edges, shape, floor, limit=1)
        return (float(example.edges[first]), float(example.edges[last])), float(z_scores.max())

    def __call__(self, model: GrounderNetwork) -> dict[str, float]:
        """Figures in percent."""
        spans, present = self.answers(model)
        return figures(self.examples, spans, present)


def figures(
    examples: Sequence[Example], spans: Sequence[Sequence[Interval]], present: Sequence[float]
) -> dict[str, float]:
    """R1 at 0.5 and 0.7, mIoU, shares answered by kind, reject-F1 and AUROC, in percent."""
    by_kind: dict[str, list[int]] = {"present": [], "easy": [], "hard": []}
    for row, example in enumerate(examples):
        by_kind[example.kind].append(row)
    there, absent = by_kind["present"], [*by_kind["easy"], *by_kind["hard"]]
    found = score_grounding([spans[row] for row in there], [examples[row].spans for row in there])

    def answered(rows: Sequence[int]) -> float:
        return 100.0 * float(np.mean([bool(spans[row]) for row in rows])) if rows else math.nan

    missed, rejected = (sum(not spans[row] for row in rows) for rows in (there, absent))
    refusals = Refusals(len(there), len(absent), missed, rejected)
    out = {
        "r1_at_0.5": found.r1[0.5],
        "r1_at_0.7": found.r1[0.7],
        "mean_iou": found.mean_iou,
        "answered": answered(there),
        "false_alarms_easy": answered(by_kind["easy"]),
        "false_alarms_hard": answered(by_kind["hard"]),
        # Where nothing was to be refused and nothing was, it is 0: runs are dev_score by it.
        "reject_f1": 100.0 * refusals.f1 if absent or missed else 0.0,
        "auroc": 100.0 * auroc([present[row] for row in there], [present[row] for row in absent]),
    }
    return {name: round(value, 1) for name, value in out.items()}
