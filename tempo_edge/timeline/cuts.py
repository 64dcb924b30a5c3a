"""Moments as cuts: which frames of which file, laid one after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

from tempo_edge.errors import MediaError
from tempo_edge.moment import Moment
from tempo_edge.timeline.source import Source, read_source
from tempo_edge.timeline.timecode import format_timecode

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


def plan(
    moments: Sequence[Moment], on_remark: Callable[[str], None] = lambda line: None
) -> list[Cut]:
    """Look into each file once and turn spans into frames.

    A moment whose file can't be read, or holds no picture in its span, is left out, and
    ``on_remark`` is told which and why, once a reason.

    Raises:
        MediaError: that is so for all of them; the text names the first.
    """
    look = cache(_look)
    cuts: list[Cut] = []
    left_out: dict[str, MediaError] = {}
    for moment in moments:
        try:
            source = look(moment.path)
            if isinstance(source, MediaError):
                raise source
            cuts.append(Cut(moment, source, *source.frames_of(moment.span)))
        except MediaError as error:
            left_out.setdefault(str(error), error)
    if not cuts:
        raise next(iter(left_out.values()))
    for reason in left_out:
        on_remark(f"leaving out a moment: {reason}")
    return cuts


def _look(path: Path) -> Source | MediaError:
    """A file's facts, or why there are none, so that no file is asked twice."""
    try:
        return read_source(path)
    except MediaError as error:
        return error
