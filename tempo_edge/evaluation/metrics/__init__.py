"""The metrics of temporal video grounding; they need NumPy alone, not the `train` extra.

`spans` and the small functions (`tiou`, `auroc`, `calibration_error`, ...) give shares in [0, 1].
What scores a whole set of queries (`score_grounding`, `score_precision`, `score_highlights`,
`score_refusals`, `qvhighlights.figures`) gives percent, as the field prints it, and NaN where there
was nothing to count. All times are seconds and all spans are half-open.
"""

from tempo_edge.evaluation.metrics.grounding import (
    LADDER,
    THRESHOLDS,
    GroundingScores,
    score_grounding,
)
from tempo_edge.evaluation.metrics.highlights import (
    SALIENCY,
    HighlightScores,
    clip_average_precision,
    score_highlights,
)
from tempo_edge.evaluation.metrics.precision import (
    LENGTHS,
    PrecisionScores,
    average_precision,
    of_length,
    score_precision,
)
from tempo_edge.evaluation.metrics.rejection import (
    Refusals,
    RefusalScores,
    auroc,
    calibration_error,
    score_refusals,
)
from tempo_edge.evaluation.metrics.sentences import (
    Sentence,
    Sentences,
    read_activitynet,
    read_charades,
)
from tempo_edge.evaluation.metrics.spans import (
    Interval,
    ScoredInterval,
    best_tiou,
    merge_spans,
    span_sets_iou,
    tiou,
)

__all__ = [
    "LADDER",
    "LENGTHS",
    "SALIENCY",
    "THRESHOLDS",
    "GroundingScores",
    "HighlightScores",
    "Interval",
    "PrecisionScores",
    "RefusalScores",
    "Refusals",
    "ScoredInterval",
    "Sentence",
    "Sentences",
    "auroc",
    "average_precision",
    "best_tiou",
    "calibration_error",
    "clip_average_precision",
    "merge_spans",
    "of_length",
    "read_activitynet",
    "read_charades",
    "score_grounding",
    "score_highlights",
    "score_precision",
    "score_refusals",
    "span_sets_iou",
    "tiou",
]
