"""Examples to learn from: a window, a question about it, and the right answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tempo_edge.evaluation.metrics.spans import Interval
from tempo_edge.search.grounders.boundaries import Boundaries
from tempo_edge.search.grounders.prompt import FrameTokens

__all__ = ["ABSENT", "HARD", "Example", "ExampleSource", "Kind"]

#: Whether a question's answer is in the window, or absent: a sentence on other footage, that of
#: footage which looks alike, or a true one with one word changed.
Kind = Literal["present", "easy", "lookalike", "swap"]

#: The kinds of absent questions, and those of them that are partially irrelevant.
ABSENT: tuple[Kind, ...] = ("easy", "lookalike", "swap")
HARD: tuple[Kind, ...] = ("lookalike", "swap")


@dataclass(frozen=True)
class Example:
    """A window, a question about it and the right answer.

    ``looks`` are its frames and ``edges`` float64 ``[n + 1]`` the boundaries of what they stand
    for in seconds, as a search would draw them; ``spans`` are the half-open seconds in which the
    question is true, none if it never is.
    ``pictures`` uint8 ``[n, h, w, 3]`` are the frames themselves, for models that see.

    ``shown`` are the numbers of the pictures or videos that the window is made of, and ``about``
    those that the question was made of, shown or not; ``uncut`` says that the window has no cut.
    """

    looks: tuple[FrameTokens, ...]
    edges: NDArray[np.float64]
    query: str
    spans: tuple[Interval, ...]
    kind: Kind
    pictures: NDArray[np.uint8] | None = None
    shown: frozenset[int] = frozenset()
    about: frozenset[int] = frozenset()
    uncut: bool = False

    @cached_property
    def boundaries(self) -> Boundaries:
        """The boundaries of the window's frames, as times that an answer can name."""
        return Boundaries.of(self.looks, self.edges)


class ExampleSource(Protocol):
    """An endless supply of examples: made-up windows, or annotated videos."""

    def draw(self, rng: np.random.Generator) -> Example:
        """One example; the same generator state draws the same one."""
