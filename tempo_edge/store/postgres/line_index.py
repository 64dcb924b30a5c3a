"""The search among lines of words: PostgreSQL finds them, and BM25 ranks them as FTS5 does.

Words are told apart and folded here, not by a configuration of the server's, so that every store
gives the same lines. What a server brings along, or lacks, of dictionaries makes no difference.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tempo_edge.store.line_search import (
    MOST_CANDIDATES,
    MOST_RANKED,
    MOST_RANKED_IN_PART,
    TRIGRAM,
    held_in_part,
)
from tempo_edge.words.letters import folded, is_unspaced, pointless, tokens

__all__ = ["LineIndex", "LineKey"]

# Letters of a word that count, and words of a line whose places are known to PostgreSQL.
_LONGEST_WORD, _LAST_PLACE = 400, 16_383

# Lines with a phrase are counted up to here: more of them weigh nothing.
_MOST_COUNTED = 200_000

# Lines are counted for every search up to so many; above, where there are so many times as many.
_QUICKLY_COUNTED, _GROWTH = 10_000, 1.25

# Of BM25, as FTS5 has it: how much it counts that a phrase is there again, and how much that a line
# is long; and the weight of what is in most lines.
_AGAIN, _LENGTH, _LEAST_WEIGHT = 1.2, 0.75, 1e-6

_Run = Callable[[str, Sequence[Any]], Any]
_Found = tuple[int, float, int]


@dataclass(frozen=True)
class LineKey:
    """What a line is found by.

    Attributes:
        is_unspaced: whether it holds letters of a script without spaces.
        plain: its folded words, a space between two; of such a script its letters without case.
        length: how many words these are, or trigrams.
        words: its words with their places, as PostgreSQL writes a ``tsvector``.
        trigrams: any three letters in a row.
    """

    is_unspaced: bool
    plain: str
    length: int
    words: str
    trigrams: list[str]

    @staticmethod
    def of(text: str) -> LineKey:
        """That of a line's text."""
        if is_unspaced(text):
            plain = text.casefold()
            return LineKey(True, plain, max(0, len(plain) - 2), "", _trigrams(plain))
        words = _words(text)
        places = (
            f"{_lexeme(word)}:{place}" for place, word in enumerate(words[:_LAST_PLACE], start=1)
        )
        return LineKey(False, " ".join(words), len(words), " ".join(places), [])


