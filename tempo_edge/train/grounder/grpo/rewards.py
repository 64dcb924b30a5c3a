"""The rewards of PIR-GRPO: ground what is there, refuse what is not. Pure functions.

An answer is a list of spans, half-open seconds; an empty list is a refusal. A prompt whose truth
is empty is *irrelevant* to its window. The idea of rewarding both is Tempo-R0's (arXiv 2507.04702);
the formulas are our own. What a rightful refusal earns says how sure a policy shall be before it
answers (:mod:`tempo_edge.train.grounder.grpo.operating_point`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tempo_edge import eta
from tempo_edge.evaluation.metrics.spans import Interval, span_sets_iou

_FAIR = 0.5  # seconds off at which a boundary still earns 1/e


@dataclass(frozen=True)
class RewardWeights:
    """The weight of each reward beside that of grounding, which is 1.

    ``answer_above`` is the chance that a prompt is there above which an answer shall earn more than
    a refusal.
    """

    form: float = 0.1
    boundary: float = 0.0
    answer_above: float = 0.5

    def __post_init__(self) -> None:
        if not 0.0 < self.answer_above < 1.0:
            raise ValueError(f"answer_above {self.answer_above} must be within (0, 1)")
        for name in ("form", "boundary"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"weight {name} {getattr(self, name)} must be within [0, 1]")


def grounding_reward(predicted: Sequence[Interval], true: Sequence[Interval]) -> float:
    """The IoU of the two sets of spans if the prompt is relevant, else 1 for a refusal; in [0, 1].

    >>> grounding_reward([(0.0, 4.0)], [(0.0, 2.0), (3.0, 4.0)])
    0.75
    >>> grounding_reward([], [(0.0, 2.0)]), grounding_reward([], []), grounding_reward([(0, 1)], [])
    (0.0, 1.0, 0.0)
    """
    if not true:
        return 0.0 if predicted else 1.0
    return span_sets_iou(predicted, true)


def boundary_reward(predicted: Sequence[Interval], true: Sequence[Interval]) -> float:
    """The nearness of the first start and the last end, in [0, 1]; 1 for exact ones.

    The mean of ``exp(-|off| / 0.5 s)`` over both; where either side is a refusal, 1 if both are.
    """
    if not predicted or not true:
        return float(not predicted and not true)
    starts = min(s for s, _ in predicted) - min(s for s, _ in true)
    ends = max(e for _, e in predicted) - max(e for _, e in true)
    return (math.exp(-abs(starts) / _FAIR) + math.exp(-abs(ends) / _FAIR)) / 2


def read_answer(answer: str, duration_seconds: float) -> list[Interval] | None:
    """The spans of an answer, or None if it is none or leaves the window."""
    try:
        spans = eta.read(answer)
    except ValueError:
        return None
    if spans and spans[-1].end_seconds > duration_seconds + 0.05:
        return None
    return [(span.start_seconds, span.end_seconds) for span in spans]


def reward(
    spans: Sequence[Interval] | None,
    true: Sequence[Interval],
    weights: RewardWeights | None = None,
    refusal: float = 1.0,
) -> float:
    """The whole reward of an answer; one that can't be read, None, earns nothing at all.

    A rightful refusal earns `refusal` beside the reward of its form.
    """
    weights = weights or RewardWeights()
    if spans is None:
        return 0.0
    if not spans and not true:
        return refusal + weights.form
    return (
        grounding_reward(spans, true)
        + weights.form
        + weights.boundary * boundary_reward(spans, true)
    )
