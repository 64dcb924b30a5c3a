"""A query as a text to be kept, and back: JSON with a version, and bounds on all that it may say.

Times and places stay as they were said: ``last week`` is another week in a month.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from tempo_edge._files.spelling import spelled
from tempo_edge.errors import QueryError
from tempo_edge.example import LARGEST_SENT, Example
from tempo_edge.filters import WHERE, Filters, Where
from tempo_edge.query import Query

__all__ = ["LONGEST", "SavedQuery"]

#: Letters of the longest text that is read: a picture makes most of it.
LONGEST = 2 * LARGEST_SENT

_VERSION = 1

# Letters of a text in a query, and how many there are of what may be there more than once.
_LONGEST_TEXT, _MOST = 4200, 64

_TEXTS = ("text", "grounder", "sort")
_FLAGS = ("refine", "parts", "offline", "said", "shown", "seen", "plain")
_NUMBERS = ("min_confidence", "min_seconds", "max_seconds", "near_seconds", "then_seconds")
_LISTS = ("also", "without", "then")
_DAYS = ("after", "before")

# A query that says nothing: what is as in this one need not be kept.
_USUAL = Query("anything")


@dataclass(frozen=True)
class SavedQuery:
    """A query, and the filters of it as somebody said them.

    Attributes:
        query: without filters; :meth:`now` adds them.
        where: what was said of when, where and by what.

    Raises:
        QueryError: it can't be kept: it is of some videos only, a glance, or too large.
    """

    query: Query
    where: Where

    def __post_init__(self) -> None:
        if self.query.videos is not None or self.query.retrieval or self.query.amid_all:
            raise QueryError("a saved search neither names videos nor glances: leave both out")
        if self.query.filters:
            raise QueryError("a saved search has its filters as they are said: give them by where")
        like = self.query.like
        if like is not None and like.video is not None:
            raise QueryError.naming(
                "{like} {!r} is a number of today's library: name the file", like.name
            )
        if like is not None and len(like.picture) > LARGEST_SENT:
            raise QueryError.naming(
                "{like} {!r} has {} bytes: {} can be saved",
                *(like.name, len(like.picture), LARGEST_SENT),
            )
        for text in (self.query.text, *self.query.also, *self.query.without, *self.query.then):
            if len(text) > _LONGEST_TEXT:
                raise QueryError(f"a saved text has {len(text)} letters: {_LONGEST_TEXT} can be")
        for name in (*_LISTS, "within"):
            count = len(getattr(self.query, name) or ())
            if count > _MOST:
                raise QueryError.naming(
                    f"{{{name}}} names {{}} things: {_MOST} can be saved", count
                )

    def now(self, present: datetime | None = None) -> Query:
        """The query as it is meant now.

        Args:
            present: now, by the clock of the place.

        Raises:
            QueryError: it can't be asked any more.
            MissingExtraError: what reads its times or places is not installed.
        """
        return replace(self.query, filters=Filters.of(self.where, present))

    @property
    def title(self) -> str:
        """What it asks, in one line for people."""
        query = self.query
        text = str(query.expression) if query.text.strip() else ""
        like = "" if query.like is None else f"like {query.like.name}"
        where = " ".join(f"{name} {said}" for name, said in self.where.items())
        return ", ".join(each for each in (text, like, where, *self._narrowed()) if each)

    def _narrowed(self) -> list[str]:
        """What else it is kept to, thing by thing."""
        query = self.query
        kinds = [name for name in ("said", "shown", "seen") if getattr(query, name)]
        numbers = {name: getattr(query, name) for name in _NUMBERS}
        days = {name: getattr(query, name) for name in _DAYS}
        return [
            *(f"in {path}" for path in query.within or ()),
            *(f"what is {kind}" for kind in kinds),
            *(
                f"{name.replace('_', ' ')} {number:g}"
                for name, number in numbers.items()
                if number is not None and number != getattr(_USUAL, name)
            ),
            *(f"{name} {day}" for name, day in days.items() if day is not None),
        ]

    def as_text(self) -> str:
        """What :meth:`of` reads; ASCII alone."""
        query, usual = self.query, _USUAL
        said: dict[str, Any] = {
            name: getattr(query, name)
            for name in (*_TEXTS, *_FLAGS, *_NUMBERS, *_LISTS, "limit")
            if getattr(query, name) != getattr(usual, name)
        }
        said["text"] = query.text
        for name in _DAYS:
            if (day := getattr(query, name)) is not None:
                said[name] = day.isoformat()
        if query.within is not None:
            said["within"] = [spelled(path) for path in query.within]
        if query.like is not None:
            said["like"] = _example_said(query.like)
        return json.dumps({"version": _VERSION, "query": said, "where": dict(self.where)})

    @staticmethod
    def of(text: str) -> SavedQuery:
        """What :meth:`as_text` wrote.

        Raises:
            QueryError: it is something else, or a newer tempo-edge's.
        """
        if len(text) > LONGEST:
            raise QueryError(f"a saved query of {len(text)} letters must have at most {LONGEST}")
        try:
            kept = json.loads(text)
            version, said, where = kept["version"], kept["query"], kept["where"]
            if version != _VERSION:
                raise QueryError(
                    f"a saved query of version {version!r} is a newer tempo-edge's: update this one"
                )
            return SavedQuery(_query(said), _where(where))
        except QueryError:
            raise
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise QueryError(
                f"a saved query can't be read ({type(error).__name__}: {error}): save it again"
            ) from error


def _query(said: dict[str, Any]) -> Query:
    """The query of what is kept; whatever else is wrong, the query says itself."""
    given: dict[str, Any] = {}
    for name, value in said.items():
        given[name] = _read(name, value)
    return Query(**given)


def _read(name: str, value: Any) -> Any:
    """A value of a query.

    Raises:
        ValueError: it is none.
    """
    if name in _TEXTS and isinstance(value, str):
        return value
    if name in _FLAGS and isinstance(value, bool):
        return value
    if name in _NUMBERS and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    if name == "limit" and type(value) is int:
        return value
    if name in _LISTS and _is_texts(value):
        return tuple(value)
    if name == "within" and _is_texts(value):
        return tuple(map(Path, value))
    if name in _DAYS and isinstance(value, str):
        return date.fromisoformat(value)
    if name == "like" and isinstance(value, dict):
        return _example(**value)
    raise ValueError(f"{name} is {str(value)[:40]!r}")


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _where(said: dict[str, Any]) -> Where:
    where = Where()
    for name, value in said.items():
        if name not in WHERE or not isinstance(value, str) or len(value) > _LONGEST_TEXT:
            raise ValueError(f"{name} is {str(value)[:40]!r}")
        where[name] = value  # type: ignore[literal-required]
    return where


def _example_said(like: Example) -> dict[str, str]:
    if like.is_moment:
        return {"place": like.place}
    return {"name": like.name, "picture": base64.b64encode(like.picture).decode()}


def _example(place: str = "", name: str = "", picture: str = "") -> Example:
    if place:
        return Example.moment(place)
    try:
        return Example(name, picture=base64.b64decode(picture, validate=True))
    except binascii.Error as error:
        raise ValueError(f"picture: {error}") from None
