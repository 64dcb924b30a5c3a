"""The cells of a contact sheet: each moment with the picture that stands for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tempo_edge._console.text import printable
from tempo_edge.errors import MediaError
from tempo_edge.media import jpeg
from tempo_edge.moment import Moment, format_timestamp
from tempo_edge.sheet.still import still_of

if TYPE_CHECKING:
    from tempo_edge.search.candidates import Candidate

__all__ = ["MARK", "Cell", "cells"]

#: What tells a sheet from anybody else's picture, among what a file says of itself.
MARK = b"tempo-edge contact sheet"

# Columns of pixels of a picture: as wide as a cell on a screen of twice the points.
_WIDTH = 640


@dataclass(frozen=True)
class Cell:
    """A moment and its picture, with the words that a sheet has for it.

    Attributes:
        moment: the moment; ``picture``: a JPEG file, or nothing.
        why: why there is no picture.
    """

    moment: Moment
    picture: bytes
    why: str

    @property
    def times(self) -> str:
        """From when to when."""
        start, end = self.moment.start_seconds, self.moment.end_seconds
        return f"{format_timestamp(start)}–{format_timestamp(end)}"

    @property
    def name(self) -> str:
        """The file's name, on one line whatever it holds."""
        return printable(self.moment.path.name)

    @property
    def folder(self) -> str:
        """The folder that it lies in."""
        return printable(str(self.moment.path.parent))

    @property
    def words(self) -> str:
        """The line of words that speaks for it, or nothing."""
        return printable(self.moment.text)

    @property
    def copies(self) -> str:
        """In how many files more the same pictures are; nothing where in none."""
        count = len(self.moment.copies)
        return f"also in {count} other file{'s' if count > 1 else ''}" if count else ""


def cells(
    moments: Sequence[tuple[Moment, Candidate | None]], on_remark: Callable[[str], None]
) -> list[Cell]:
    """The cells of moments, each given with what its pictures say, if they say anything.

    A file that can't be decoded gives a cell without a picture.

    Args:
        on_remark: told of each file whose picture is not there.
    """
    made = [_cell(moment, candidate) for moment, candidate in moments]
    for path, why in dict.fromkeys((cell.moment.path, cell.why) for cell in made if cell.why):
        on_remark(f"no picture of {printable(str(path))}: {why}")
    return made


def _cell(moment: Moment, candidate: Candidate | None) -> Cell:
    try:
        return Cell(moment, jpeg.encode(still_of(moment, candidate, _WIDTH)), "")
    except MediaError as error:
        return Cell(moment, b"", " ".join(str(error).split()))
