"""A moment as it is told: plain values with an id, the name of the search and what it asks."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

from tempo_edge.errors import QueryError
from tempo_edge.moment import Moment, format_timestamp

__all__ = ["PLACEHOLDERS", "ToldMoment", "check_template"]

#: What stands in braces for something of a moment.
PLACEHOLDERS = ("id", "name", "query", "path", "start", "end", "confidence", "text")

_TEXTS = ("id", "search", "query", "path", "text")
_NUMBERS = ("start_seconds", "end_seconds", "confidence")

_BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


@dataclass(frozen=True)
class ToldMoment:
    """A moment that a saved search tells.

    Attributes:
        facts: ``id`` of the telling, ``search`` and ``query`` as their names say, and all that
            :meth:`tempo_edge.moment.Moment.as_dict` has.
    """

    facts: dict[str, Any]

    @staticmethod
    def of(moment: Moment, id: str, search: str, query: str) -> ToldMoment:
        """The moment of an answer."""
        return ToldMoment({"id": id, "search": search, "query": query, **moment.as_dict()})

    @staticmethod
    def read(text: str) -> ToldMoment:
        """What :meth:`as_text` wrote.

        Raises:
            QueryError: it is something else.
        """
        try:
            facts = json.loads(text)
            is_right = all(isinstance(facts[name], str) for name in _TEXTS) and all(
                type(facts[name]) in (int, float)
                and math.isfinite(facts[name])
                and facts[name] >= 0
                for name in _NUMBERS
            )
        except (ValueError, TypeError, KeyError, RecursionError):
            is_right = False
        if not is_right:
            raise QueryError(f"a moment that was to be told can't be read: {text[:40]!r}")
        return ToldMoment(facts)

    def as_text(self) -> str:
        """JSON; ASCII alone."""
        return json.dumps(self.facts)

    @property
    def line(self) -> str:
        """It in one line for people."""
        facts = self.facts
        when = "–".join(format_timestamp(facts[each]) for each in ("start_seconds", "end_seconds"))
        return f"{facts['path']}  {when}  {facts['confidence']:.2f}"

    def filled(self, template: str) -> str:
        """A text with its placeholders filled in; :func:`check_template` has passed it.

        What footage says never becomes an option: where it would begin with a dash, a space is
        before it. No text of it holds a NUL, which no argument of a command can.
        """
        facts = self.facts
        values = {
            "id": facts["id"],
            "name": facts["search"],
            "query": facts["query"],
            "path": facts["path"],
            "start": f"{facts['start_seconds']:.3f}",
            "end": f"{facts['end_seconds']:.3f}",
            "confidence": f"{facts['confidence']:.4f}",
            "text": facts["text"],
        }

        def value(found: re.Match[str]) -> str:
            if found[1] is None:
                return found[0][0]
            return str(values[found[1]]).replace("\0", " ")

        filled = _BRACES.sub(value, template)
        return f" {filled}" if filled.startswith("-") and not template.startswith("-") else filled


def check_template(template: str) -> None:
    """Refuse a placeholder that there is not, and a brace that stands alone.

    Raises:
        QueryError: there is one.
    """
    for found in _BRACES.finditer(template):
        if found[1] is not None and found[1] not in PLACEHOLDERS:
            known = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)
            raise QueryError.naming(
                "{} of {run} must be one of {}; a brace itself is {}", found[0], known, "{{"
            )
    if re.search("[{}]", _BRACES.sub("", template)):
        raise QueryError.naming("{!r} of {run} has a brace alone: write it twice", template[:60])
