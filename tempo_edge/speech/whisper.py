"""Whisper, run by faster-whisper on CTranslate2 in whole numbers of eight bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge._extras import lacking
from tempo_edge.errors import MissingExtraError, TempoEdgeError
from tempo_edge.media.sound import SAMPLE_RATE
from tempo_edge.speech.recognizer import Recognizer, Utterance, Word

__all__ = ["WhisperRecognizer"]

# Hypotheses that are followed side by side.
_BEAMS = 5

# Tokens of a window: people say four words a second when they hurry, and what goes in circles
# would use up all that a window may have.
_TOKENS_A_SECOND, _LEAST_TOKENS, _MOST_TOKENS = 12, 24, 224


class WhisperRecognizer(Recognizer):
    """A Whisper model.

    Args:
        folder: has ``model.bin``, ``config.json``, ``tokenizer.json`` and the vocabulary.
        threads: that it may use at once.

    Raises:
        MissingExtraError: faster-whisper is not installed.
        TempoEdgeError: the files are of no such model.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        try:
            from faster_whisper import WhisperModel
        except ImportError as error:
            raise MissingExtraError(lacking("faster_whisper")) from error
        try:
            self._model: Any = WhisperModel(
                str(folder), device="cpu", compute_type="int8", cpu_threads=threads
            )
        except (RuntimeError, ValueError) as error:
            said = " ".join(str(error).split())
            raise TempoEdgeError(f"the speech model in {folder} can't be run: {said}") from error

    def languages(self, samples: NDArray[np.float32]) -> dict[str, float]:
        """How probable each language is that may be spoken in a window, by its tag."""
        *_, found = self._model.detect_language(samples)
        return {str(language): float(probability) for language, probability in found}

    def hear(self, samples: NDArray[np.float32], language: str) -> list[Utterance]:
        """What is said in a window, in the order of times."""
        seconds = len(samples) / SAMPLE_RATE
        segments, _ = self._model.transcribe(
            samples,
            language=language,
            beam_size=_BEAMS,
            # What fails is in doubt: drawing other words until some please is no hearing.
            temperature=[0.0],
            condition_on_previous_text=False,
            word_timestamps=True,
            max_new_tokens=int(min(_LEAST_TOKENS + seconds * _TOKENS_A_SECOND, _MOST_TOKENS)),
            # All that was heard is given; what of it counts is decided elsewhere.
            no_speech_threshold=None,
            log_prob_threshold=None,
            compression_ratio_threshold=None,
        )
        return [_utterance(segment) for segment in segments if segment.words]


def _utterance(segment: Any) -> Utterance:
    words = tuple(
        Word(float(each.start), float(each.end), str(each.word), float(each.probability))
        for each in segment.words
    )
    measured = segment.avg_logprob, segment.no_speech_prob, segment.compression_ratio
    return Utterance(words, *(float(each) for each in measured))
