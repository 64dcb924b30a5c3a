"""Explicit Timestamp-modal Alignment: every frame's time is said before the frame.

A grounder reads ``<12.4s>`` and then what the frame at 12.4 seconds shows, and answers in the same
language: ``12.4-15.8;20.0-21.3``, or ``none``. It has 228 words and no more, which are in
:mod:`tempo_edge.eta_vocabulary`. Times are seconds since the window began, taken from the
container's own clock and rounded once, to a tenth. A whole number of seconds is one word and a
tenth is one, so that to name a time that was read is to repeat two words; in exchange the words end
at 100 seconds.
The idea is Tempo-R0's (arXiv 2507.04702); the wording here is our own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from fractions import Fraction

from tempo_edge.eta_vocabulary import LONGEST_SECONDS, NONE, TOKEN, WORDS, spell, text
from tempo_edge.moment import Span

__all__ = [
    "LONGEST_SECONDS",
    "NONE",
    "TOKEN",
    "WORDS",
    "number",
    "read",
    "say",
    "spell",
    "stamp",
    "tenths",
    "text",
]


def tenths(seconds: float | Fraction) -> int:
    """Whole tenths of a second nearest to a time, halves away from zero.

    Raises:
        ValueError: the time is negative: it would lie before its window.
    """
    if seconds < 0:
        raise ValueError(f"time {float(seconds)} lies before its window: it must be at least 0")
    return int(Fraction(seconds) * 10 + Fraction(1, 2))


def number(tenths: int) -> str:
    """A time as it is said: seconds with one decimal.

    >>> number(124)
    '12.4'
    """
    return f"{tenths // 10}.{tenths % 10}"


def stamp(seconds: float | Fraction) -> str:
    """The time stamp before a frame.

    >>> stamp(12.43)
    '<12.4s>'
    """
    return f"<{number(tenths(seconds))}s>"


def say(spans: Iterable[Span]) -> str:
    """The answer that names these spans, in their order in time; no spans is a refusal.

    >>> say([Span(20.0, 21.3), Span(12.4, 15.8)])
    '12.4-15.8;20.0-21.3'
    >>> say([])
    'none'
    """
    said = [
        f"{number(tenths(span.start_seconds))}-{number(tenths(span.end_seconds))}"
        for span in sorted(spans)
    ]
    return ";".join(said) or NONE


def read(answer: str) -> list[Span]:
    """The spans that an answer names; none for a refusal.

    Raises:
        ValueError: the answer is not of the language, or its spans are empty or out of order.
    """
    if answer == NONE:
        return []
    spans: list[Span] = []
    for part in answer.split(";"):
        bounds = part.split("-")
        if len(bounds) != 2 or any(_bad(bound) for bound in bounds):
            raise ValueError(f"answer {answer!r} must be {NONE!r} or spans such as '12.4-15.8'")
        spans.append(Span(float(bounds[0]), float(bounds[1])))
    if any(a.end_seconds > b.start_seconds for a, b in itertools.pairwise(spans)):
        raise ValueError(f"answer {answer!r} must name its spans in order, none inside another")
    return spans


def _bad(bound: str) -> bool:
    whole, point, part = bound.partition(".")
    digits = whole.isascii() and whole.isdigit() and part.isascii() and part.isdigit()
    return not (digits and point and len(part) == 1 and str(int(whole)) == whole)
