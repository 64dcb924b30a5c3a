"""Lines of words of what was on the screen: one for each banner, whatever rows it has."""

from __future__ import annotations

from collections.abc import Sequence

from tempo_edge.screen.following import Shown, letters_of
from tempo_edge.screen.rows import Box, joined
from tempo_edge.words.line import MOST_LETTERS, Line

__all__ = ["lines_of_screen"]

# Rows of one banner lie no further apart than this share of their height, are of about the same
# size, one is below a part of the other, and they are there at the same time for this share of it.
_GAP, _ALIKE, _BELOW, _TOGETHER = 0.9, 2.5, 0.3, 0.6


def lines_of_screen(shown: Sequence[Shown], source: str, end_seconds: float) -> list[Line]:
    """The lines of what was on the screen, in the order of their times.

    Args:
        shown: what has gone by now.
        source: what the lines say that they were read from.
        end_seconds: when the film is over.
    """
    lines = []
    for group in _banners(shown):
        start = max(0.0, min(each.start_seconds for each in group))
        end = min(max(each.end_seconds for each in group), end_seconds)
        row = joined([each.row for each in group])
        if start < end:
            text = row.text[:MOST_LETTERS]
            lines.append(Line(start, end, "screen", text, "", round(row.confidence, 4), source))
    return sorted(lines, key=lambda line: line.start_seconds)


def _banners(shown: Sequence[Shown]) -> list[list[Shown]]:
    """What belongs to one banner, from top to bottom."""
    groups: list[list[Shown]] = []
    for each in sorted(shown, key=lambda each: (each.row.box.top, each.row.box.left)):
        length = len(each.row.text)
        for group in groups:
            letters = sum(len(row.row.text) + 1 for row in group)
            if letters + length <= MOST_LETTERS and any(_is_below(row, each) for row in group):
                if not any(_says_as_much(row, each) for row in group):
                    group.append(each)
                break
        else:
            groups.append([each])
    return groups


def _says_as_much(one: Shown, other: Shown) -> bool:
    return letters_of(one.row.text) == letters_of(other.row.text)


def _is_below(upper: Shown, lower: Shown) -> bool:
    return _are_together(upper, lower) and _is_beneath(upper.row.box, lower.row.box)


def _are_together(one: Shown, other: Shown) -> bool:
    both = min(one.end_seconds, other.end_seconds) - max(one.start_seconds, other.start_seconds)
    whole = max(one.end_seconds, other.end_seconds) - min(one.start_seconds, other.start_seconds)
    return both >= _TOGETHER * whole


def _is_beneath(upper: Box, lower: Box) -> bool:
    small, large = sorted((upper.height, lower.height))
    gap = lower.top - upper.bottom
    across = min(upper.right, lower.right) - max(upper.left, lower.left)
    return (
        large <= _ALIKE * small
        and -small / 2 <= gap <= _GAP * small
        and across >= _BELOW * min(upper.width, lower.width)
    )
