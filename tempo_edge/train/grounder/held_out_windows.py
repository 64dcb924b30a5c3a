"""Tries a grounder on made-up windows that it was not trained on: spans found, queries refused.

Every question is also asked *blind*, of footage that shows nothing of what it is about. Sentences
alone then decide, so a grounder that tells present from absent there has learned how they are
worded and not what is to be seen.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tempo_edge.evaluation.metrics import Interval, Refusals, auroc, score_grounding
from tempo_edge.search.grounders.grammar import Grammar
from tempo_edge.search.grounders.prompt import Prompt
from tempo_edge.search.similarity import find_peaks, floor_of
from tempo_edge.train.grounder.examples import ABSENT, HARD, Example, ExampleSource, Kind
from tempo_edge.train.grounder.model.generate import generate, present_chances
from tempo_edge.train.grounder.model.network import GrounderNetwork
from tempo_edge.train.grounder.prompt_builder import PromptBuilder, answer_spans

__all__ = [
    "ANSWERED",
    "DEV_SCORE",
    "HeldOutWindows",
    "Judged",
    "blind_twins",
    "dev_score",
    "figures",
    "told_apart",
]

_BATCH = 32
_TRIES = 200  # windows that are looked at for one that shows nothing of what a question is about

#: The share of present questions that are answered where grounders are compared.
ANSWERED = 0.85

_AT = f"_at_{round(100 * ANSWERED)}"
_OF_CUTS = ("r1_at_0.5", "r1_at_0.7", "mean_iou", "answered")

#: The figures whose mean says which checkpoint is best: none depends on where `none` is said.
DEV_SCORE = ("auroc_hard", "r1_at_0.7_at_85")


def dev_score(row: dict[str, float]) -> float:
    """The score of a checkpoint by its figures on dev, in percent; what isn't known is left out."""
    known = [row[name] for name in DEV_SCORE if math.isfinite(row[name])]
    return sum(known) / len(known) if known else 0.0


@dataclass(frozen=True)
class Judged:
    """What a grounder makes of each of ``n`` examples.

    Attributes:
        spans: what is answered if anything is.
        present: a number that is higher the likelier it is that what is asked for occurs.
        answered: whether it answers on its own.
        blind: like ``present``, but of other footage; NaN where there is none.
    """

    spans: Sequence[Sequence[Interval]]
    present: NDArray[np.float64]
    answered: NDArray[np.bool_]
    blind: NDArray[np.float64]


def blind_twins(examples: Sequence[Example], rng: np.random.Generator) -> list[Example | None]:
    """The question of each example asked of another one's window, drawn at random.

    No twin's window shows what the question was made of. None where no window is found like that.
    """
    return [_twin(example, examples, rng) for example in examples]


def _twin(
    example: Example, examples: Sequence[Example], rng: np.random.Generator
) -> Example | None:
    for row in rng.integers(len(examples), size=_TRIES).tolist():
        other = examples[int(row)]
        if other is not example and example.about.isdisjoint(other.shown):
            return dataclasses.replace(
                other, query=example.query, spans=(), kind=example.kind, about=example.about
            )
    return None


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
        self.twins = blind_twins(self.examples, rng)

    def judged(self, model: GrounderNetwork) -> Judged:
        """What a model makes of each example."""
        model.eval()
        spans: list[list[Interval]] = []
        present: list[NDArray[np.float64]] = []
        refused: list[NDArray[np.bool_]] = []
        for chunk, prompts, grammars in self._batches(self.examples):
            answers = generate(model, prompts, grammars, refusals=False)
            spans += [answer_spans(*pair) for pair in zip(chunk, answers.tokens, strict=True)]
            present.append(answers.present)
            refused.append(answers.refused)
        return Judged(spans, np.concatenate(present), ~np.concatenate(refused), self._blind(model))

    def _blind(self, model: GrounderNetwork) -> NDArray[np.float64]:
        """The chance float64 ``[n]`` that a model gives each question without its footage."""
        out = np.full(len(self.twins), math.nan)
        rows = [row for row, twin in enumerate(self.twins) if twin is not None]
        twins = [twin for twin in self.twins if twin is not None]
        out[rows] = [
            chance
            for _, prompts, grammars in self._batches(twins)
            for chance in present_chances(model, prompts, grammars)
        ]
        return out

    def _batches(
        self, examples: Sequence[Example]
    ) -> Iterator[tuple[Sequence[Example], list[Prompt], list[Grammar]]]:
        """Examples as a model reads them, some at once, each with its prompt and its grammar."""
        for start in range(0, len(examples), _BATCH):
            some = examples[start : start + _BATCH]
            prompts = [self._prompt_builder.prompt(example) for example in some]
            yield some, prompts, [example.boundaries.grammar() for example in some]

    def best_threshold(self) -> tuple[float, dict[str, float]]:
        """The z-score from which :meth:`by_similarity` does best, and its figures there."""
        rows = [(float(at), self.by_similarity(float(at))) for at in np.arange(0.0, 6.0, 0.25)]
        return max(rows, key=lambda row: row[1]["r1_at_0.7"] + row[1]["reject_f1"])

    def by_similarity(self, threshold: float) -> dict[str, float]:
        """Figures of the frames most like the query and no model; a grounder must beat them.

        The threshold is in deviations of what the query scores by chance.
        """
        spans, z_scores = self._peaks
        return figures(
            self.examples, Judged(spans, z_scores, z_scores >= threshold, self._blind_z_scores)
        )

    @cached_property
    def _peaks(self) -> tuple[list[list[Interval]], NDArray[np.float64]]:
        peaks = [self._peak(example) for example in self.examples]
        return [[span] for span, _ in peaks], np.array([z_score for _, z_score in peaks])

    @cached_property
    def _blind_z_scores(self) -> NDArray[np.float64]:
        twins = self.twins
        return np.array([math.nan if twin is None else self._peak(twin)[1] for twin in twins])

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
        return figures(self.examples, self.judged(model))


