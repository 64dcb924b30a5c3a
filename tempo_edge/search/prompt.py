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

__all__ = [
    "AGREEMENT",
    "NEARNESS",
    "PROPOSED",
    "QUERY",
    "SIGHT",
    "SPOKEN",
    "STATE",
    "TENTHS",
    "WIDTH",
    "WORD",
    "Look",
    "Prompt",
    "Question",
    "build",
]

WORD, QUERY, SIGHT = 0, 1, 2

#: Width of the text tower's states.
STATE = 384

_SIZE, _CELLS = 256, 9

#: Where a sight's features say in which directions it agrees with the query, and how near that
#: makes it, alone and among the others of its window.
AGREEMENT = slice(_SIZE, 2 * _SIZE)
NEARNESS = slice(2 * _SIZE, 2 * _SIZE + 5)

#: Where they say what a threshold makes of its frame: in, first in, first out again.
PROPOSED = slice(NEARNESS.stop, NEARNESS.stop + 3)
_PLACE = PROPOSED.stop


#: Where they tell the tenth of its frame's time.
TENTHS = slice(_PLACE + 1 + _CELLS, _PLACE + 1 + _CELLS + 10)

#: Width of a position's features; states fill their beginning.
WIDTH = TENTHS.stop

#: How loud a tenth and a proposal are told: a word is as loud as all other features together.
SPOKEN = WIDTH**0.5

# How loud the few numbers are that say much.
_LOUD = 4.0

# How much of the best frame's rise over chance a frame of the proposal has, as `curve` has it.
_KEEP = 0.55


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

    def height(self, vector: NDArray[np.float32]) -> float:
        """How far a unit vector ``[d]`` is nearer than chance, in chance's deviations."""
        return (float(vector @ self.vector) - self.mean) / self.deviation

    def __post_init__(self) -> None:
        if self.states.ndim != 2 or self.states.shape[1] != STATE or not len(self.states):
            raise ValueError(f"states of shape {self.states.shape} must be [l >= 1, {STATE}]")
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
    """Positions in order: ``words``, ``kinds`` int64 ``[t]``, ``features`` float32 ``[t, WIDTH]``.

    A position of kind :data:`WORD` is its word, one of kind :data:`QUERY` its features, and one of
    kind :data:`SIGHT` both: the word of its frame's whole seconds, as an answer would say it, and
    features of which the last ten tell the tenth. To name a frame is to repeat what it carries.
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
        ValueError: there is no frame, times are out of order or beyond what has words, or a cell is
            none of the grid.
    """
    if not looks:
        raise ValueError("looks [] must hold at least one frame")
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

    say("[query]")
    show(QUERY, np.pad(question.states, ((0, 0), (0, WIDTH - STATE))))
    say("[frames]")
    before = -1
    for look, standing in zip(looks, _standings(question, looks), strict=True):
        now = eta.tenths(look.seconds)
        if now < before:
            raise ValueError(f"frame at {float(look.seconds)} s must not come before its neighbour")
        before = now
        say(eta.stamp(look.seconds))
        sights = _sights(question, look, standing)
        sights[:, TENTHS.start + now % 10] = SPOKEN
        show(SIGHT, sights, eta.TOKEN[str(now // 10)])
    if eta.tenths(end_seconds) < before:
        raise ValueError(f"window's end at {float(end_seconds)} s must not come before its frames")
    say(eta.stamp(end_seconds))
    say("[answer]")
    return Prompt(np.array(words, np.int64), np.array(kinds, np.int64), np.concatenate(features))


def _standings(question: Question, looks: Sequence[Look]) -> NDArray[np.float64]:
    """Where each frame stands among those of its window, ``[n, 5]``.

    A model that reads in order can't know at a frame whether a later one is nearer to the query. So
    each is told its height, how far that lies below the best one's, and what a plain threshold
    makes of the window, as a first proposal: whether the frame is in, whether it is the first that
    is in, and whether it is the first that is out again.
    """
    heights = np.array([question.height(look.vector) for look in looks])
    best = heights.max()
    floor = min(0.0, float(np.median(heights)))
    inside = heights >= floor + _KEEP * (best - floor)
    before = np.concatenate([[False], inside[:-1]])
    return np.column_stack([heights, best - heights, inside, inside & ~before, ~inside & before])


def _sights(question: Question, look: Look, standing: NDArray[np.float64]) -> NDArray[np.float32]:
    """Features of a frame and of its tokens, float32 ``[1 + k, WIDTH]``.

    Each is a unit vector and its products with the query's, whose sum is their similarity; and each
    carries its frame's ``standing``.
    """
    bad = [cell for cell in look.cells.tolist() if not 0 <= cell < _CELLS]
    if bad:
        raise ValueError(f"cell {bad[0]} must be within [0, {_CELLS})")
    seen = np.concatenate([look.vector[None], look.tokens])
    agreed = seen * question.vector
    near = agreed.sum(axis=1)
    features = np.zeros((len(seen), WIDTH), np.float32)
    # Unit vectors have components near 1/sqrt(d); the projector wants about 1.
    features[:, :_SIZE] = seen * _SIZE**0.5
    features[:, AGREEMENT] = agreed * _SIZE
    features[:, NEARNESS] = _LOUD * np.column_stack(
        [
            4.0 * near,
            (near - question.mean) / question.deviation,
            np.full(len(seen), float(look.cut)),
            np.tile(standing[:2], (len(seen), 1)),
        ]
    )
    features[:, PROPOSED] = SPOKEN * standing[2:]
    features[np.arange(len(seen)), _PLACE + np.array([0, *(look.cells.astype(int) + 1)])] = 1.0
    return features
