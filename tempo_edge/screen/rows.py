"""Rows of words in a picture, and what of them stands side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Box", "Row", "is_worth_keeping", "rows_of"]

# Words are kept that were read so surely; of few letters more is asked, for leaves and bricks look
# like those.
_SURE, _SURE_OF_FEW, _FEW = 0.8, 0.95, 3

# What is level overlaps so much in height.
_LEVEL = 0.6

# What lies mostly within another has this share of its area there.
_MOSTLY = 0.5

# Parts of one row are of the same size but for this, and lie no further apart than this share of
# their height: a row is cut where words lie far apart. What is smaller or larger is another banner.
_ALIKE, _APART = 1.15, 0.5


@dataclass(frozen=True)
class Box:
    """An upright rectangle in a picture whose height counts as 1, its width as so many heights."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From top to bottom."""
        return self.bottom - self.top

    def common(self, other: Box) -> float:
        """The area that both cover."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(across, 0.0) * max(down, 0.0)

    def covered_by(self, other: Box) -> float:
        """Which share of it another covers."""
        return self.common(other) / max(self.width * self.height, 1e-12)

    def is_at(self, other: Box) -> bool:
        """Whether the smaller of both lies mostly within the larger."""
        return max(self.covered_by(other), other.covered_by(self)) >= _MOSTLY

    def around(self, other: Box) -> Box:
        """The rectangle around both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def wider(self, by: float) -> Box:
        """The rectangle that is larger by so much on each side."""
        return Box(self.left - by, self.top - by, self.right + by, self.bottom + by)

    def is_level_with(self, other: Box) -> bool:
        """Whether both are at the same height."""
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return down >= _LEVEL * max(self.height, other.height)


@dataclass(frozen=True)
class Row:
    """Words that stand in one row.

    Attributes:
        text: what they are.
        confidence: how sure that is, within [0, 1].
        box: where they stand.
    """

    text: str
    confidence: float
    box: Box


def is_worth_keeping(row: Row) -> bool:
    """Whether a row was read surely enough, and holds something that one could look for."""
    letters = sum(letter.isalnum() for letter in row.text)
    needed = _SURE_OF_FEW if letters <= _FEW else _SURE
    return letters >= 2 and 2 * letters >= len(row.text) and row.confidence >= needed


def rows_of(parts: Iterable[Row]) -> list[Row]:
    """Rows of parts that were read each by itself: what stands side by side is one row.

    They come from top to bottom.
    """
    rows: list[Row] = []
    for part in sorted(parts, key=lambda row: row.box.left):
        before = next((row for row in rows if _is_followed_by(row.box, part.box)), None)
        if before is None:
            rows.append(part)
        else:
            rows[rows.index(before)] = joined([before, part])
    return sorted(rows, key=lambda row: (row.box.top, row.box.left))


def joined(rows: Sequence[Row]) -> Row:
    """One row of some that follow one another; it is as sure as their letters are on the mean."""
    box = rows[0].box
    for row in rows[1:]:
        box = box.around(row.box)
    letters = sum(len(row.text) for row in rows)
    sure = sum(row.confidence * len(row.text) for row in rows) / max(letters, 1)
    return Row(" ".join(row.text for row in rows), min(1.0, sure), box)


def _is_followed_by(box: Box, other: Box) -> bool:
    gap = other.left - box.right
    low, high = sorted((box.height, other.height))
    return box.is_level_with(other) and high <= _ALIKE * low and -low <= gap <= _APART * low
