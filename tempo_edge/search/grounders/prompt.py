"""The prompt of a decoder: the query, then each frame's time in words and what the frame shows.

A prompt is a row of positions of four kinds: *words* of :mod:`tempo_edge.eta`, *query* positions
with the text tower's token states, *visual* positions with a frame's vector or one of the tokens
that SAA granted it, and from ``[answer]`` on *answer* positions: words with the draft of what could
follow them. Training and search build prompts with this one function, so that what the
model learned is what it is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tempo_edge import eta
from tempo_edge.models.towers import TextTower
from tempo_edge.search.counterfactuals import counterfactuals
from tempo_edge.search.grounders.draft import FACTS, DraftAnswer
from tempo_edge.search.similarity import CurveSettings

__all__ = [
    "AGREEMENT",
    "ANSWER",
    "DRAFTED",
    "EVIDENCE",
    "NEARNESS",
    "QUERY",
    "REASONS",
    "STATE",
    "TENTHS",
    "VISUAL",
    "WIDTH",
    "WORD",
    "Z_SCORE_SCALE",
    "FrameTokens",
    "Prompt",
    "Question",
    "build",
    "opposed",
]

WORD, QUERY, VISUAL, ANSWER = 0, 1, 2, 3

#: Width of the text tower's states.
STATE = 384

_SIZE, _CELLS = 256, 9

#: Where an answer position's features name the word that the draft would say next.
DRAFTED = slice(0, len(eta.WORDS))

#: Where a visual token's features say in which directions it agrees with the query, and how near
#: that makes it, alone and among the others of its window; an answer position has there those of
#: the best frame, and what speaks for the draft.
AGREEMENT = slice(_SIZE, 2 * _SIZE)
NEARNESS = slice(2 * _SIZE, 2 * _SIZE + FACTS)
REASONS = slice(AGREEMENT.start, NEARNESS.stop)
_PLACE = NEARNESS.stop

#: Where the features of ``[answer]`` say what speaks for the query being there at all: the best
#: frame's z-score, and the log-probability of the query among its counterfactuals.
EVIDENCE = slice(NEARNESS.stop, NEARNESS.stop + 2)

#: Where they tell the tenth of its frame's time.
TENTHS = slice(_PLACE + 1 + _CELLS, _PLACE + 1 + _CELLS + 10)

#: Width of a position's features; states fill their beginning.
WIDTH = TENTHS.stop

# Each kind of feature is told with a length near 1: where one is a hundred times another's,
# no pace of learning suits both. A best frame has a z-score of 2 to 5.
Z_SCORE_SCALE = 0.5
_OF_VISUAL = np.array([4.0, Z_SCORE_SCALE, 1.0, Z_SCORE_SCALE, Z_SCORE_SCALE, 1.0, 1.0, 1.0, 2.0])
_OF_DRAFT = np.array([*[Z_SCORE_SCALE] * 5, 1.0, 0.5, 1.0, 1.0])

# A query and its counterfactuals are told apart by differences of so many standard deviations of
# what a query scores by chance.
_TEMPERATURE = 0.2

# What that log-probability is where a query has no counterfactual: its mean over made-up windows.
_UNOPPOSED = -2.3


@dataclass(frozen=True)
class Question:
    """A query as the text tower reads it, and how it scores by chance.

    Attributes:
        states: its tokens' last states, float32 ``[l, w]``; a decoder reads those of width 384.
        vector: its unit vector, float32 ``[d]``.
        mean, std: of its similarity to the profile's background pictures.
        text: what was typed.
        contrary: unit vectors of its :func:`~tempo_edge.search.counterfactuals.counterfactuals`,
            float32 ``[k, d]``.
    """

    states: NDArray[np.float32]
    vector: NDArray[np.float32]
    mean: float
    std: float
    text: str = ""
    contrary: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    @staticmethod
    def of(
        vector: NDArray[np.float32],
        states: NDArray[np.float32],
        background: NDArray[np.float32],
        text: str = "",
    ) -> Question:
        """A query that the text tower has read, over unit vectors ``[m, d]`` of the background."""
        # einsum stays on this thread: waking a pool of them costs more than the sum itself.
        chance = np.einsum("ij,j->i", background, vector)
        return Question(states, vector, float(chance.mean()), float(chance.std()) + 1e-6, text)

    def z_score(self, vector: NDArray[np.float32]) -> float:
        """How far above chance a unit vector ``[d]`` is to the query, in standard deviations."""
        return (float(vector @ self.vector) - self.mean) / self.std

    def margin(self, vectors: NDArray[np.float32]) -> float:
        """The log-probability of the query among its counterfactuals, over frames ``[n, d]``.

        A sentence is as loud as the frame that is nearest to it. A frame that shows a brown dog is
        near to "a black dog", but nearer to "a brown dog".
        """
        if not len(self.contrary):
            return _UNOPPOSED
        sentences = np.concatenate([self.vector[None], self.contrary])
        near = np.einsum("nd,kd->nk", vectors, sentences).max(axis=0).astype(np.float64)
        loud = near / (_TEMPERATURE * self.std)
        return float(loud[0] - loud.max() - np.log(np.exp(loud - loud.max()).sum()))

    def __post_init__(self) -> None:
        if self.states.ndim != 2 or not len(self.states):
            raise ValueError(f"states of shape {self.states.shape} must be [l >= 1, w]")
        if not self.std > 0:
            raise ValueError(f"std {self.std} must be positive")


def opposed(question: Question, sentence: str, tower: TextTower) -> Question:
    """A question with the counterfactuals of its sentence, as a text tower reads them."""
    others = counterfactuals(sentence)
    return replace(question, contrary=tower.encode(others)) if others else question


@dataclass(frozen=True)
class FrameTokens:
    """One frame of a window.

    Attributes:
        seconds: its time since the window began, from the container's own clock.
        cut: whether it is the first after a cut.
        vector: its unit vector, float32 ``[d]``.
        cells: which cells of the grid its tokens show, uint8 ``[k]``, 0 to 8.
        tokens: their unit vectors, float32 ``[k, d]``.
    """

    seconds: float | Fraction
    cut: bool
    vector: NDArray[np.float32]
    cells: NDArray[np.uint8]
    tokens: NDArray[np.float32]


@dataclass(frozen=True)
class Prompt:
    """Positions in order: ``words``, ``kinds`` int64 ``[t]``, ``features`` float32 ``[t, WIDTH]``.

    A position of kind :data:`WORD` is its word, one of kind :data:`QUERY` its features, and one of
    kind :data:`VISUAL` both: the word of its frame's whole seconds, as an answer would say it, and
    features of which the last ten tell the tenth. To name a frame is to repeat what it carries.
    One of kind :data:`ANSWER` is a word of the answer, at first ``[answer]``, with a :meth:`note`.
    """

    words: NDArray[np.int64]
    kinds: NDArray[np.int64]
    features: NDArray[np.float32]
    draft: DraftAnswer

    def __len__(self) -> int:
        return len(self.words)

    def note(self, said: Sequence[int]) -> NDArray[np.float32]:
        """Features ``[WIDTH]`` of the position at which the tokens ``said`` have been answered.

        They name the draft's next word; what speaks for the draft is told at each.
        """
        row: NDArray[np.float32] = self.features[-1].copy()
        _suggest(row, self.draft, said)
        return row

    def notes(self, said: Sequence[int]) -> NDArray[np.float32]:
        """The notes of each word of an answer, float32 ``[len(said), WIDTH]``."""
        rows = [self.note(said[: count + 1]) for count in range(len(said))]
        return np.array(rows, np.float32).reshape(-1, WIDTH)


def build(
    question: Question,
    frames: Sequence[FrameTokens],
    end_seconds: float | Fraction,
    shape: CurveSettings,
) -> Prompt:
    """The prompt of a question about a window's frames, up to and with ``[answer]``.

    The last time said is when the window ends, so that every boundary of it has been named. Spans
    of the draft are cut out as `shape` has it.

    Raises:
        ValueError: there is no frame, times are out of order or beyond what has words, a cell is
            none of the grid, or the question's states are of another width than a decoder reads.
    """
    if question.states.shape[1] != STATE:
        raise ValueError(f"states of shape {question.states.shape} must be [l, {STATE}]")
    if not frames:
        raise ValueError("frames [] must hold at least one frame")
    words: list[int] = []
    kinds: list[int] = []
    features: list[NDArray[np.float32]] = []

    def say(text: str) -> None:
        for token in eta.spell(text):
            words.append(token)
            kinds.append(WORD)
            features.append(np.zeros((1, WIDTH), np.float32))

    def show(kind: int, rows: NDArray[np.float32], word: int = 0) -> None:
        words.extend([word] * len(rows))
        kinds.extend([kind] * len(rows))
        features.append(rows)

    stamps = _stamps(frames, end_seconds)
    z_scores = np.array([question.z_score(frame.vector) for frame in frames])
    best_token = max(
        (question.z_score(token) for frame in frames for token in frame.tokens), default=0.0
    )
    draft = DraftAnswer.of(
        z_scores, np.array([frame.cut for frame in frames]), best_token, stamps, shape
    )
    say("[query]")
    show(QUERY, np.pad(question.states / STATE**0.5, ((0, 0), (0, WIDTH - STATE))))
    say("[frames]")
    seen = np.stack([frame.vector for frame in frames])
    standings = _standings(seen, z_scores, draft)
    for frame, now, standing in zip(frames, stamps, standings, strict=False):
        say(eta.stamp(frame.seconds))
        visual = _visual_tokens(question, frame, standing)
        visual[:, TENTHS.start + now % 10] = 1.0
        show(VISUAL, visual, eta.TOKEN[str(now // 10)])
    say(eta.stamp(end_seconds))
    evidence = (z_scores.max(), question.margin(seen))
    grounds = _grounds(question, frames[draft.best], draft, evidence)
    show(ANSWER, grounds, eta.TOKEN["[answer]"])
    return Prompt(
        np.array(words, np.int64), np.array(kinds, np.int64), np.concatenate(features), draft
    )


def _stamps(frames: Sequence[FrameTokens], end_seconds: float | Fraction) -> list[int]:
    """How each boundary is said, in tenths of a second, ``[n + 1]``."""
    stamps: list[int] = []
    for frame in frames:
        stamps.append(eta.tenths(frame.seconds))
        if len(stamps) > 1 and stamps[-1] < stamps[-2]:
            raise ValueError(
                f"frame at {float(frame.seconds)} s must not come before its neighbour"
            )
    if eta.tenths(end_seconds) < stamps[-1]:
        raise ValueError(f"window's end at {float(end_seconds)} s must not come before its frames")
    return [*stamps, eta.tenths(end_seconds)]


def _standings(
    vectors: NDArray[np.float32], z_scores: NDArray[np.float64], draft: DraftAnswer
) -> NDArray[np.float64]:
    """Where each frame stands among those of its window, ``[n, 6]``, by vectors ``[n, d]``.

    A model that reads in order can't know at a frame whether a later one is nearer to the query. So
    each is told its z-score, how far that lies below the best one's, and what the draft makes of
    it: whether it is in, whether it is the first that is in, and whether it is the first that is
    out again. The last is how far it is from the frame before: within a shot little, and an answer
    should not end there.
    """
    inside = np.zeros(len(vectors), np.bool_)
    for frames_of_span in draft.ranges:
        inside[slice(*frames_of_span)] = True
    before = np.concatenate([[False], inside[:-1]])
    seen = vectors.astype(np.float64)
    change = np.ones(len(vectors))
    change[1:] -= np.einsum("ij,ij->i", seen[1:], seen[:-1])
    below = z_scores.max() - z_scores
    return np.column_stack([z_scores, below, inside, inside & ~before, ~inside & before, change])


def _grounds(
    question: Question, best: FrameTokens, draft: DraftAnswer, evidence: tuple[float, float]
) -> NDArray[np.float32]:
    """Features of ``[answer]``, float32 ``[1, WIDTH]``: the draft, and what speaks for it.

    ``evidence`` is what speaks for the query being there at all, as :data:`EVIDENCE` has it.
    """
    row = np.zeros(WIDTH, np.float32)
    row[AGREEMENT] = best.vector * question.vector * _SIZE**0.5
    row[NEARNESS] = _OF_DRAFT * draft.facts
    row[EVIDENCE] = Z_SCORE_SCALE * np.array(evidence)
    _suggest(row, draft, ())
    return row[None]


def _suggest(row: NDArray[np.float32], draft: DraftAnswer, said: Sequence[int]) -> None:
    """Put into the features of an answer position the word that the draft has after ``said``."""
    follow = draft.follow(said)
    row[DRAFTED] = 0.0
    if follow is not None:
        row[DRAFTED.start + follow] = 1.0


def _visual_tokens(
    question: Question, frame: FrameTokens, standing: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Features of a frame and of its tokens, float32 ``[1 + k, WIDTH]``.

    Each is a unit vector and its products with the query's, whose sum is their similarity; and each
    carries its frame's ``standing``.
    """
    bad = [cell for cell in frame.cells.tolist() if not 0 <= cell < _CELLS]
    if bad:
        raise ValueError(f"cell {bad[0]} must be within [0, {_CELLS})")
    seen = np.concatenate([frame.vector[None], frame.tokens])
    agreed = seen * question.vector
    near = agreed.sum(axis=1)
    features = np.zeros((len(seen), WIDTH), np.float32)
    features[:, :_SIZE] = seen
    features[:, AGREEMENT] = agreed * _SIZE**0.5
    features[:, NEARNESS] = _OF_VISUAL * np.column_stack(
        [
            near,
            (near - question.mean) / question.std,
            np.full(len(seen), float(frame.cut)),
            np.tile(standing, (len(seen), 1)),
        ]
    )
    features[np.arange(len(seen)), _PLACE + np.array([0, *(frame.cells.astype(int) + 1)])] = 1.0
    return features
