"""Tables of words as modules write them: a row a line, with cells between upright strokes.

What is indented goes on with the row before it.
"""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["parts_of", "rows_of"]


def rows_of(table: str) -> Iterator[list[str]]:
    """The cells of each row."""
    for line in table.strip().replace("\n  ", " ").splitlines():
        yield [cell.strip() for cell in line.split("|")]


def parts_of(cell: str, mark: str) -> tuple[str, ...]:
    """What stands between the marks of a cell."""
    return tuple(part.strip() for part in cell.split(mark) if part.strip())
