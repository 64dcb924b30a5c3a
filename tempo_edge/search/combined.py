"""A combined search: several terms, each searched for itself, met in probabilities.

All that is to be there is there with the product of the probabilities at a place, times that of
each thing's being absent that is not to be there. What comes next is looked for likewise, in the
time that is allowed behind a moment and before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tempo_edge.answer import Answer
from tempo_edge.expression import NOT, Expression
from tempo_edge.moment import PICTURE, Moment
from tempo_edge.query import Query
from tempo_edge.search.calibrate import log_odds
from tempo_edge.search.candidates import Candidate, rivals_of
from tempo_edge.search.meeting import Meetings, Met, distinct
from tempo_edge.search.ordering import in_order
from tempo_edge.search.searcher import Searcher
from tempo_edge.search.term import TermSearch

__all__ = ["NOTHING_BELOW", "Combiner"]

#: The probability below which the best moment of a term is nothing at all.
NOTHING_BELOW = 0.1

# Rejected moments that an answer tells of.
_CLOSEST = 6

# Footage around a moment of one term that is read with it: others are looked for there.
_ALONG_SECONDS = 60.0


class Combiner:
    """Searches with expressions of several terms."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher

    def find(self, query: Query, checkpoint: Callable[[], None] = lambda: None) -> Answer:
        """The answer to a query of several terms; see :meth:`Searcher.find`."""
        expression = query.expression
        space = self._searcher.space(query, _ALONG_SECONDS)
        terms: dict[str, TermSearch] = {}
        wanted = {text for scene in expression.scenes for text in scene.wanted}
        for text in dict.fromkeys(term.text for term in expression.terms):
            asked, is_wanted = query.of_term(text), text in wanted
            terms[text] = self._searcher.term(asked, space, checkpoint, is_wanted=is_wanted)
        meeting = Meetings(terms, expression.scenes, query.near_seconds, query.then_seconds)
        met = distinct(meeting.all(checkpoint))
        nowhere = _below(NOTHING_BELOW, expression, terms, query.min_confidence)
        sure = [] if nowhere else [each for each in met if each.is_sure(query.min_confidence)]
        unsure = [each for each in met if each not in sure]
        missing = nowhere if sure or nowhere else _below(None, expression, terms, None)
        shown = in_order([self._told(each) for each in sure[: query.limit]], query.sort)
        closest = [self._told(each) for each in unsure[:_CLOSEST]]
        return Answer(
            tuple(moment for moment, _ in shown),
            tuple(moment for moment, _ in closest),
            len(unsure),
            self._searcher.pictures.chosen(query),
            rivals_of([(each.video, each.confidence) for each in met]),
            tuple(candidate for _, candidate in shown),
            tuple(candidate for _, candidate in closest),
            understood=expression,
            missing=missing,
            unknown_count=self._searcher.unknown_count(query),
        )

    def _told(self, met: Met) -> tuple[Moment, Candidate | None]:
        """A moment as it is told, and what pictures say of what it began with."""
        moment, seen = self._searcher.moments.at(met.anchor, met.span)
        seen_by = (PICTURE,) if met.is_seen else ()
        kinds = dict.fromkeys([*moment.found_by, *(each.kind for each in met.words), *seen_by])
        texts = dict.fromkeys([moment.text, *(each.text for each in met.words)])
        told = replace(
            moment,
            score=log_odds(met.confidence),
            confidence=met.confidence,
            found_by=tuple(kinds),
            text=" / ".join(filter(None, texts)),
            parts=met.parts,
        )
        return told, seen


def _below(
    least: float | None,
    expression: Expression,
    terms: dict[str, TermSearch],
    min_confidence: float | None,
) -> tuple[str, ...]:
    """The terms that are to be there of which no moment is likely enough.

    Args:
        least: that likely; None for as likely as its own search must be to show it.
        min_confidence: the query's, which may be less.
    """
    if least is not None and min_confidence is not None:
        least = min(least, min_confidence)
    wanted = dict.fromkeys(each.text for each in expression.terms if each.role != NOT)
    return tuple(
        text
        for text in wanted
        if not any(
            each.is_sure or (least is not None and each.confidence >= least)
            for each in terms[text].found
        )
    )
