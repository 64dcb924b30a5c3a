"""How likely a line of words answers a query: logistic over facts that mean the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tempo_edge.search.calibrate import probability
from tempo_edge.search.lines import MatchedLine, WantedWords
from tempo_edge.words.letters import tokens

__all__ = ["LineJudge"]


@dataclass(frozen=True)
class LineJudge:
    """Logistic weights over the facts of a line, and the probability from which it is sure."""

    weights: NDArray[np.float64]
    bias: float
    threshold: float

    @staticmethod
    def shipped() -> LineJudge:
        """The judge that the program brings."""
        return LineJudge(np.asarray([3.0, 8.0, 1.0]), -6.0, 0.5)

    def confidence(self, match: MatchedLine, wanted: WantedWords) -> float:
        """Probability in [0, 1] that a line is what is wanted."""
        return probability(float(self.weights @ facts(match, wanted) + self.bias))


def facts(match: MatchedLine, wanted: WantedWords) -> NDArray[np.float64]:
    """The facts of a line ``[f]``: in a row, the share of what is wanted, that of the line."""
    share = 1.0 if match.is_in_a_row else match.count / len(wanted.phrases)
    of_line = min(1.0, len(wanted.phrases) / max(1, len(tokens(match.hit.line.text))))
    return np.asarray([float(match.is_in_a_row), share, of_line])
