"""Turns examples into prompts and right answers, asking the text tower once a sentence."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tempo_edge import eta
from tempo_edge.models import Profile
from tempo_edge.search.grounders.boundaries import Boundaries
from tempo_edge.search.grounders.prompt import Prompt, Question, build
from tempo_edge.search.similarity import CurveSettings
from tempo_edge.train.grounder.synthetic.windows import Example

_KEPT = 50_000  # questions in memory, about 20 kB each


class Asker:
    """Questions as a profile reads them."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        #: The shape of a span, as the profile was calibrated to.
        self.shape = CurveSettings.of(profile)
        self._known: OrderedDict[str, Question] = OrderedDict()

    def question(self, query: str) -> Question:
        """The question of a sentence."""
        if query not in self._known:
            if len(self._known) >= _KEPT:
                self._known.popitem(last=False)
            vector, states = self._profile.text_tower.read(query)
            self._known[query] = Question.of(vector, states, self._profile.background)
        return self._known[query]

    def prompt(self, example: Example) -> Prompt:
        """What the grounder reads of an example."""
        end = float(example.edges[-1])
        return build(self.question(example.query), example.looks, end, self.shape)


def right_answer(example: Example) -> list[int]:
    """The words of the best answer that can be said, with ``[end]``."""
    said = example.boundaries.nearest(example.spans)
    return [*eta.spell(eta.say(said)), eta.TOKEN["[end]"]]


def shown(example: Example) -> NDArray[np.bool_]:
    """Of each frame whether it shows what is asked for, by the middle of what it stands for."""
    middles = (example.edges[:-1] + example.edges[1:]) / 2
    found = np.zeros(len(example.looks), np.bool_)
    for start, end in example.spans:
        found |= (middles >= start) & (middles < end)
    return found


def meant(example: Example, tokens: Sequence[int]) -> list[tuple[float, float]]:
    """The seconds of an answer's spans, not as they were said but as the window has them."""
    found = example.boundaries.spans(eta.read(eta.text(tokens)))
    return [(span.start_seconds, span.end_seconds) for span in found]


def replay(window: Boundaries, tokens: Sequence[int]) -> NDArray[np.bool_]:
    """What was allowed before each of ``tokens`` and before ``[end]``, bool ``[a + 1, words]``."""
    grammar = window.grammar()
    masks = []
    for token in [*tokens, eta.TOKEN["[end]"]]:
        masks.append(grammar.token_mask())
        grammar.take(token)
    return np.stack(masks)
