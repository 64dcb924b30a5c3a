"""``find --pictures``: a still of each moment below its line, in a terminal that shows pictures."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from tempo_edge._console.text import emit, note, printable
from tempo_edge.errors import MediaError, TempoEdgeError

if TYPE_CHECKING:
    from tempo_edge.moment import Moment
    from tempo_edge.search.candidates import Candidate

__all__ = ["PicturesOption", "Stills", "check_pictures", "stills"]

_AUTO, _NONE = "auto", "none"

# Columns of pixels of a still: more than a terminal gives it room for.
_WIDTH = 480

PicturesOption = Annotated[
    str,
    typer.Option(
        "--pictures",
        metavar="HOW",
        show_default=False,
        help="A still of each moment, in a terminal: kitty, iterm, sixel or none; by default "
        "what the terminal is known for.",
    ),
]


@dataclass(frozen=True)
class Stills:
    """What shows the stills of moments, by one protocol.

    Attributes:
        protocol: one of :data:`tempo_edge._console.terminal_picture.PROTOCOLS`.
    """

    protocol: str

    def show(self, moment: Moment, candidate: Candidate | None) -> None:
        """Show the still of a moment, or say why there is none."""
        from tempo_edge._console.terminal_picture import drawn
        from tempo_edge.sheet.still import still_of

        if moment.offline:
            return  # its line says so
        try:
            still = still_of(moment, candidate, _WIDTH)
        except MediaError as error:
            note(f"no picture of {printable(str(moment.path))}: {' '.join(str(error).split())}")
            return
        emit(drawn(still, self.protocol), styled=True)


def check_pictures(how: str) -> None:
    """Refuse a way of showing stills that there is not, before anything is searched.

    Raises:
        TempoEdgeError: there is no such protocol.
        MissingExtraError: a protocol was asked for by name, and what draws is not installed.
    """
    if how in (_AUTO, _NONE):
        return
    from tempo_edge._console.terminal_picture import PROTOCOLS, check_drawing

    if how not in PROTOCOLS:
        raise TempoEdgeError(
            f"--pictures {how!r} must be one of {', '.join((_AUTO, *PROTOCOLS, _NONE))}"
        )
    check_drawing()


def stills(how: str) -> Stills | None:
    """What shows stills as it was asked for; None where nobody would see them."""
    if how == _NONE or not sys.stdout.isatty():
        return None
    from tempo_edge._console.terminal_picture import protocol_here

    protocol = protocol_here() if how == _AUTO else how
    return None if protocol is None else Stills(protocol)
