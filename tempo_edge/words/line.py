"""A line of words: some text, and from when to when it belongs to a film."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["KINDS", "MOST_LETTERS", "MOST_LINES", "Line", "LineError"]

#: What words may be: written under the pictures, spoken, standing in the picture, the title of a
#: chapter, or a name of the film, its file or a folder.
KINDS = ("subtitle", "speech", "screen", "chapter", "name")

#: Letters of the longest line; what is longer is cut.
MOST_LETTERS = 500

#: Lines that are taken from one place: of a track, of a file beside the film.
MOST_LINES = 20_000


class LineError(ValueError):
    """A line holds a value that no line can; the text names it."""


@dataclass(frozen=True)
class Line:
    """Words of a film.

    Attributes:
        start_seconds, end_seconds: the span that they belong to, half-open, from what players
            call zero.
        kind: one of :data:`KINDS`.
        text: one line without markup.
        language: a tag of BCP 47, ``pt-BR`` say, or empty where it is not known.
        confidence: how sure it is that these words are there, within [0, 1]; what people wrote
            under pictures is, and what they called a file says little about each picture.
        source: where they were read: ``stream 2``, or the name of a file beside the film.

    Raises:
        LineError: a value is none of these.
    """

    start_seconds: float
    end_seconds: float
    kind: str
    text: str
    language: str = ""
    confidence: float = 1.0
    source: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.start_seconds < self.end_seconds < math.inf:
            span = f"[{self.start_seconds}, {self.end_seconds})"
            raise LineError(f"span {span} must begin at 0 or later and end after that")
        if self.kind not in KINDS:
            raise LineError(f"kind {self.kind!r} must be one of {', '.join(KINDS)}")
        if not 0 < len(self.text) <= MOST_LETTERS:
            raise LineError(f"text of {len(self.text)} letters must have 1 to {MOST_LETTERS}")
        if not 0 <= self.confidence <= 1:
            raise LineError(f"confidence {self.confidence} must lie within [0, 1]")
