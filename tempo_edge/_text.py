"""Text for people: paths on one line each, and columns that stand under one another."""

from __future__ import annotations

import unicodedata

__all__ = ["columns", "printable"]


def printable(text: str) -> str:
    """The text with everything that would not stay on its line spelled out.

    File names may hold line ends, and sequences that terminals obey.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def columns(text: str) -> int:
    """Columns that a text takes up on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
