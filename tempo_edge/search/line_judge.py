"""How likely a line of words answers a query: logistic over facts that mean the same everywhere.

A line is judged by the words of the query that it holds, the rarer the more, and, where it has a
sentence vector, by how near that is to the query's, how much nearer than lines are by chance, and
how far the line stands apart from others: some are near to whatever is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge.models.description import Description
from tempo_edge.models.registry import LINE_CALIBRATION
from tempo_edge.search.calibrate import probability
from tempo_edge.search.lines import WantedWords, is_in
from tempo_edge.words.letters import folded, is_unspaced, tokens

__all__ = ["FACTS", "LINES_WEIGHT", "WORD_FACTS", "LineJudge", "WordFacts"]

#: The facts of a line by the words that it holds: all in a row, their share weighted by how rare
#: they are, how much that says, and their share of the line.
WORD_FACTS = ("in_a_row", "rare_share", "information", "of_line")

#: The facts of a line that has a vector: its cosine, how far that is above what the query has by
#: chance, how far the line is from those lines that are nearest to it, and the logarithm of how
#: many lines there are.
FACTS = (*WORD_FACTS, "cosine", "above_lines", "apart", "lines_seen")

#: What the last of these weighs: the best of many is nearer by chance than the best of few.
LINES_WEIGHT = -0.3

# More than this of rarity says no more; it is the logarithm of a number of lines.
_MOST_INFORMATION = 20.0

# So many lines of a library weigh as much as what is known of any library.
_UNSURE = 50

# The share of a library's lines that a line is held against, those nearest to it; their mean for a
# normal distribution, in standard deviations; and the cosine from which lines say the same.
_NEAREST, _NORMAL_NEAREST, _SAME = 0.1, 1.755, 0.9

# More lines than this are no more different ones.
_LINES = 100_000


@dataclass(frozen=True)
class WordFacts:
    """The words of a query, and how rare each is in the library.

    Attributes:
        wanted: what is asked for; ``rarities``: those of its phrases, see
            :meth:`tempo_edge.store.evidence.Evidence.rarities`.
    """

    wanted: WantedWords
    rarities: Sequence[float]

    @cached_property
    def _phrases(self) -> list[str]:
        return [_apart(each) for each in self.wanted.phrases]

    def of(self, text: str) -> list[float]:
        """The facts of a line, in the order of :data:`WORD_FACTS`."""
        if is_in(self.wanted.whole, text):
            held, in_a_row = [True] * len(self._phrases), 1.0
        else:
            words, in_a_row = _apart(text), 0.0
            held = [each in words for each in self._phrases]
        weights = [0.1 + rarity for rarity in self.rarities]
        known = sum(weight for weight, is_held in zip(weights, held, strict=True) if is_held)
        of_line = sum(held) / max(1, len(tokens(text)), len(held))
        information = min(known, _MOST_INFORMATION) / _MOST_INFORMATION
        return [in_a_row, known / max(sum(weights), 1e-6), information, of_line]


@dataclass(frozen=True)
class _Weights:
    """Logistic weights over some facts, and a bias."""

    weights: NDArray[np.float64]
    bias: float

    @staticmethod
    def of(about: Description, names: Sequence[str]) -> _Weights:
        fitted = about.some_of("features", names)
        weights = np.zeros(len(names))
        weights[[names.index(name) for name in fitted]] = about.numbers("weights", len(fitted))
        return _Weights(weights, about.number("bias"))


@dataclass(frozen=True)
class LineJudge:
    """How the facts of lines are weighed.

    Attributes:
        words: for lines without a vector; ``meaning``: for those with one.
        threshold: the probability from which a line is sure.
        mean, std: cosines of two lines by chance.
    """

    words: _Weights
    meaning: _Weights
    threshold: float
    mean: float
    std: float

    @staticmethod
    def shipped(path: Path = LINE_CALIBRATION) -> LineJudge:
        """The judge that the program brings, fitted by ``tempo_edge.evaluation.line_fitting``.

        Raises:
            ProfileError: its file can't be read.
        """
        about = Description.read(path)
        return LineJudge(
            _Weights.of(about.part("words"), WORD_FACTS),
            _Weights.of(about.part("meaning"), FACTS),
            about.number("threshold", 0.0, 1.0),
            about.number("mean"),
            about.number("std", 0.0),
        )

    @staticmethod
    def unfitted(mean: float, std: float) -> LineJudge:
        """One that weighs nothing, to collect facts with."""
        words, meaning = (_Weights(np.zeros(len(names)), 0.0) for names in (WORD_FACTS, FACTS))
        return LineJudge(words, meaning, 0.5, mean, std)

    def confidence(self, facts: Sequence[float], quoted: Sequence[str] = ()) -> float:
        """Probability in [0, 1] that a line is what is asked for.

        One that holds the very words in a row, or what is quoted, is never refused for their being
        few.

        Args:
            facts: those of :data:`WORD_FACTS` or of :data:`FACTS`.
            quoted: what of the query is quoted, which the line is known to hold.
        """
        judge = self.meaning if len(facts) == len(FACTS) else self.words
        fitted = probability(float(np.dot(judge.weights, facts) + judge.bias))
        return max(fitted, self.threshold) if facts[0] or quoted else fitted

    def facts_of_meaning(
        self,
        query: NDArray[np.float32],
        vectors: NDArray[np.float32],
        sample: NDArray[np.float32],
        lines: int,
    ) -> NDArray[np.float64]:
        """The facts ``[n, 4]`` that vectors ``[n, d]`` of lines add to those of their words.

        Args:
            query: its unit vector ``[d]``.
            sample: vectors of lines of the library, whichever, ``[k, d]``.
            lines: how many there are.
        """
        cosines, by_chance = vectors @ query, sample @ query
        middle, spread, count = self.mean, self.std, len(sample)
        if count:
            # Quantiles, because a small library's lines are the very ones that are looked for.
            low, half = np.quantile(by_chance, [0.16, 0.5])
            sure = count / (count + _UNSURE)
            middle = sure * half + (1 - sure) * self.mean
            spread = sure * (half - low) + (1 - sure) * self.std
        above = (cosines - middle) / max(spread, 0.25 * self.std)
        seen = np.full(len(cosines), np.log(min(max(lines, 1), _LINES)))
        return np.column_stack([cosines, above, self._apart(vectors, sample), seen])

    def _apart(
        self, vectors: NDArray[np.float32], sample: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """Minus the mean cosine ``[n]`` of lines to the nearest of a sample of others.

        Those that say the same are no others. Where there are few, what is so by chance counts.
        """
        count = len(sample)
        nearest = np.zeros(len(vectors))
        if count:
            cosines = vectors @ sample.T
            cosines[cosines > _SAME] = self.mean
            most = max(1, round(_NEAREST * count))
            nearest = np.partition(cosines, count - most)[:, -most:].mean(1, dtype=np.float64)
        sure = count / (count + _UNSURE)
        by_chance = self.mean + _NORMAL_NEAREST * self.std
        return -(sure * nearest + (1 - sure) * by_chance)


def _apart(text: str) -> str:
    """The words of a text as they are compared, a space before and behind each."""
    if is_unspaced(text):
        return text.casefold()
    return f" {' '.join(tokens(folded(text)))} "
