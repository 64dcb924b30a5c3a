"""Lines of words that match a query: those with its very words, with all of them, with most."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tempo_edge._files.spelling import spelled
from tempo_edge.errors import QueryError
from tempo_edge.expression import QUOTED
from tempo_edge.query import Query
from tempo_edge.search.places import places_of
from tempo_edge.search.scope import videos_of
from tempo_edge.store.evidence import LineHit
from tempo_edge.store.interface import Catalogue
from tempo_edge.words.letters import is_unspaced, tokens
from tempo_edge.words.line import KINDS, Line

__all__ = [
    "LineMatch",
    "MatchedLine",
    "WantedWords",
    "each_once",
    "find_lines",
    "is_in",
    "matching",
]

# Words of a query that count: a longer one is a text, and its first ones tell it.
_MOST_WORDS = 16

# Lines with what stands in quotes that are looked at whether they have it to the letter.
_MOST_QUOTED = 1000

# How many lines are looked at for each that is wanted: some may say the same.
_LINES_FOR_ONE = 3

# Subtitles of a film and beside it may be this far apart, in seconds.
_SAME_SECONDS = 1.0


@dataclass(frozen=True)
class MatchedLine:
    """A line that holds some of what is wanted.

    Attributes:
        hit: the line as the store gave it.
        is_in_a_row: whether all that is wanted stands in it in a row.
        count: how many of the phrases that are wanted it holds.
    """

    hit: LineHit
    is_in_a_row: bool
    count: int


@dataclass(frozen=True)
class LineMatch:
    """A line that matches a query.

    Attributes:
        path: a file in which it is, one that is there if any is.
        line: the line; its span is that of the moment.
        share: of what the query asks for, how much is in it, within (0, 1].
        is_in_a_row: whether all words of the query stand in it as they do there.
        rank: the higher the better it fits among the lines of this library: BM25.
        offline: True when no volume with it is there at present.
        video: the id of its video.
    """

    path: Path
    line: Line
    share: float
    is_in_a_row: bool
    rank: float
    offline: bool
    video: int

    def as_dict(self) -> dict[str, str | float | bool]:
        """Plain values; times rounded to the millisecond."""
        return {
            "path": spelled(self.path),
            "start_seconds": round(self.line.start_seconds, 3),
            "end_seconds": round(self.line.end_seconds, 3),
            "kind": self.line.kind,
            "text": self.line.text,
            "language": self.line.language,
            "source": self.line.source,
            "share": round(self.share, 3),
            "offline": self.offline,
        }


@dataclass(frozen=True)
class WantedWords:
    """What a query asks for.

    Attributes:
        quoted: words in a row that a line must hold to the letter but for case.
        words: of which it must hold most.
        whole: all of it, in a row.
    """

    quoted: tuple[str, ...]
    words: tuple[str, ...]
    whole: str

    @classmethod
    def of(cls, text: str) -> WantedWords:
        """What a text asks for."""
        text = unicodedata.normalize("NFC", text)
        quoted = [
            " ".join(part.split()) for found in QUOTED.findall(text) for part in found if part
        ]
        rest = QUOTED.sub(" ", text)
        words = dict.fromkeys(word for part in rest.split() for word in _words(part))
        whole = " ".join(text.split())
        return cls(tuple(dict.fromkeys(filter(tokens, quoted))), tuple(words)[:_MOST_WORDS], whole)

    @property
    def phrases(self) -> tuple[str, ...]:
        """Everything that it asks for."""
        return self.quoted + self.words

    @property
    def least(self) -> int:
        """How much of that a line must hold: what is quoted, and more than half of the words."""
        return len(self.quoted) + (len(self.words) // 2 + 1 if self.words else 0)

    def is_met(self, text: str) -> bool:
        """Whether a line holds to the letter what is quoted."""
        return all(is_in(phrase, text) for phrase in self.quoted)


def find_lines(
    catalogue: Catalogue, query: Query, *, kinds: Collection[str] = KINDS
) -> list[LineMatch]:
    """The lines that match a query, the best first: at most as many as it asks for.

    First those that hold it in a row, then those with all of its words, then those with most of
    them, more before fewer; of equal ones that which BM25 ranks higher. What stands in quotes must
    be there to the letter, but for its case.

    Args:
        catalogue: the library's, within a snapshot.
        query: its text, limit and scope count.
        kinds: of :data:`tempo_edge.words.line.KINDS`, those that count.

    Raises:
        QueryError: there is no such kind, or the library holds nothing where the query is kept to.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise QueryError(f"kind {kind!r} must be one of {', '.join(KINDS)}")
    videos = videos_of(query, catalogue)
    wanted = WantedWords.of(query.text)
    if not wanted.phrases:
        return []
    matches = matching(catalogue, wanted, kinds, videos, query.limit)
    once = list(each_once(matches))[: query.limit]
    return list(_placed(catalogue, once, len(wanted.phrases)))


def matching(
    catalogue: Catalogue,
    wanted: WantedWords,
    kinds: Collection[str],
    videos: Collection[int] | None,
    limit: int,
) -> list[MatchedLine]:
    """Lines that hold what is wanted, the best first, as :func:`find_lines` orders them.

    Args:
        kinds: those that count.
        videos: ids of the only videos that count; None for all.
        limit: how many are wanted; there are more, for some may say the same.
    """
    limit = max(_LINES_FOR_ONE * limit, _MOST_QUOTED if wanted.quoted else 0)
    found: dict[tuple[int, Line], LineHit] = {}
    for phrases, least in ((wanted.phrases, wanted.least), ((wanted.whole,), 1)):
        hits = catalogue.matching_lines(phrases, least, kinds=kinds, videos=videos, limit=limit)
        for hit in hits:
            found.setdefault((hit.video, hit.line), hit)
    matches = [
        MatchedLine(hit, is_in(wanted.whole, hit.line.text), min(hit.found, len(wanted.phrases)))
        for hit in found.values()
        if wanted.is_met(hit.line.text)
    ]
    matches.sort(key=lambda match: (-match.is_in_a_row, -match.count, -match.hit.rank))
    return matches


def each_once(matches: Iterable[MatchedLine]) -> Iterator[MatchedLine]:
    """Matches without the same words of the same film at the same time, read somewhere else."""
    kept: dict[tuple[int, str], list[float]] = {}
    for match in matches:
        hit = match.hit
        starts = kept.setdefault((hit.video, _same(hit.line.text)), [])
        if all(abs(hit.line.start_seconds - start) > _SAME_SECONDS for start in starts):
            starts.append(hit.line.start_seconds)
            yield match


def _placed(
    catalogue: Catalogue, matches: Iterable[MatchedLine], asked: int
) -> Iterator[LineMatch]:
    for match in matches:
        hit = match.hit
        path, offline = places_of(catalogue, hit.video)[0]
        share = 1.0 if match.is_in_a_row else match.count / asked
        yield LineMatch(path, hit.line, share, match.is_in_a_row, hit.rank, offline, hit.video)


def _words(part: str) -> list[str]:
    """The words of what stands between spaces; where words can't be told apart, all of it."""
    return [part.strip(" ,.?!;:。、？！")] if is_unspaced(part) else tokens(part)


def is_in(phrase: str, text: str) -> bool:
    """Whether words stand in a text in a row, with their accents; their case doesn't count."""
    if is_unspaced(phrase):
        return _same(phrase) in _same(text)
    wanted = tokens(_same(phrase))
    return bool(wanted) and f" {' '.join(wanted)} " in f" {' '.join(tokens(_same(text)))} "


def _same(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