class LineIndex:
    """A search among the lines of one library.

    How many rows are wanted stands in a statement itself: of a parameter PostgreSQL would not know,
    and read all lines in the order of their ids.

    Args:
        run: gives the rows of a statement.
    """

    def __init__(self, run: _Run) -> None:
        self._run = run
        # By what is counted: the largest id of a line then, how many lines, how many words in them.
        self._sizes: dict[str, tuple[int, int, int]] = {}

    def search(
        self,
        phrases: Sequence[str],
        least: int,
        limit: int,
        condition: str,
        values: Sequence[Any],
        *,
        among_names: bool,
    ) -> list[_Found]:
        """(how many phrases it holds, its rank by BM25, its id) of lines, the best first.

        Args:
            phrases: words in a row; case, accents and vowel points don't count.
            least: how many of them a line must hold.
            limit: lines that are given at most.
            condition: what else must be so of them, in SQL; ``values`` stand for its placeholders.
            among_names: whether names alone are looked at and counted.
        """
        if not 0 < least <= len(phrases):
            return []
        what = condition, values
        found = self._spaced(phrases, least, limit, "kind='name'" if among_names else "true", *what)
        found += self._unspaced(phrases, least, *what)
        found.sort(key=lambda each: (-each[0], -each[1]))
        return found[:limit]

    # -- scripts with spaces -----------------------------------------------------------------------

    def _spaced(
        self,
        phrases: Sequence[str],
        least: int,
        limit: int,
        among: str,
        condition: str,
        values: Sequence[Any],
    ) -> list[_Found]:
        """Lines of words with spaces between them."""
        known = [_words(phrase) for phrase in phrases if not is_unspaced(phrase)]
        known = [words for words in known if words]
        if len(known) < least:
            return []
        what = among, condition, values
        found: list[_Found] = []
        if len(known) == len(phrases):
            ranked = self._matched([known], *what, limit, MOST_RANKED)
            found = [(len(known), rank, line) for rank, line, _ in ranked]
        if len(found) < limit and least < len(phrases):
            wanted = [f" {' '.join(words)} " for words in known]
            counts = [self._rarest(among, words) for words in known]
            part = held_in_part(known, counts, least)
            for rank, line, plain in self._matched(
                part, *what, MOST_CANDIDATES, MOST_RANKED_IN_PART
            ):
                count = sum(phrase in f" {plain} " for phrase in wanted)
                if least <= count < len(phrases):
                    found.append((count, rank, line))
        return found

    def occurrences(self, phrase: str) -> int:
        """How many lines hold the rarest word of a phrase, at most."""
        return self._rarest("true", _words(phrase))

    def _rarest(self, among: str, words: Sequence[str]) -> int:
        return min((self._count(among, [word]) for word in words), default=0)

    def _count(self, among: str, words: list[str]) -> int:
        """How many lines hold words in a row, as far as it is counted."""
        ((count,),) = self._run(
            "SELECT count(*) FROM (SELECT 1 FROM evidence WHERE words @@ %s::tsquery "
            f"AND NOT is_unspaced AND {among} LIMIT {_MOST_COUNTED}) AS counted",
            (_in_a_row(words),),
        )
        return int(count)

    def _matched(
        self,
        one_of: Sequence[Sequence[list[str]]],
        among: str,
        condition: str,
        values: Sequence[Any],
        limit: int,
        most: int,
    ) -> list[tuple[float, int, str]]:
        """(rank by BM25, id, words) of the lines that hold all phrases of one list, best first.

        Args:
            most: lines that are ranked; where more are found, the first ones of the library.
        """
        query = " | ".join(f"({' & '.join(map(_in_a_row, all_of))})" for all_of in one_of)
        rows = self._run(
            "SELECT id, plain, length FROM evidence WHERE words @@ %s::tsquery "
            f"AND NOT is_unspaced AND {among} AND {condition} ORDER BY id LIMIT {most}",
            (query, *values),
        ).fetchall()
        if not rows:
            return []
        lines, mean = self._size(f"NOT is_unspaced AND {among}")
        weights: dict[str, float] = {}
        for words in (words for all_of in one_of for words in all_of):
            phrase = " ".join(words)
            weight = _weight(lines, self._count(among, words))
            weights[phrase] = weights.get(phrase, 0.0) + weight
        ranked = [
            (_rank(weights, _Words(plain).count, length, mean), line, plain)
            for line, plain, length in rows
        ]
        ranked.sort(key=lambda each: (-each[0], each[1]))
        return ranked[:limit]

    # -- scripts without spaces --------------------------------------------------------------------

    def _unspaced(
        self, phrases: Sequence[str], least: int, condition: str, values: Sequence[Any]
    ) -> list[_Found]:
        """Lines of words without spaces between them: there a phrase is a row of letters."""
        known = [
            phrase.replace("\0", " ").casefold()
            for phrase in phrases
            if is_unspaced(phrase) or len(phrase) >= TRIGRAM
        ]
        if len(known) < least or not any(map(is_unspaced, known)):
            return []
        long = [phrase for phrase in known if len(phrase) >= TRIGRAM]
        what = condition, values
        if long and (least < len(known) or len(long) == len(known)):
            joined = " OR " if least < len(phrases) else " AND "
            rows = self._of_trigrams(long, joined, *what)
        else:
            rows = self._scanned([phrase for phrase in known if is_unspaced(phrase)], *what)
        found: list[_Found] = []
        for rank, line, plain in rows:
            count = sum(phrase in plain for phrase in known)
            if count >= least:
                found.append((count, rank, line))
        return found

    def _of_trigrams(
        self, phrases: list[str], joined: str, condition: str, values: Sequence[Any]
    ) -> list[tuple[float, int, str]]:
        """(rank, id, letters) of lines that hold phrases of three letters or more, best first."""
        one = "(trigrams @> %s::text[] AND strpos(plain, %s)>0)"
        asked = [(_trigrams(phrase), phrase) for phrase in phrases]
        rows = self._run(
            f"SELECT id, plain, length FROM evidence WHERE is_unspaced "
            f"AND ({joined.join([one] * len(asked))}) AND {condition} ORDER BY id "
            f"LIMIT {MOST_RANKED_IN_PART}",
            (*(value for each in asked for value in each), *values),
        ).fetchall()
        lines, mean = self._size("is_unspaced")
        weights = {}
        for letters, phrase in asked:
            ((count,),) = self._run(
                f"SELECT count(*) FROM evidence WHERE is_unspaced AND {one}", (letters, phrase)
            )
            weights[phrase] = _weight(lines, int(count))
        ranked = [
            (_rank(weights, plain.count, length, mean), line, plain) for line, plain, length in rows
        ]
        ranked.sort(key=lambda each: (-each[0], each[1]))
        return ranked[:MOST_CANDIDATES]

    def _scanned(
        self, phrases: list[str], condition: str, values: Sequence[Any]
    ) -> list[tuple[float, int, str]]:
        """Lines that hold one of some phrases which are too short for the index; all are read."""
        holds = " OR ".join("strpos(plain, %s)>0" for _ in phrases)
        rows = self._run(
            f"SELECT 0.0::float8, id, plain FROM evidence WHERE is_unspaced AND ({holds}) "
            f"AND {condition} ORDER BY length(text), id LIMIT {MOST_CANDIDATES}",
            (*phrases, *values),
        )
        return [(rank, line, plain) for rank, line, plain in rows]

    # -- how many lines there are ------------------------------------------------------------------

    def _size(self, which: str) -> tuple[int, float]:
        """How many lines there are, and how many words one has on average."""
        ((last,),) = self._run("SELECT coalesce(max(id), 0) FROM evidence", ())
        counted_at, lines, words = self._sizes.get(which, (-1, 0, 0))
        is_known = lines > _QUICKLY_COUNTED and counted_at <= last <= _GROWTH * counted_at
        if not is_known:
            ((lines, words),) = self._run(
                f"SELECT count(*), coalesce(sum(length), 0)::bigint FROM evidence WHERE {which}", ()
            )
            self._sizes[which] = int(last), int(lines), int(words)
        return int(lines), max(1.0, words / max(1, lines))


