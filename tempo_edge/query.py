"""The question of a search. Every door makes one, and passes it on."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import cached_property
from pathlib import Path

from tempo_edge._files.absolute import recorded
from tempo_edge.errors import QueryError
from tempo_edge.example import Example
from tempo_edge.expression import MOST_TERMS, QUOTED, Expression
from tempo_edge.filters import EVERYTHING, Filters
from tempo_edge.moment import EVIDENCE_KINDS, PICTURE
from tempo_edge.scope import Scope

__all__ = ["DEFAULT_LIMIT", "ORDERS", "THEN_SECONDS", "Query", "places"]

DEFAULT_LIMIT = 10

#: How long after one moment the next one may begin.
THEN_SECONDS = 60.0

#: Orders of the moments that an answer gives.
ORDERS = ("score", "time", "name")

# What counts where a query is narrowed, by the field that does so.
_NARROWED = {
    "said": frozenset({"subtitle", "speech"}),
    "shown": frozenset({"screen"}),
    "seen": frozenset({PICTURE}),
}


@dataclass(frozen=True)
class Query:
    """What to look for, where, how many moments, and how sure. It validates itself.

    Attributes:
        text: what to look for, in plain English; :class:`Expression` says what ``AND``, ``NOT`` and
            ``THEN`` in it mean.
        limit: most moments to give.
        min_confidence: show moments from this probability on; by default the one that the
            profile's calibration chose.
        within: search only at or under these paths, as :func:`places` gives them.
        grounder: ``"mllm"`` reads the frames of the best candidates, ``"curve"`` is a matter of
            milliseconds; by default what its calibration prefers. ``"vlm"`` decodes the frames and
            looks at them, which takes its time. Whether the profile has it, the search says.
        retrieval: candidates only, for every key that somebody presses: judged by their curve, and
            looked for in fewer stretches of footage.
        refine: decode densely around each boundary for finer times.
        parts: give neighbouring stretches that show it equally well one by one; else they are one
            moment.
        videos: ids of the only videos to search; ``amid_all``: judge what is found there as if all
            of the library were searched, whose chance it then has to stand out of.
        after, before: the file was last changed on or after the first day, before the second.
        min_seconds, max_seconds: of the video's length, both inclusive.
        offline: whether videos on volumes that are not there count.
        said: find it by what is said: lines of subtitles and of speech; ``shown``: by words that
            stand on the screen; ``seen``: by pictures. Those that are asked for count; where none
            is, everything does, titles of chapters and names as well.
        like: an example of it: a picture, or a moment of a video, which is left out itself. Then
            the text may be empty; where there is one, it is one term, both must be there, and
            pictures alone count.
        also: what else is to be in the same moment; ``without``: what is not to be in it; ``then``:
            what comes next, one after the other. They are taken as they are, and the first two
            speak of every moment of an order.
        near_seconds: what is to be in one moment may lie this far apart in a film; by default it is
            there at the same time.
        then_seconds: the most that may lie between one moment and the next one.
        plain: no word of the text is an operator.
        filters: what the capture of a video must be.
        sort: in which order the best moments are given, of :data:`ORDERS`: the surest first, the
            first taken first (those of an unknown time last), or by the paths of their files.

    Raises:
        ExpressionError: there is nothing before or behind an operator of the text, or it has an
            ``OR`` or parentheses.
        QueryError: the text is empty without an example or not Unicode, a number is out of range,
            ``within`` names no path or one that is not absolute, nothing stands between quotes,
            or the same is to be there and not to be there.
    """

    text: str
    limit: int = DEFAULT_LIMIT
    min_confidence: float | None = None
    within: tuple[Path, ...] | None = None
    grounder: str | None = None
    retrieval: bool = False
    refine: bool = False
    parts: bool = False
    videos: frozenset[int] | None = None
    after: date | None = None
    before: date | None = None
    min_seconds: float | None = None
    max_seconds: float | None = None
    offline: bool = True
    said: bool = False
    shown: bool = False
    seen: bool = False
    like: Example | None = None
    also: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    then: tuple[str, ...] = ()
    near_seconds: float = 0.0
    then_seconds: float = THEN_SECONDS
    plain: bool = False
    filters: Filters = EVERYTHING
    sort: str = "score"
    amid_all: bool = False

    def __post_init__(self) -> None:
        self._check_unicode("query", self.text)
        if self.limit < 1:
            raise QueryError.naming("{limit} {} must be at least 1", self.limit)
        if self.min_confidence is not None and not 0 <= self.min_confidence <= 1:
            raise QueryError.naming(
                "{min_confidence} {} must be within [0, 1]", self.min_confidence
            )
        if self.sort not in ORDERS:
            raise QueryError.naming("{sort} {!r} must be one of {}", self.sort, ", ".join(ORDERS))
        _ = self.scope  # which checks itself
        if self.like is not None:
            self._check_example()
        elif not self.text.strip():
            raise QueryError(f"query {self.text!r} is empty: say what to look for")
        self._check_expression()

    @cached_property
    def expression(self) -> Expression:
        """What it says, term by term."""
        said = Expression.of(self.text, plain=self.plain, unfinished=self.retrieval)
        return said.joined(self.also, self.without, self.then)

    @cached_property
    def scope(self) -> Scope:
        """Which videos count, but for those that are named by number."""
        return Scope(**{each.name: getattr(self, each.name) for each in fields(Scope)})

    def of_term(self, text: str) -> Query:
        """The same question of one term of it."""
        return replace(self, text=text, also=(), without=(), then=(), plain=True)

    @property
    def title(self) -> str:
        """What was asked for, in one line for people."""
        like = None if self.like is None else f"like {self.like.name}"
        return ", ".join(each for each in (self.text.strip() and self.text, like) if each)

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of evidence that count, of :data:`tempo_edge.moment.EVIDENCE_KINDS`."""
        if self.like is not None:
            return _NARROWED["seen"]
        asked = {"said": self.said, "shown": self.shown, "seen": self.seen}
        chosen = [_NARROWED[name] for name, is_asked in asked.items() if is_asked]
        return frozenset().union(*chosen) if chosen else frozenset(EVIDENCE_KINDS)

    def check_use(self, given: Collection[str]) -> None:
        """Refuse what was given and changes nothing here: whoever types it means something by it.

        A page whose settings stay from one query to the next need not ask.

        Args:
            given: names of attributes.

        Raises:
            QueryError: one of them changes nothing.
        """
        scenes = self.expression.scenes
        if "near_seconds" in given and all(len({*scene.wanted}) == 1 for scene in scenes):
            raise QueryError.naming(
                "{near_seconds} is for things that are near each other: name another by AND or "
                "{also}, or leave it out"
            )
        if "then_seconds" in given and len(scenes) == 1:
            raise QueryError.naming(
                "{then_seconds} is for what comes next: say it by THEN or {then}, or leave it out"
            )
        for name in ("grounder", "refine", "parts"):
            if name in given and PICTURE not in self.kinds:
                others = [kind for kind in ("said", "shown") if getattr(self, kind)]
                raise QueryError.naming(
                    f"{{{name}}} is for pictures, which {{{others[0]}}} leaves out: "
                    "add {seen}, or leave it out"
                )

    def _check_example(self) -> None:
        for name in ("said", "shown"):
            if getattr(self, name):
                raise QueryError.naming(
                    f"{{like}} and {{{name}}} exclude each other: an example is seen"
                )
        if self.also or self.without or self.then:
            raise QueryError.naming("{like} knows one term: leave out {also}, {without} and {then}")
        if self.text.strip() and not self.expression.is_single:
            raise QueryError.naming(
                "{like} knows one term, not {!r}: leave AND, NOT and THEN out", self.text
            )

    @staticmethod
    def _check_unicode(name: str, text: str) -> None:
        try:
            text.encode()
        except UnicodeEncodeError:
            raise QueryError.naming(
                f"{{{name}}} {{!r}} is not valid UTF-8: say it in Unicode", text
            ) from None

    def _check_expression(self) -> None:
        for name in ("also", "without", "then"):
            for term in getattr(self, name):
                if not term.strip():
                    raise QueryError.naming(
                        f"{{{name}}} {{!r}} is empty: name something, or leave it out", term
                    )
                self._check_unicode(name, term)
        for name in ("near_seconds", "then_seconds"):
            if not 0 <= getattr(self, name) < math.inf:
                raise QueryError.naming(
                    f"{{{name}}} {{}} must be finite and not negative", getattr(self, name)
                )
        if not self.retrieval:  # who still types may not be done with it
            self._check_terms()
        if not self.text.strip():
            return  # an example alone
        if self.refine and not self.expression.is_single:
            raise QueryError.naming("{refine} knows one term: leave it out, or ask for one thing")
        count = len({term.text for term in self.expression.terms})
        if count > MOST_TERMS:
            raise QueryError(
                f"query has {count} terms: at most {MOST_TERMS} are allowed, leave some out"
            )

    def _check_terms(self) -> None:
        for scene in self.expression.scenes:
            for text in scene.wanted:
                if text in scene.unwanted:
                    raise QueryError(f"query wants {text!r} there and not there: leave one out")
                _check_quotes(text)


def _check_quotes(text: str) -> None:
    """Refuse a term in which nothing stands between its quotes."""
    for quoted in QUOTED.finditer(text):
        if not any(each and each.strip() for each in quoted.groups()):
            raise QueryError(
                f"query {text!r} has nothing in its quotes: say what stands there, or leave "
                "them out"
            )


def places(named: Iterable[str | Path] | str | Path | None) -> tuple[Path, ...] | None:
    """The paths that a search is kept to, as a library knows them; None for all."""
    if named is None:
        return None
    paths = [named] if isinstance(named, (str, Path)) else named
    return tuple(recorded(path) for path in paths)
