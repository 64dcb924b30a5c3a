"""Times of lines as a film has them: in order, within it, and one line where one was repeated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from tempo_edge.media.text_tracks import Cue
from tempo_edge.words.line import MOST_LINES
from tempo_edge.words.markup import plain

__all__ = ["Span", "Timed", "timed"]

# How long a line is shown whose end is not said: until the next one, but no longer.
_SHOWN_SECONDS = Fraction(10)

# The same words again within this time are the same line: karaoke and moving signs are written as
# one for each picture.
_AGAIN_SECONDS = 0.5


@dataclass
class Span:
    """Words without markup, from when to when they are shown, in seconds."""

    start_seconds: float
    end_seconds: float
    text: str


@dataclass(frozen=True)
class Timed:
    """The lines of one place.

    Attributes:
        spans: in the order of their times.
        outside: how many lines lie before or after the film, and are left out.
        more: how many there are beyond the most that are taken.
    """

    spans: tuple[Span, ...]
    outside: int = 0
    more: int = 0

    @property
    def remark(self) -> str:
        """What the owner of the film should know of them, or nothing."""
        counted = len(self.spans) + self.outside
        parts = [
            f"{self.outside} of {counted} lines lie outside the film" if self.outside else "",
            f"{self.more} lines more than {MOST_LINES:,} are left out" if self.more else "",
        ]
        return ", ".join(filter(None, parts))


def timed(cues: Sequence[Cue], end_seconds: float) -> Timed:
    """The words of cues, each with the part of the film that it is shown in.

    A line that ends before it begins, or that has no end, is shown until the next one begins, ten
    seconds at most. What begins before the film begins with it, and what ends after it ends with
    it.

    Args:
        cues: in any order.
        end_seconds: when the film is over.
    """
    kept: list[Span] = []
    latest: dict[str, Span] = {}
    outside = more = 0
    for start, end, text in _ended(cues):
        if start >= end_seconds or end <= 0:
            outside += 1
            continue
        first, last = max(0.0, float(start)), min(float(end), end_seconds)
        before = latest.get(text)
        if before is not None and first <= before.end_seconds + _AGAIN_SECONDS:
            before.end_seconds = max(before.end_seconds, last)
        elif len(kept) >= MOST_LINES:
            more += 1
        elif first < last:
            latest[text] = Span(first, last, text)
            kept.append(latest[text])
    return Timed(tuple(kept), outside, more)


def _ended(cues: Sequence[Cue]) -> list[tuple[Fraction, Fraction, str]]:
    """(start, end, words) of cues that hold some, in the order of their times."""
    spoken = [(cue.start, cue.end, text) for cue in cues if (text := plain(cue.text))]
    starts = sorted({cue.start for cue in cues})
    following = dict(pairwise(starts))
    rows = []
    for start, end, text in spoken:
        if end is None or end <= start:
            end = min(following.get(start, start + _SHOWN_SECONDS), start + _SHOWN_SECONDS)
        rows.append((start, end, text))
    return sorted(rows, key=lambda row: row[0])
