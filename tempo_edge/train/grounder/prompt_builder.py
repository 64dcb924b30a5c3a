"""Turns examples into prompts and target tokens, asking the text tower once a sentence."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tempo_edge import eta
from tempo_edge.evaluation.metrics.spans import Interval
from tempo_edge.models import Profile
from tempo_edge.search.grounders.boundaries import Boundaries
from tempo_edge.search.grounders.prompt import Prompt, Question, build, opposed
from tempo_edge.search.similarity import CurveSettings
from tempo_edge.train.grounder.examples import Example

__all__ = ["PromptBuilder", "allowed_tokens", "answer_spans", "frame_labels", "target_tokens"]

_CACHED = 40_000  # questions in memory, about 28 kB each


class PromptBuilder:
    """Questions and prompts as a profile's text tower reads them."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        #: The shape of a span, as the profile was calibrated to.
        self.shape = CurveSettings.of(profile)
        self._questions: OrderedDict[str, Question] = OrderedDict()

    def question(self, query: str) -> Question:
        """The question of a sentence."""
        if query not in self._questions:
            if len(self._questions) >= _CACHED:
                self._questions.popitem(last=False)
            tower = self._profile.text_tower
            vector, states = tower.read(query)
            question = Question.of(vector, states, self._profile.background)
            self._questions[query] = opposed(question, query, tower)
        return self._questions[query]

    def prompt(self, example: Example) -> Prompt:
        """The prompt of an example, as a search would build it."""
        end = float(example.edges[-1])
        return build(self.question(example.query), example.looks, end, self.shape)


def target_tokens(example: Example) -> list[int]:
    """The tokens of the best answer that can be said, with ``[end]``."""
    said = example.boundaries.nearest(example.spans)
    return [*eta.spell(eta.say(said)), eta.TOKEN["[end]"]]


def frame_labels(example: Example) -> NDArray[np.bool_]:
    """True for each frame that shows what is asked for, bool ``[n]``.

    A frame shows it if a span holds the middle of what the frame stands for.
    """
    middles = (example.edges[:-1] + example.edges[1:]) / 2
    shown = np.zeros(len(example.looks), np.bool_)
    for start, end in example.spans:
        shown |= (middles >= start) & (middles < end)
    return shown


def answer_spans(example: Example, tokens: Sequence[int]) -> list[Interval]:
    """The spans of an answer in seconds, not as they were said but as the window has them."""
    found = example.boundaries.spans(eta.read(eta.text(tokens)))
    return [(span.start_seconds, span.end_seconds) for span in found]


def allowed_tokens(window: Boundaries, tokens: Sequence[int]) -> NDArray[np.bool_]:
    """The tokens that the grammar allowed before each of ``tokens`` and before ``[end]``.

    Bool ``[a + 1, words]`` for ``a`` tokens.
    """
    grammar = window.grammar()
    masks = []
    for token in [*tokens, eta.TOKEN["[end]"]]:
        masks.append(grammar.token_mask())
        grammar.take(token)
    return np.stack(masks)
