"""Turns examples into prompts and right answers, asking the text tower once a sentence."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tempo_edge import eta
from tempo_edge.models import Profile
from tempo_edge.moment import Span
from tempo_edge.search.grammar import Grammar
from tempo_edge.search.prompt import Prompt, Question, build
from tempo_edge.train.grounder.windows import Example

_KEPT = 20_000  # questions in memory, about 20 kB each


class Asker:
    """Questions as a profile reads them."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._known: OrderedDict[str, Question] = OrderedDict()

    def question(self, query: str) -> Question:
        """The question of a sentence."""
        if query not in self._known:
            if len(self._known) >= _KEPT:
                self._known.popitem(last=False)
            vector, states = self._profile.text_tower.read(query)
            chance = np.einsum("ij,j->i", self._profile.background, vector)
            self._known[query] = Question(
                states, vector, float(chance.mean()), float(chance.std()) + 1e-6
            )
        return self._known[query]

    def prompt(self, example: Example) -> Prompt:
        """What the grounder reads of an example."""
        return build(self.question(example.query), example.looks)


@dataclass(frozen=True)
class Bounds:
    """Where spans of a window may start and end, in tenths of a second."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @staticmethod
    def of(example: Example) -> Bounds:
        """The window's edges."""
        edges = sorted({eta.tenths(max(0.0, float(edge))) for edge in example.edges})
        return Bounds(tuple(edges[:-1]), tuple(edges[1:]))

    def grammar(self, limit: int = 4) -> Grammar:
        """The answers that name these times."""
        return Grammar(self.starts, self.ends, limit)

    def nearest(self, spans: Sequence[tuple[float, float]], limit: int = 4) -> list[Span]:
        """The sayable spans nearest to the true ones; those that would be empty are left out."""
        found: list[Span] = []
        for start, end in spans[:limit]:
            low = min(self.starts, key=lambda tenths: abs(tenths - 10 * start))
            high = min(self.ends, key=lambda tenths: abs(tenths - 10 * end))
            if high > low and (not found or low / 10 >= found[-1].end_seconds):
                found.append(Span(low / 10, high / 10))
        return found


def right_answer(example: Example) -> list[int]:
    """The words of the best answer that can be said, with ``[end]``."""
    spans = Bounds.of(example).nearest(example.spans)
    return [*eta.spell(eta.say(spans)), eta.WORDS.index("[end]")]
