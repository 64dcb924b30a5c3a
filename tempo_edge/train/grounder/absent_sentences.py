"""Sentences to be asked in vain: true ones with a word changed, or of another video."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from tempo_edge.evaluation.balanced_swaps import BalancedSwaps
from tempo_edge.models.generic_sentences import generic_sentences
from tempo_edge.train.data.annotations import Annotation
from tempo_edge.train.data.short_queries import content_words
from tempo_edge.train.grounder.synthetic.questions import is_nearly_said

__all__ = ["AbsentSentences"]

_VIDEOS = 50  # that are drawn for one that does not show a sentence


class AbsentSentences:
    """Draws what is not shown, by what some annotations say of their videos."""

    def __init__(self, annotations: Sequence[Annotation]) -> None:
        """Take up all that is said of the videos that are asked about."""
        self._annotations = annotations

    @cached_property
    def _words(self) -> Mapping[str, frozenset[str]]:
        """The content words of all sentences that are true of each video."""
        words: dict[str, frozenset[str]] = defaultdict(frozenset)
        for annotation in self._annotations:
            words[annotation.video] |= content_words(annotation.query)
        return words

    @cached_property
    def _swaps(self) -> BalancedSwaps:
        # A few sentences tell little of what words stand where.
        return BalancedSwaps.fit(
            [*generic_sentences(), *(each.query for each in self._annotations)]
        )

    def swapped(self, annotation: Annotation, rng: np.random.Generator) -> str | None:
        """An annotation's sentence with a word changed, None if what was drawn makes none.

        A word is changed for one that sounds as likely, and never for what another sentence says of
        the video.
        """
        changed = self._swaps.draw(annotation.query, rng)
        if changed is None or content_words(changed.sentence) <= self._words[annotation.video]:
            return None
        return changed.sentence

    def elsewhere(self, query: str, videos: Sequence[str], rng: np.random.Generator) -> int | None:
        """The place of one of some videos of which a sentence isn't said, None if none is found."""
        for at in rng.integers(len(videos), size=_VIDEOS).tolist():
            if not is_nearly_said(query, self._words[videos[at]]):
                return int(at)
        return None
