"""The registry of recognizers of speech, each of which is opened by the kind of its model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tempo_edge.speech.recognizer import Recognizer

__all__ = ["RECOGNIZERS", "open_recognizer"]


def _whisper(folder: Path, threads: int) -> Recognizer:
    from tempo_edge.speech.whisper import WhisperRecognizer

    return WhisperRecognizer(folder, threads)


#: By the kind of its model, what opens each recognizer: (folder of the model's files, threads).
RECOGNIZERS: dict[str, Callable[[Path, int], Recognizer]] = {"whisper": _whisper}


def open_recognizer(kind: str, folder: Path, threads: int) -> Recognizer:
    """The recognizer of a model.

    Args:
        kind: one of :data:`RECOGNIZERS`.
        folder: has the model's files.
        threads: that it may use at once.

    Raises:
        MissingExtraError: what runs it is not installed.
        TempoEdgeError: its files are none that it can run.
    """
    return RECOGNIZERS[kind](folder, threads)
