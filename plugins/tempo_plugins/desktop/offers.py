"""Moments that were offered to a desktop, under names short enough to be passed around.

What comes back over the bus is a name and never a path: nothing but what was found can be opened.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable

from tempo_edge._console.text import printable
from tempo_edge.errors import TempoEdgeError
from tempo_edge.moment import Moment, format_timestamp

__all__ = ["Offers", "subtitle", "title"]

# Far more than any overview shows; older ones are forgotten.
_MOST = 1000


class Offers:
    """The latest moments by name."""

    def __init__(self) -> None:
        self._moments: OrderedDict[str, Moment] = OrderedDict()

    def add(self, moments: Iterable[Moment]) -> list[str]:
        """Names for moments; the same moment has the same name each time."""
        names = []
        for moment in moments:
            span = f"{moment.start_seconds:.3f} {moment.end_seconds:.3f} {moment.path}"
            name = hashlib.sha256(span.encode("utf-8", "surrogateescape")).hexdigest()[:24]
            self._moments[name] = moment
            self._moments.move_to_end(name)
            names.append(name)
        while len(self._moments) > _MOST:
            self._moments.popitem(last=False)
        return names

    def get(self, name: str) -> Moment | None:
        """The moment of that name, if it is known."""
        return self._moments.get(name)

    def known(self, name: str) -> Moment:
        """The moment of that name.

        Raises:
            TempoEdgeError: nothing of that name was offered.
        """
        moment = self._moments.get(name)
        if moment is None:
            raise TempoEdgeError(f"no moment {name!r} was offered: search again")
        return moment


def title(moment: Moment) -> str:
    """The file's name on one line."""
    return printable(moment.path.name)


def subtitle(moment: Moment) -> str:
    """When, how likely and where, on one line."""
    span = f"{format_timestamp(moment.start_seconds)}–{format_timestamp(moment.end_seconds)}"
    folder = printable(str(moment.path.parent))
    absent = " · offline" if moment.offline else ""
    return f"{span} · {moment.confidence:.0%} · {folder}{absent}"