def _weight(lines: int, with_it: int) -> float:
    """How much a phrase tells that is in so many of some lines."""
    rest = (lines - with_it + 0.5) / (with_it + 0.5)
    return math.log(rest) if rest > 1 else _LEAST_WEIGHT


def _rank(
    weights: dict[str, float], times: Callable[[str], int], length: int, mean: float
) -> float:
    """The rank of a line by BM25.

    Args:
        weights: of phrases; ``times`` says how often one is in the line.
        length: of the line, and ``mean`` that of all.
    """
    total = 0.0
    for phrase, weight in weights.items():
        often = times(phrase)
        norm = often + _AGAIN * (1 - _LENGTH + _LENGTH * length / mean)
        total += weight * often * (_AGAIN + 1) / norm
    return total


class _Words:
    """Folded words of a line."""

    def __init__(self, plain: str) -> None:
        # Two spaces, so that of two phrases in a row each is found.
        self._apart = f" {plain.replace(' ', '  ')} "

    def count(self, phrase: str) -> int:
        """How often words in a row are among them."""
        return self._apart.count(f" {phrase.replace(' ', '  ')} ")


def _words(text: str) -> list[str]:
    return [word[:_LONGEST_WORD] for word in tokens(folded(pointless(text)))]


def _trigrams(text: str) -> list[str]:
    return sorted({text[at : at + TRIGRAM] for at in range(len(text) - TRIGRAM + 1)})


def _lexeme(word: str) -> str:
    """A word as PostgreSQL takes it, whatever stands in it."""
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


def _in_a_row(words: Sequence[str]) -> str:
    return "(" + " <-> ".join(map(_lexeme, words)) + ")"
