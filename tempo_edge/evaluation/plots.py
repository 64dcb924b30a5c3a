"""Plots as pictures that may be drawn again: a picture of anybody else's stays."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tempo_edge._files import atomic_write
from tempo_edge._files.signatures import HEAD_BYTES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["save"]

_PNG = b"\x89PNG\r\n\x1a\n"

# What Matplotlib says of itself at the beginning of every PNG.
_DRAWN_BY = b"tEXtSoftware\0Matplotlib"


def save(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG in the place of an earlier plot, and close it.

    Raises:
        FootageError: what is there is footage, or a picture that is no plot.
        OSError: it can't be written.
    """
    from matplotlib import pyplot

    with atomic_write(path, own=_is_plot(path)) as draft:
        figure.savefig(draft, dpi=110, format="png")
    pyplot.close(figure)


def _is_plot(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    return head.startswith(_PNG) and _DRAWN_BY in head
