"""Names of files and folders that hold what a query says: weak evidence of the whole of a film."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from tempo_edge.moment import Span
from tempo_edge.query import Query
from tempo_edge.search.contrast import SHOWN_FROM
from tempo_edge.search.findings import Finding
from tempo_edge.search.lines import WantedWords
from tempo_edge.store.evidence import LineHit
from tempo_edge.store.interface import Catalogue
from tempo_edge.words.letters import folded, tokens

__all__ = ["NameFinder"]

# What a name is worth: as much as the least that is shown, so that it comes behind everything that
# is seen or said.
_CONFIDENCE = SHOWN_FROM

# Names that are looked at.
_NAMES = 1000

# Words that say nothing of what a film is about: a name need not hold them.
_LITTLE = (
    "a an and at by das de der des die du el en et for from in la le les los my of on or our "
    "the to und with"
)
_LITTLE_WORDS = frozenset(_LITTLE.split())

_MONTHS = "january february march april may june july august september october november december"

# The months by name, and as dates in names have them.
_NUMBERS = {
    spelled: f"{number:02d}"
    for number, name in enumerate(_MONTHS.split(), start=1)
    for spelled in (name, name[:3])
}


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
        asked = [folded(each) for each in words]
        sought = dict.fromkeys(asked + [_NUMBERS[word] for word in asked if word in _NUMBERS])
        hits = self._catalogue.matching_lines(
            tuple(sought), 1, kinds=("name",), videos=videos, limit=_NAMES
        )
        named: dict[int, list[LineHit]] = {}
        for hit in hits:
            named.setdefault(hit.video, []).append(hit)
        for video, of_film in named.items():
            texts = [hit.line.text for hit in of_film]
            held = f" {' '.join(tokens(folded(' '.join(texts))))} "
            if all(_is_held(word, held) for word in asked):
                span = Span(0.0, of_film[0].line.end_seconds)
                yield Finding(
                    "name", video, span, _CONFIDENCE, least <= _CONFIDENCE, 0.0, " / ".join(texts)
                )


def _is_held(word: str, names: str) -> bool:
    """Whether a word is in names, both folded; a month may be there as the one of a date."""
    if f" {' '.join(tokens(word))} " in names:
        return True
    month = _NUMBERS.get(word)
    return month is not None and re.search(rf" (?:19|20)\d\d {month} ", names) is not None
