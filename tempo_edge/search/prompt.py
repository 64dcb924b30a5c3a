"""What a grounder reads: the query, then each frame's time in words and what the frame shows.

A prompt is a row of positions of three kinds: *words* of :mod:`tempo_edge.eta`, *query* positions
with the text tower's token states, and *sight* positions with a frame's vector or one of the tokens
that SAA granted it. Training and search build prompts with this one function, so that what the
model learned is what it is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tempo_edge import eta

__all__ = ["NEARNESS", "QUERY", "SIGHT", "WIDTH", "WORD", "Look", "Prompt", "Question", "build"]

WORD, QUERY, SIGHT = 0, 1, 2

#: Width of a position's features: the text tower's states fill it, sight pads it with zeros.
WIDTH = 384

#: Where a sight's features say how near it is to the query, and whether it follows a cut.
NEARNESS = slice(256, 259)

_CELLS = 9


@dataclass(frozen=True)
class Question:
    """A query as the text tower reads it, and how it scores by chance.

    Attributes:
        states: its tokens' last states, float32 ``[l, 384]``.
        vector: its unit vector, float32 ``[d]``.
        mean, deviation: of its similarity to the profile's background pictures.
    """

    states: NDArray[np.float32]
    vector: NDArray[np.float32]
    mean: float
    deviation: float

    @staticmethod
    def of(
        vector: NDArray[np.float32], states: NDArray[np.float32], background: NDArray[np.float32]
    ) -> Question:
        """A query that the text tower has read, over unit vectors ``[m, d]`` of the background."""
        # einsum stays on this thread: waking a pool of them costs more than the sum itself.
        chance = np.einsum("ij,j->i", background, vector)
        return Question(states, vector, float(chance.mean()), float(chance.std()) + 1e-6)

    def __post_init__(self) -> None:
        if self.states.ndim != 2 or self.states.shape[1] != WIDTH or not len(self.states):
            raise ValueError(f"states of shape {self.states.shape} must be [l >= 1, {WIDTH}]")
        if not self.deviation > 0:
            raise ValueError(f"deviation {self.deviation} must be positive")


@dataclass(frozen=True)
class Look:
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
    """Positions in order: ``words`` and ``kinds`` int64 ``[t]``, ``features`` float32 ``[t, 384]``.

    A position of kind :data:`WORD` is its word; the others are their features, and word 0.
    """

    words: NDArray[np.int64]
    kinds: NDArray[np.int64]
    features: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.words)


def build(question: Question, looks: Sequence[Look], end_seconds: float | Fraction) -> Prompt:
    """The prompt of a question about a window's frames, up to and with ``[answer]``.

    The last time said is when the window ends, so that every boundary of it has been named.

    Raises:
        ValueError: times are out of order or beyond what has words, or a cell is none of the grid.
    """
    words: list[int] = []
    kinds: list[int] = []
    features: list[NDArray[np.float32]] = []
    nothing = np.zeros(WIDTH, np.float32)

    def say(text: str) -> None:
        for token in eta.spell(text):
            words.append(token)
            kinds.append(WORD)
            features.append(nothing)

    def show(kind: int, feature: NDArray[np.float32]) -> None:
        words.append(0)
        kinds.append(kind)
        features.append(feature)

    say("[query]")
    for state in question.states:
        show(QUERY, state)
    say("[frames]")
    before = -1
    for look in looks:
        now = eta.tenths(look.seconds)
        if now < before:
            raise ValueError(f"frame at {float(look.seconds)} s must not come before its neighbour")
        before = now
        say(eta.stamp(look.seconds))
        show(SIGHT, _sight(question, look.vector, look.cut, None))
        for cell, token in zip(look.cells.tolist(), look.tokens, strict=True):
            show(SIGHT, _sight(question, token, look.cut, cell))
    if eta.tenths(end_seconds) < before:
        raise ValueError(f"window's end at {float(end_seconds)} s must not come before its frames")
    say(eta.stamp(end_seconds))
    say("[answer]")
    return Prompt(np.array(words, np.int64), np.array(kinds, np.int64), np.stack(features))


def _sight(
    question: Question, vector: NDArray[np.float32], cut: bool, cell: int | None
) -> NDArray[np.float32]:
    """A unit vector, how near it is to the query, and where in the frame it was seen."""
    if cell is not None and not 0 <= cell < _CELLS:
        raise ValueError(f"cell {cell} must be within [0, {_CELLS})")
    feature = np.zeros(WIDTH, np.float32)
    size = len(vector)
    similarity = float(vector @ question.vector)
    # Unit vectors have components near 1/sqrt(d); the projector wants about 1.
    feature[:size] = vector * size**0.5
    feature[size : size + 3] = (
        4.0 * similarity,
        (similarity - question.mean) / question.deviation,
        float(cut),
    )
    feature[size + 3 + (0 if cell is None else 1 + cell)] = 1.0
    return feature
