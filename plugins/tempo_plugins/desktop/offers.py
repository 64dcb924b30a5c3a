"""Moments that were offered to a desktop, under names short enough to be passed around.

What comes back over the bus is a name and never a path: nothing but what was found can be opened.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from tempo_edge._console.text import printable
from tempo_edge.answer import Answer
from tempo_edge.errors import TempoEdgeError
from tempo_edge.moment import Moment, format_timestamp

__all__ = ["Offers", "subtitle", "title"]

# What keeps text of the other direction apart from what stands around it.
_ISOLATE, _END = "\u2068", "\u2069"

# Letters of a line of words that a row has room for.
_MOST_LETTERS = 100

# Far more than any overview shows; older ones are forgotten.
_MOST = 1000


class Offers:
    """The latest moments by name, and whether the answers that they came with were unsure."""

    def __init__(self) -> None:
        self._moments: OrderedDict[str, Moment] = OrderedDict()
        self._unsure: dict[str, bool] = {}

    def add(self, answer: Answer) -> list[str]:
        """Names for an answer's moments; the same moment has the same name each time."""
        names = []
        for moment in answer.moments:
            span = f"{moment.start_seconds:.3f} {moment.end_seconds:.3f} {moment.path}"
            name = hashlib.sha256(span.encode("utf-8", "surrogateescape")).hexdigest()[:24]
            self._moments[name] = moment
            self._moments.move_to_end(name)
            self._unsure[name] = answer.is_unsure
            names.append(name)
        while len(self._moments) > _MOST:
            forgotten, _ = self._moments.popitem(last=False)
            del self._unsure[forgotten]
        return names

    def get(self, name: str) -> Moment | None:
        """The moment of that name, if it is known."""
        return self._moments.get(name)

    def is_unsure(self, name: str) -> bool:
        """Whether the latest answer with the moment of that name was unsure."""
        return self._unsure.get(name, False)

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


def subtitle(moment: Moment, unsure: bool = False) -> str:
    """When, how likely and where, on one line; and whether the answer that it is of is unsure.

    Where words speak for a moment, their line says more than its folder, and takes its place.
    """
    span = f"{format_timestamp(moment.start_seconds)}–{format_timestamp(moment.end_seconds)}"
    absent = " · offline" if moment.offline else ""
    doubt = ", unsure" if unsure else ""
    about = _line(moment.text) if moment.text else printable(str(moment.path.parent))
    return f"{span} · {moment.confidence:.0%}{doubt} · {about}{absent}"


def _line(text: str) -> str:
    """A line of words, the beginning of a long one, apart from what stands around it."""
    words = " ".join(text.split())
    cut = words if len(words) <= _MOST_LETTERS else f"{words[:_MOST_LETTERS].rstrip()}…"
    return f"{_ISOLATE}{printable(cut)}{_END}"
