"""Lines of words that answer a query, each with how likely it does: findings of words."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tempo_edge.moment import Span
from tempo_edge.query import Query
from tempo_edge.search.calibrate import log_odds
from tempo_edge.search.findings import Finding
from tempo_edge.search.line_judge import LineJudge
from tempo_edge.search.lines import MatchedLine, WantedWords, each_once, matching
from tempo_edge.store.interface import Catalogue

__all__ = ["LineFinder"]

# Lines that are judged, at most: more of them are no better ones.
_LINES = 100


class LineFinder:
    """Finds lines of one library."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._judge = LineJudge.shipped()

    def findings(
        self, query: Query, kinds: Collection[str], videos: Collection[int] | None
    ) -> list[Finding]:
        """What lines of some kinds say.

        Args:
            query: what is asked for; its limit and its least confidence count.
            kinds: of :data:`tempo_edge.words.line.KINDS`, names left out.
            videos: ids of the only videos that count; None for all.
        """
        wanted = WantedWords.of(query.text)
        if not wanted.phrases or not kinds:
            return []
        least = self._judge.threshold if query.min_confidence is None else query.min_confidence
        lines = matching(self._catalogue, wanted, kinds, videos, _LINES)
        return list(self._judged(lines, wanted, least))

    def _judged(
        self, lines: list[MatchedLine], wanted: WantedWords, least: float
    ) -> Iterator[Finding]:
        for match in each_once(lines):
            line = match.hit.line
            confidence = self._judge.confidence(match, wanted) * line.confidence
            yield Finding(
                line.kind,
                match.hit.video,
                Span(line.start_seconds, line.end_seconds),
                confidence,
                confidence >= least,
                log_odds(confidence),
                line.text,
            )
