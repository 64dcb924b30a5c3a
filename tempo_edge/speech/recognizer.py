"""The interface of every recognizer of speech, and what one hears."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Recognizer", "Utterance", "Word"]


@dataclass(frozen=True)
class Word:
    """A word that was heard.

    Attributes:
        start_seconds, end_seconds: its span, half-open, from the beginning of the window.
        text: with the space before it and the marks behind it, as it is written in a line.
        probability: how sure the model is of it, within [0, 1].
    """

    start_seconds: float
    end_seconds: float
    text: str
    probability: float


@dataclass(frozen=True)
class Utterance:
    """Words that were heard in a row, and what the model thinks of them itself.

    Attributes:
        words: in the order of their times.
        log_probability: the mean natural logarithm of the probability of each token of the window.
        no_speech: the probability that nothing is said in the window at all.
        repetition: bytes of the text by its bytes when compressed: high where it goes in circles.
    """

    words: tuple[Word, ...]
    log_probability: float
    no_speech: float
    repetition: float


class Recognizer(ABC):
    """Hears windows of sound: 16,000 samples a second of one channel within [-1, 1], ``[n]``."""

    @abstractmethod
    def languages(self, samples: NDArray[np.float32]) -> dict[str, float]:
        """How probable each language is that may be spoken in a window, by its tag.

        Args:
            samples: 30 s at most; the rest is not listened to.
        """

    @abstractmethod
    def hear(self, samples: NDArray[np.float32], language: str) -> list[Utterance]:
        """What is said in a window, in the order of times.

        Args:
            samples: 30 s at most.
            language: one of those of :meth:`languages`.
        """
