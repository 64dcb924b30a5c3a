"""Which words may be asked for, and the later passes that each choice asks for."""

from __future__ import annotations

from collections.abc import Callable

from tempo_edge.errors import TempoEdgeError
from tempo_edge.indexing.later_pass import StepReader
from tempo_edge.preferences import Preferences

__all__ = ["PASSES", "WORDS", "check_words", "readers_of"]


def _hearing() -> StepReader:
    from tempo_edge.indexing.confined_hearing import HearingReader
    from tempo_edge.speech.models import find_speech_model

    return HearingReader(find_speech_model(Preferences.read().speech))


def _scanning() -> StepReader:
    from tempo_edge.indexing.confined_screen import ScanningReader

    return ScanningReader()


#: By the kind of its lines, what makes the reader of each later pass; they run in this order.
PASSES: dict[str, Callable[[], StepReader]] = {
    "speech": _hearing,
    "screen": _scanning,
}

#: Which words may be asked for, and the kinds of the later passes that read them. Subtitles,
#: chapters and names are read with the pictures, but for ``none``.
WORDS: dict[str, tuple[str, ...]] = {
    "subtitles": (),
    "speech": ("speech",),
    "screen": ("screen",),
    "all": ("speech", "screen"),
    "none": (),
}


def check_words(words: str) -> None:
    """Refuse what is none of :data:`WORDS`.

    Raises:
        TempoEdgeError: it is.
    """
    if words not in WORDS:
        raise TempoEdgeError(f"words {words!r} must be one of {', '.join(WORDS)}")


def readers_of(words: str) -> list[StepReader]:
    """The readers of the later passes that a choice of words asks for.

    Args:
        words: one of :data:`WORDS`.

    Raises:
        MissingExtraError: one of them is not installed.
        TempoEdgeError: one of them can't be run here.
    """
    return [PASSES[kind]() for kind in PASSES if kind in WORDS[words]]
