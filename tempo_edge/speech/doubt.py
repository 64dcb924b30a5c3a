"""The doubt of a model in what it heard: what it doubts itself is no evidence."""

from __future__ import annotations

from collections.abc import Sequence

from tempo_edge.speech.recognizer import Utterance, Word

__all__ = ["LEAST_VOICE_SECONDS", "confidence", "is_doubtful"]

#: Seconds with a voice that a window must have: in less, words are made up.
LEAST_VOICE_SECONDS = 1.0

# Babble is heard as words at a mean log-probability of -2.7, a song at -0.8 and as 0.66 likely to
# be no speech; what goes in circles compresses to a tenth.
_LEAST_LOG_PROBABILITY = -0.8
_MOST_NO_SPEECH = 0.6
_MOST_REPETITION = 2.4

# The mean probability of the words of a line.
_LEAST_WORD_PROBABILITY = 0.55


def is_doubtful(utterance: Utterance) -> bool:
    """Whether a model doubts what it heard."""
    return (
        utterance.log_probability < _LEAST_LOG_PROBABILITY
        or utterance.no_speech > _MOST_NO_SPEECH
        or utterance.repetition > _MOST_REPETITION
        or confidence(utterance.words) < _LEAST_WORD_PROBABILITY
    )


def confidence(words: Sequence[Word]) -> float:
    """How sure it is that some words were said, within [0, 1]; 0 of none."""
    if not words:
        return 0.0
    return min(1.0, max(0.0, sum(word.probability for word in words) / len(words)))
