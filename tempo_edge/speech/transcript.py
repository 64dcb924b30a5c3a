"""The lines of what was heard: a sentence each, or what is said between two pauses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tempo_edge.speech.doubt import confidence, is_doubtful
from tempo_edge.speech.recognizer import Utterance, Word
from tempo_edge.speech.voice import Stretch, overlap
from tempo_edge.words.line import Line
from tempo_edge.words.markup import plain

__all__ = ["lines_of_speech"]

# What ends a sentence, and what may stand behind that.
_ENDS, _CLOSING = (".", "!", "?", "…", "。", "！", "？", "।", "؟"), "\"')]}»”’」"

# Words further apart than this are of two lines; the longest that a line lasts; and how long one
# lasts at least that ends with a sentence: what stands before a dot may be a number, or "Dr".
_PAUSE_SECONDS, _LONGEST_SECONDS, _SHORTEST_SECONDS = 1.0, 12.0, 1.5

# The share of a line's time in which there must be a voice.
_LEAST_VOICE = 0.5


def lines_of_speech(
    utterances: Sequence[Utterance],
    window: Stretch,
    voice: Sequence[Stretch],
    *,
    language: str,
    source: str,
    end_seconds: float,
) -> Iterator[Line]:
    """Lines of what was heard in a window and is not in doubt.

    Args:
        window: where it lies in the film, in seconds.
        voice: where voices are in the film.
        language: the tag of what is spoken.
        source: what heard it.
        end_seconds: when the film is over.
    """
    for utterance in utterances:
        if is_doubtful(utterance):
            continue
        for words in _sentences(utterance.words):
            start = window.start + words[0].start_seconds
            end = min(window.start + words[-1].end_seconds, end_seconds)
            text = plain("".join(word.text for word in words))
            if not text or start >= end:
                continue
            if overlap(voice, start, end) >= _LEAST_VOICE * (end - start):
                # A model's word may begin in the pause before it.
                spoken = [each for each in voice if each.end > start and each.start < end]
                start, end = max(start, spoken[0].start), min(end, spoken[-1].end)
                yield Line(start, end, "speech", text, language, confidence(words), source)


def _sentences(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Words in a row, up to the end of each sentence, or to a pause."""
    begun: list[Word] = []
    for word in words:
        if begun and (
            word.start_seconds - begun[-1].end_seconds > _PAUSE_SECONDS
            or word.end_seconds - begun[0].start_seconds > _LONGEST_SECONDS
        ):
            yield begun
            begun = []
        begun.append(word)
        lasts = word.end_seconds - begun[0].start_seconds
        if lasts >= _SHORTEST_SECONDS and word.text.rstrip().rstrip(_CLOSING).endswith(_ENDS):
            yield begun
            begun = []
    if begun:
        yield begun
