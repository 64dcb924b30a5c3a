"""Names of files and folders that hold what a query says: weak evidence of the whole of a film."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tempo_edge.moment import Span
from tempo_edge.query import Query
from tempo_edge.search.contrast import SHOWN_FROM
from tempo_edge.search.findings import Finding
from tempo_edge.search.lines import WantedWords
from tempo_edge.store.interface import Catalogue
from tempo_edge.words.letters import folded, tokens

__all__ = ["NameFinder"]

# What a name is worth: as much as the least that is shown, so that it comes behind everything that
# is seen or said.
_CONFIDENCE = SHOWN_FROM

# Names that are looked at.
_NAMES = 200

# Words that say nothing of what a film is about: a name need not hold them.
_LITTLE_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "at",
        "by",
        "der",
        "des",
        "die",
        "das",
        "de",
        "du",
        "el",
        "en",
        "et",
        "for",
        "from",
        "in",
        "la",
        "le",
        "les",
        "los",
        "my",
        "of",
        "on",
        "or",
        "our",
        "the",
    ]
) | {"to", "und", "with"}


class NameFinder:
    """Finds names of one library."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def findings(self, query: Query, videos: Collection[int] | None) -> Iterator[Finding]:
        """The films in whose names, taken together, all words of a query are.

        Args:
            query: what is asked for; its least confidence counts.
            videos: ids of the only videos that count; None for all.
        """
        wanted = WantedWords.of(query.text)
        words = [each for each in wanted.phrases if folded(each) not in _LITTLE_WORDS]
        if not words:
            return
        least = SHOWN_FROM if query.min_confidence is None else query.min_confidence
        hits = self._catalogue.matching_lines(
            words, 1, kinds=("name",), videos=videos, limit=_NAMES
        )
        names: dict[int, list[str]] = {}
        for hit in hits:
            names.setdefault(hit.video, []).append(hit.line.text)
        spans = {hit.video: hit.line for hit in hits}
        for video, texts in names.items():
            held = f" {' '.join(tokens(folded(' '.join(texts))))} "
            if all(f" {' '.join(tokens(folded(word)))} " in held for word in words):
                span = Span(0.0, spans[video].end_seconds)
                text = " / ".join(texts)
                yield Finding("name", video, span, _CONFIDENCE, least <= _CONFIDENCE, 0.0, text)
