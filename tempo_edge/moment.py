"""The result of a search: a span of one file, its arithmetic and its validation."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tempo_edge._files.spelling import spelled
from tempo_edge.capture.facts import Capture
from tempo_edge.expression import ROLES
from tempo_edge.words.line import KINDS

__all__ = [
    "EVIDENCE_KINDS",
    "LEAD_SECONDS",
    "PICTURE",
    "Copy",
    "Moment",
    "Part",
    "Span",
    "format_timestamp",
    "merge_spans",
]

#: The kind of evidence that pictures are.
PICTURE = "picture"

#: What a moment may be found by: its pictures, or words of a kind of
#: :data:`tempo_edge.words.line.KINDS`.
EVIDENCE_KINDS = (PICTURE, *KINDS)

#: A line begins where a voice does: so many seconds before, the voice is heard from its beginning.
LEAD_SECONDS = 0.5


@dataclass(frozen=True, order=True)
class Span:
    """A half-open stretch of time ``[start_seconds, end_seconds)``.

    Raises:
        ValueError: a bound is not finite, or the end does not lie after the start.
    """

    start_seconds: float
    end_seconds: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start_seconds) and math.isfinite(self.end_seconds)):
            raise ValueError(
                f"span [{self.start_seconds}, {self.end_seconds}) must have finite bounds"
            )
        if self.end_seconds <= self.start_seconds:
            raise ValueError(
                f"span [{self.start_seconds}, {self.end_seconds}) must end after it starts"
            )

    @property
    def duration_seconds(self) -> float:
        """Length in seconds, always positive."""
        return self.end_seconds - self.start_seconds

    def intersection_seconds(self, other: Span) -> float:
        """Seconds that both spans share."""
        return max(
            0.0,
            min(self.end_seconds, other.end_seconds) - max(self.start_seconds, other.start_seconds),
        )

    def iou(self, other: Span) -> float:
        """Temporal intersection over union, in [0, 1]."""
        shared = self.intersection_seconds(other)
        return shared / (self.duration_seconds + other.duration_seconds - shared)


@dataclass(frozen=True)
class Copy:
    """A place where the same pictures are to be seen as in a moment.

    Attributes:
        path: the video file; ``offline``: True when its volume is not there at present.
        start_seconds, end_seconds: the half-open span, counted as a moment's.

    Raises:
        ValueError: the span is empty or not finite.
    """

    path: Path
    start_seconds: float
    end_seconds: float
    offline: bool = False

    def __post_init__(self) -> None:
        Span(self.start_seconds, self.end_seconds)

    def as_dict(self) -> dict[str, str | float | bool]:
        """Plain values; times rounded to the millisecond."""
        return {
            "path": spelled(self.path),
            "start_seconds": round(self.start_seconds, 3),
            "end_seconds": round(self.end_seconds, 3),
            "offline": self.offline,
        }


@dataclass(frozen=True)
class Part:
    """One term of an expression in a moment.

    Attributes:
        text: the term; ``role``: of :data:`tempo_edge.expression.ROLES`.
        start_seconds, end_seconds: the half-open span at which it was looked for.
        confidence: probability, in [0, 1], that it is there: of one that is not to be, a low one is
            good.

    Raises:
        ValueError: the span is empty or not finite, the role is none that there is, or the
            confidence is outside [0, 1].
    """

    text: str
    role: str
    start_seconds: float
    end_seconds: float
    confidence: float

    def __post_init__(self) -> None:
        Span(self.start_seconds, self.end_seconds)
        if self.role not in ROLES:
            raise ValueError(f"role {self.role!r} must be one of {', '.join(ROLES)}")
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"confidence {self.confidence} must be within [0, 1]")

    @property
    def span(self) -> Span:
        """Its time alone."""
        return Span(self.start_seconds, self.end_seconds)

    def as_dict(self) -> dict[str, str | float]:
        """Plain values; times rounded to the millisecond."""
        return {
            "text": self.text,
            "role": self.role,
            "start_seconds": round(self.start_seconds, 3),
            "end_seconds": round(self.end_seconds, 3),
            "confidence": round(self.confidence, 4),
        }


@dataclass(frozen=True)
class Moment:
    """A stretch of one video that answers a query.

    Attributes:
        path: the video file.
        start_seconds: first instant of the moment, counted from the start of the container.
        end_seconds: first instant after it (half-open).
        score: how far the moment stands above chance for this query, in standard deviations; of one
            that words alone speak for, the logarithm of its odds.
        confidence: calibrated probability, in [0, 1], that the query is really there.
        profile: the models that judged it.
        offline: True when the file's volume is not there at present.
        copies: where else the same pictures are, in files of the same bytes and of other ones.
        video: the library's number for the video; None where no library gave one.
        found_by: the kinds of evidence that speak for it, of :data:`EVIDENCE_KINDS`; the first is
            the surest, whose times the moment has.
        text: the line of words that speaks for it; empty where none does.
        parts: of a query of several terms each of them; empty of one term.
        capture: when, where and by what its video was taken; None where nobody looked.

    Raises:
        ValueError: the span is empty or not finite, the confidence is outside [0, 1], or it was
            found by nothing that there is.
    """

    path: Path
    start_seconds: float
    end_seconds: float
    score: float
    confidence: float
    profile: str
    offline: bool = False
    copies: tuple[Copy, ...] = ()
    video: int | None = field(default=None, compare=False, repr=False)
    found_by: tuple[str, ...] = (PICTURE,)
    text: str = ""
    parts: tuple[Part, ...] = ()
    capture: Capture | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        Span(self.start_seconds, self.end_seconds)
        if not math.isfinite(self.score):
            raise ValueError(f"score {self.score} must be finite")
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"confidence {self.confidence} must be within [0, 1]")
        if not self.found_by or not set(self.found_by) <= set(EVIDENCE_KINDS):
            raise ValueError(
                f"found_by {self.found_by} must name some of {', '.join(EVIDENCE_KINDS)}"
            )

    @property
    def span(self) -> Span:
        """The moment's time alone."""
        return Span(self.start_seconds, self.end_seconds)

    @property
    def cue_seconds(self) -> float:
        """Where a player is to start: the moment's start, or shortly before a line of words."""
        if self.found_by[0] == PICTURE:
            return self.start_seconds
        return max(0.0, self.start_seconds - LEAD_SECONDS)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as printed by ``find --json``; times rounded to the millisecond.

        There are ``parts`` only where several terms were asked for.
        """
        parts = {"parts": [part.as_dict() for part in self.parts]} if self.parts else {}
        return {
            "path": spelled(self.path),
            "start_seconds": round(self.start_seconds, 3),
            "end_seconds": round(self.end_seconds, 3),
            "cue_seconds": round(self.cue_seconds, 3),
            "score": round(self.score, 4),
            "confidence": round(self.confidence, 4),
            "profile": self.profile,
            "offline": self.offline,
            "copies": [copy.as_dict() for copy in self.copies],
            "found_by": list(self.found_by),
            "text": self.text,
            **parts,
            **(self.capture or Capture()).as_dict(),
        }


def merge_spans(spans: Iterable[Span], gap_seconds: float = 0.0) -> list[Span]:
    """Join spans that overlap, touch, or lie at most ``gap_seconds`` apart; sorted, disjoint."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start_seconds <= merged[-1].end_seconds + gap_seconds:
            last = merged[-1]
            merged[-1] = Span(last.start_seconds, max(last.end_seconds, span.end_seconds))
        else:
            merged.append(span)
    return merged


def format_timestamp(seconds: float) -> str:
    """``MM:SS.t``, or ``H:MM:SS.t`` from an hour on: ``format_timestamp(12.44) == "00:12.4"``.

    Raises:
        ValueError: ``seconds`` is negative or not finite.
    """
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"seconds {seconds} must be finite and not negative")
    tenths = round(seconds * 10)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    clock = f"{minutes:02d}:{tenths // 10:02d}.{tenths % 10}"
    return f"{hours}:{clock}" if hours else clock