def threshold_at(present: NDArray[np.float64], share: float) -> float:
    """The highest score from which at least `share` of the scores ``[n]`` are answered.

    Infinite where there are no scores.
    """
    if not len(present):
        return math.inf
    return float(np.sort(present)[::-1][max(1, math.ceil(share * len(present) - 1e-9)) - 1])


def figures(examples: Sequence[Example], judged: Judged) -> dict[str, float]:
    """Figures in percent, NaN where there was nothing to count.

    R1, mIoU, shares answered by kind and reject-F1 where the grounder itself refuses, then where
    :data:`ANSWERED` of the present questions are answered (``_at_85``), then the AUROC of present
    against each kind of absent questions, against the partially irrelevant ones together (``hard``)
    and against all, seeing and blind. At last some of them for windows with cuts and without, at
    one threshold.
    """
    kinds = np.array([example.kind for example in examples])
    uncut = np.array([example.uncut for example in examples], np.bool_)
    truth = [example.spans for example in examples]
    shown = judged.present >= threshold_at(judged.present[kinds == "present"], ANSWERED)
    out = _operating_point(kinds, truth, judged.spans, judged.answered)
    wanted = _operating_point(kinds, truth, judged.spans, shown)
    out |= {f"{name}{_AT}": value for name, value in wanted.items()}
    groups: list[tuple[str, Sequence[Kind]]] = [(kind, (kind,)) for kind in ABSENT]
    for name, absent in (*groups, ("hard", HARD), ("", ABSENT)):
        for scores, how in ((judged.present, ""), (judged.blind, "_blind")):
            out[f"auroc{name and '_'}{name}{how}"] = told_apart(scores, kinds, absent)
    for rows, where in ((~uncut, "_with_cuts"), (uncut, "_without_cuts")):
        some = np.flatnonzero(rows).tolist()
        part = _operating_point(
            kinds[rows],
            [truth[row] for row in some],
            [judged.spans[row] for row in some],
            shown[rows],
        )
        out |= {f"{name}{_AT}{where}": part[name] for name in _OF_CUTS}
        out[f"auroc_hard{where}"] = told_apart(judged.present[rows], kinds[rows], HARD)
    return {name: round(value, 1) for name, value in out.items()}


def told_apart(
    scores: NDArray[np.float64], kinds: NDArray[np.str_], absent: Sequence[Kind]
) -> float:
    """The AUROC in percent of present questions against some absent kinds, of scores ``[n]``.

    A score that is NaN does not count.
    """
    known = np.isfinite(scores)
    there = scores[known & (kinds == "present")].tolist()
    return 100.0 * auroc(there, scores[known & np.isin(kinds, absent)].tolist())


def _operating_point(
    kinds: NDArray[np.str_],
    truth: Sequence[Sequence[Interval]],
    spans: Sequence[Sequence[Interval]],
    answered: NDArray[np.bool_],
) -> dict[str, float]:
    """Figures where some questions are answered and the others refused."""
    shown = [given if yes else () for given, yes in zip(spans, answered, strict=True)]
    rows = np.flatnonzero(kinds == "present").tolist()
    found = score_grounding([shown[row] for row in rows], [truth[row] for row in rows])
    said = np.array([bool(given) for given in shown], np.bool_)

    def share(kind: str) -> float:
        own = said[kinds == kind]
        return 100.0 * float(own.mean()) if len(own) else math.nan

    there, absent = said[kinds == "present"], said[kinds != "present"]
    missed, rejected = int((~there).sum()), int((~absent).sum())
    refusals = Refusals(len(there), len(absent), missed, rejected)
    return {
        "r1_at_0.5": found.r1[0.5],
        "r1_at_0.7": found.r1[0.7],
        "mean_iou": found.mean_iou,
        "answered": share("present"),
        **{f"false_alarms_{kind}": share(kind) for kind in ABSENT},
        # Where nothing was to be refused and nothing was, it is 0: thresholds are chosen by it.
        "reject_f1": 100.0 * refusals.f1 if len(absent) or missed else 0.0,
    }
