"""An expression: what is to be in a moment, what is not to be, and what comes after what.

A text becomes one by three words in capitals, between terms: ``dog AND beach NOT people``,
``opens the door THEN sits down``. ``AND`` and ``NOT`` speak of the moment that they stand in,
``THEN`` begins the next one. What stands in quotes is never taken apart, and a text all in capitals
has no operators at all. Who writes ``OR``, or parentheses around operators, is told that there are
none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tempo_edge.errors import ExpressionError

__all__ = ["MOST_TERMS", "QUOTED", "ROLES", "Expression", "Scene", "Term"]

#: What stands in quotes, in those of several countries.
QUOTED = re.compile('"([^"]*)"|“([^”]*)”|„([^“”]*)[“”]|«([^»]*)»|「([^」]*)」')

#: What a term is to an expression: its beginning, something else in the same moment, something that
#: is not in it, the beginning of the next moment.
ROLES = FIND, AND, NOT, THEN = "find", "and", "not", "then"

#: Terms of one expression: each is a search of its own.
MOST_TERMS = 8

# An operator is a word of its own; AND may stand before another one.
_OPERATOR = re.compile(r"(?<!\S)(?:AND\s+(?=(?:NOT|THEN)(?!\S)))?(AND|NOT|THEN|OR)(?!\S)")

# What is said like an operator, and is none.
_OR = "OR"

# Where a word begins or ends, and no face of two letters.
_PARENTHESIS = re.compile(r"(?<![^\s(])\(|(?<![:;-])\)(?![^\s)])")

# Letters of a text that an error repeats; of a longer one, those around its fault.
_MOST_SHOWN = 80

_LACKING = {
    AND: "say what else is to be there",
    NOT: "say what is not to be there",
    THEN: "say what comes next",
}


@dataclass(frozen=True)
class Term:
    """One thing that is looked for.

    Attributes:
        text: what, as a query of its own would say it; ``role``: of :data:`ROLES`.
    """

    text: str
    role: str

    def as_dict(self) -> dict[str, str]:
        """Plain values."""
        return {"text": self.text, "role": self.role}


@dataclass(frozen=True)
class Scene:
    """What is to be in one moment, at least one thing, and what is not to be in it."""

    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]


@dataclass(frozen=True)
class Expression:
    """Terms in the order in which they are said; the first has the role ``find``, no other has."""

    terms: tuple[Term, ...]

    @classmethod
    def of(cls, text: str, *, plain: bool = False, unfinished: bool = False) -> Expression:
        """The expression that a text is.

        Args:
            text: what somebody wrote.
            plain: no word of it is an operator.
            unfinished: somebody is still writing it: an operator at its end counts for nothing yet.

        Raises:
            ExpressionError: there is no term before or behind an operator, or it has an ``OR``, or
                parentheses around operators.
        """
        if plain or not text.strip():
            return cls((Term(text, FIND),))
        operators = _operators(text)
        if not unfinished:
            _check_parentheses(text, operators)
        return cls(tuple(_parsed(text, operators, unfinished)))

    def joined(
        self, also: Sequence[str], without: Sequence[str], then: Sequence[str]
    ) -> Expression:
        """The expression with more terms, which are taken as they are.

        Args:
            also, without: what is to be, and what is not to be, in each of its moments.
            then: what comes next, one after the other.
        """
        more = [Term(each, AND) for each in also] + [Term(each, NOT) for each in without]
        terms: list[Term] = []
        for term in (*self.terms, *(Term(each, THEN) for each in then)):
            terms += [*(more if term.role == THEN else ()), term]
        return Expression((*terms, *more))

    def rest(self, at: int) -> str | None:
        """A text that asks for all but one of the terms, by its index; empty where none is left.

        Where nothing else is to be in the moment of that term, what is not to be there goes as
        well. None where no text says the rest: two terms that were taken as they are may have one
        quotation mark each.
        """
        scenes: list[list[Term]] = []
        for index, term in enumerate(self.terms):
            if term.role in (FIND, THEN):
                scenes.append([])
            if index != at:
                scenes[-1].append(term)
        left: list[Term] = []
        for scene in scenes:
            first = next((term for term in scene if term.role != NOT), None)
            if first is not None:
                others = [term for term in scene if term is not first]
                left += [replace(first, role=THEN if left else FIND), *others]
        return Expression(tuple(left))._written() if left else ""

    def _written(self) -> str | None:
        """The text that is read as this; in small letters where one in capitals is not."""
        small = Expression(tuple(replace(term, text=term.text.lower()) for term in self.terms))
        for each in (self, small):
            if _reads(str(each)) == each:
                return str(each)
        return None

    @property
    def is_single(self) -> bool:
        """Whether it is one term, as most queries are."""
        return len(self.terms) == 1

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """Its moments, in order."""
        scenes: list[tuple[list[str], list[str]]] = []
        for term in self.terms:
            if term.role in (FIND, THEN):
                scenes.append(([], []))
            scenes[-1][term.role == NOT].append(term.text)
        return tuple(Scene(tuple(wanted), tuple(unwanted)) for wanted, unwanted in scenes)

    def __str__(self) -> str:
        """The expression as one text, operators in capitals."""
        first, *others = self.terms
        return " ".join([first.text, *(f"{each.role.upper()} {each.text}" for each in others)])


def _reads(text: str) -> Expression | None:
    """What a text is read as; None where it is refused."""
    try:
        return Expression.of(text)
    except ExpressionError:
        return None


def _parsed(text: str, operators: Sequence[re.Match[str]], unfinished: bool) -> Iterator[Term]:
    """The terms of a text, in order.

    Raises:
        ExpressionError: there is no term before or behind an operator, or one is ``OR``.
    """
    role, begin = FIND, 0
    last: re.Match[str] | None = None
    for operator in operators:
        if operator[1] == _OR and not (unfinished and not text[operator.end() :].strip()):
            raise _refusal(text, operator, "is not known: search for one, then for the other")
        yield _term(text, role, begin, operator, last)
        role, begin, last = operator[1].lower(), operator.end(), operator
    if last is None or text[begin:].strip() or not unfinished:
        yield _term(text, role, begin, None, last)


def _term(
    text: str, role: str, begin: int, end: re.Match[str] | None, before: re.Match[str] | None
) -> Term:
    """The term between two operators."""
    words = text[begin : end.start() if end else len(text)].strip()
    if words:
        return Term(words, role)
    if before is None:
        assert end is not None
        raise _refusal(text, end, "has nothing before it: say first what is to be there")
    if end is None:
        raise _refusal(text, before, f"has nothing behind it: {_LACKING[role]}")
    if role == THEN and end[1] == "NOT":
        raise _refusal(text, end, "follows THEN: say first what is to be there")
    raise _refusal(text, end, f"follows {before[1]}: {_LACKING[role]}")


def _check_parentheses(text: str, operators: Sequence[re.Match[str]]) -> None:
    """Refuse parentheses around an operator, or of which one lacks: somebody groups by them.

    Raises:
        ExpressionError: there are some.
    """
    opened: list[int] = []
    for mark in _outside_quotes(_PARENTHESIS, text):
        at = mark.start()
        if mark[0] == "(":
            opened.append(at)
            continue
        begin = opened.pop() if opened else None
        if begin is None:
            opened = [at]
            break
        if any(begin < each.start() < at for each in operators):
            opened = [begin]
            break
    if opened and operators:
        raise _error(
            *(text, text[opened[0]], opened[0]),
            "groups terms, which is not known: leave it out, THEN binds least; "
            "as a mere letter: with {plain}",
        )


def _refusal(text: str, operator: re.Match[str], why: str) -> ExpressionError:
    mend = "as a mere word: in small letters, or with {plain}"
    return _error(text, operator[1], operator.start(1), f"{why}; {mend}")


def _error(text: str, mark: str, at: int, why: str) -> ExpressionError:
    shown = text if len(text) <= _MOST_SHOWN else f"…{text[max(0, at - 30) : at + 30]}…"
    error = ExpressionError.naming(f"query {{!r}}: {mark} at column {{}} {why}", shown, at + 1)
    error.column = at + 1
    return error


def _operators(text: str) -> list[re.Match[str]]:
    """The words of a text that are operators, in order."""
    # Somebody whose capitals are locked, or who copies a headline, means none of them.
    rest = _OPERATOR.sub(" ", QUOTED.sub(" ", text))
    is_shouted = any(letter.isupper() for letter in rest) and rest == rest.upper()
    return [] if is_shouted else [*_outside_quotes(_OPERATOR, text)]


def _outside_quotes(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """What matches a pattern in a text, in order, but for what stands in quotes."""
    quoted = [found.span() for found in QUOTED.finditer(text)]
    for found in pattern.finditer(text):
        if not any(begin <= found.end() - 1 < end for begin, end in quoted):
            yield found
