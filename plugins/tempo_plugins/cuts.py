"""Moments as cuts: which frames of which file, laid one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from tempo_edge.moment import Moment
from tempo_plugins.source import Source, read_source
from tempo_plugins.timecode import format_timecode

__all__ = ["Cut", "plan"]


@dataclass(frozen=True)
class Cut:
    """A moment in whole frames.

    Attributes:
        moment: what was found.
        source: the file.
        first: number of its first frame, from 0 for the first picture of the file.
        after: number of the first frame after it.
    """

    moment: Moment
    source: Source
    first: int
    after: int

    @property
    def length(self) -> int:
        """Frames, one at least."""
        return self.after - self.first

    @property
    def start_time(self) -> Fraction:
        """Exact seconds from the start of the container; for variable rates as it was found."""
        if self.source.variable:
            return Fraction(self.moment.start_seconds).limit_denominator(1_000_000)
        return self.source.seconds_at(self.first)

    @property
    def end_time(self) -> Fraction:
        """Exact seconds to the first instant after it."""
        if self.source.variable:
            return Fraction(self.moment.end_seconds).limit_denominator(1_000_000)
        return self.source.seconds_at(self.after)

    def timecode(self, frame: int) -> str:
        """The label of a frame in the file's own time code.

        Raises:
            ValueError: no time code counts at this rate.
        """
        source = self.source
        return format_timecode(source.start_frame + frame, source.label_rate, source.drop)


def plan(moments: Sequence[Moment]) -> list[Cut]:
    """Look into each file once and turn spans into frames.

    Raises:
        MediaError: a file can't be read, or holds no picture in a span; the text names it.
    """
    look = cache(read_source)
    cuts = []
    for moment in moments:
        source = look(moment.path)
        cuts.append(Cut(moment, source, *source.frames_of(moment.span)))
    return cuts
