"""Lines of words that answer a query, each with how likely it does: findings of words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tempo_edge.moment import Span
from tempo_edge.quantization import dequantize
from tempo_edge.query import Query
from tempo_edge.search.calibrate import log_odds
from tempo_edge.search.findings import Finding
from tempo_edge.search.line_judge import LineJudge, WordFacts
from tempo_edge.search.lines import MatchedLine, WantedWords, each_once, matching
from tempo_edge.store.evidence import LineHit
from tempo_edge.store.interface import Catalogue
from tempo_edge.store.line_vectors import LineVectors
from tempo_edge.store.vectors import Hits

__all__ = ["JudgedLine", "LineFinder", "Meaning"]

# Lines that are judged at most: of those with most words of a query, with all that tell, with what
# is quoted, whether it is there to the letter; and of those near to it.
_WITH_WORDS, _HELD, _QUOTED, _NEAR = 30, 60, 1000, 40

# A word in fewer lines than one in e to the power of this tells something, and so many of them do.
_TELLING, _TOLD_BY = 3.0, 4


@dataclass(frozen=True)
class Meaning:
    """What a query means, and the lines that it is compared with.

    Attributes:
        vector: its unit vector ``[d]``; ``lines``: the search among those of lines.
    """

    vector: NDArray[np.float32]
    lines: LineVectors

    def begin(self, kinds: Collection[str], videos: Collection[int] | None) -> Callable[[], Hits]:
        """The search for the lines that are nearest to it, which may go on beside other work."""
        return self.lines.begin(self.vector, _NEAR, kinds=kinds, videos=videos)


@dataclass(frozen=True)
class JudgedLine:
    """A line, its facts, and how likely it answers the query by them."""

    hit: LineHit
    facts: Sequence[float]
    confidence: float


class LineFinder:
    """Finds lines of one library.

    Args:
        catalogue: its rows.
        judge: how lines are judged; by default as the program brings it.
    """

    def __init__(self, catalogue: Catalogue, judge: LineJudge | None = None) -> None:
        self._catalogue = catalogue
        self._judge = judge

    @cached_property
    def judge(self) -> LineJudge:
        """How lines are judged."""
        return self._judge or LineJudge.shipped()

    def begin(
        self,
        query: Query,
        kinds: Collection[str],
        videos: Collection[int] | None,
        meaning: Callable[[], Meaning | None],
    ) -> Callable[[], Iterator[Finding]]:
        """What lines of some kinds say; until it is called for, some of the looking goes on.

        Args:
            query: what is asked for; its least confidence counts.
            kinds: of :data:`tempo_edge.words.line.KINDS`, names left out.
            videos: ids of the only videos that count; None for all.
            meaning: what the query means, if lines can be compared with that.
        """
        wanted = WantedWords.of(query.text)
        if not wanted.phrases or not kinds:
            return lambda: iter(())
        # What is quoted is to be there to the letter: lines that mean the same are none.
        means = None if wanted.quoted else meaning()
        near = None if means is None else means.begin(kinds, videos)
        return lambda: self._findings(query, self._judged(wanted, kinds, videos, means, near))

    def _findings(self, query: Query, judged: Sequence[JudgedLine]) -> Iterator[Finding]:
        """What judged lines say."""
        least = self.judge.threshold if query.min_confidence is None else query.min_confidence
        for each in judged:
            line = each.hit.line
            confidence = each.confidence * line.confidence
            span = Span(line.start_seconds, line.end_seconds)
            odds = log_odds(confidence)
            where = line.kind, each.hit.video, span
            yield Finding(*where, confidence, confidence >= least, odds, line.text)

    def judged(
        self,
        wanted: WantedWords,
        kinds: Collection[str],
        videos: Collection[int] | None,
        meaning: Meaning | None,
    ) -> list[JudgedLine]:
        """Lines that may answer a query, the likeliest first, none of them twice."""
        near = None if meaning is None else meaning.begin(kinds, videos)
        return self._judged(wanted, kinds, videos, meaning, near)

    def _judged(
        self,
        wanted: WantedWords,
        kinds: Collection[str],
        videos: Collection[int] | None,
        meaning: Meaning | None,
        near: Callable[[], Hits] | None,
    ) -> list[JudgedLine]:
        """Lines that may answer a query, the nearest ones among them."""
        rarities = self._catalogue.rarities(wanted.phrases)
        hits = {hit.id: hit for hit in self._with_words(wanted, rarities, kinds, videos)}
        if meaning is None:
            # Lines with most of the words may mean the same; where vectors tell, these find them.
            most = matching(self._catalogue, wanted, kinds, videos, _WITH_WORDS)
            hits.update((match.hit.id, match.hit) for match in most)
        if near is not None:
            new = [line for line in near().ids.tolist() if line not in hits]
            hits.update((hit.id, hit) for hit in self._catalogue.lines_by_id(new))
        if not hits:
            return []
        words = WordFacts(wanted, rarities)
        facts = {line: words.of(hit.line.text) for line, hit in hits.items()}
        if meaning is not None:
            self._add_meaning(facts, meaning)
        judged = [
            JudgedLine(hits[line], each, self.judge.confidence(each, wanted.quoted))
            for line, each in facts.items()
        ]
        judged.sort(key=lambda each: (-each.confidence, -each.facts[0], each.hit.id))
        by_id = {each.hit.id: each for each in judged}
        once = each_once(MatchedLine(each.hit, False, 0) for each in judged)
        return [by_id[match.hit.id] for match in once]

    def _with_words(
        self,
        wanted: WantedWords,
        rarities: Sequence[float],
        kinds: Collection[str],
        videos: Collection[int] | None,
    ) -> list[LineHit]:
        """Lines with the words that tell most, and with all that is quoted.

        What is in nearly every line tells nothing, and looking for it takes the longest.
        """
        told = sorted(zip(rarities, wanted.phrases, strict=True), reverse=True)
        telling = [phrase for rarity, phrase in told if rarity >= _TELLING] or wanted.words
        phrases = tuple(dict.fromkeys([*wanted.quoted, *telling[:_TOLD_BY]]))
        hits = self._catalogue.matching_lines(
            phrases,
            len(phrases),
            kinds=kinds,
            videos=videos,
            limit=_QUOTED if wanted.quoted else _HELD,
        )
        return [hit for hit in hits if wanted.is_met(hit.line.text)]

    def _add_meaning(self, facts: dict[int, list[float]], meaning: Meaning) -> None:
        """Add what vectors say to the facts of those lines that have one, by their ids."""
        ids, packed = self._catalogue.line_vectors(list(facts))
        if not len(ids):
            return
        vectors, lines = dequantize(packed), meaning.lines
        more = self.judge.facts_of_meaning(meaning.vector, vectors, lines.sample(), lines.count())
        for line, values in zip(ids.tolist(), more.tolist(), strict=True):
            facts[line] += values
