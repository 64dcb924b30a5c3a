"""The search among lines of words by FTS5: of all of some phrases, and of most of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from tempo_edge.store.line_search import (
    MOST_CANDIDATES,
    MOST_RANKED,
    MOST_RANKED_IN_PART,
    TRIGRAM,
    held_in_part,
)
from tempo_edge.words.letters import folded, is_unspaced, pointless, tokens

__all__ = ["LineIndex"]

_Row = tuple[Any, ...]
_Found = tuple[int, float, _Row]


class LineIndex:
    """A search among the lines of one library.

    Args:
        db: its database.
        columns: those of each line that are given.
        condition: what else must be so of it, in SQL.
        values: what stands for the question marks in that.
        is_narrow: whether that may leave few of many lines.
        table: the full-text index that is asked; it may be one of some lines only.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        columns: str,
        condition: str,
        values: Sequence[Any],
        *,
        is_narrow: bool,
        table: str = "evidence_words",
    ) -> None:
        self._table = table
        self._db = db
        self._columns = columns
        self._condition = condition
        self._values = values
        self._is_narrow = is_narrow

    def search(self, phrases: Sequence[str], least: int, limit: int) -> list[_Found]:
        """(how many phrases it holds, its rank by BM25, the line) of lines, the best first.

        Args:
            phrases: words in a row; case, accents and vowel points don't count.
            least: how many of them a line must hold.
            limit: lines that are given at most.
        """
        if not 0 < least <= len(phrases):
            return []
        found = self._spaced(phrases, least, limit) + self._unspaced(phrases, least)
        found.sort(key=lambda each: (-each[0], -each[1]))
        return found[:limit]

    # -- scripts with spaces -----------------------------------------------------------------------

    def _spaced(self, phrases: Sequence[str], least: int, limit: int) -> list[_Found]:
        """Lines of words with spaces between them."""
        known = [phrase for phrase in phrases if tokens(phrase) and not is_unspaced(phrase)]
        if len(known) < least:
            return []
        found: list[_Found] = []
        if len(known) == len(phrases):
            match = " AND ".join(map(_quoted, known))
            rows = self._matched(self._table, match, limit, MOST_RANKED)
            found = [(len(known), *row) for row in rows]
        if len(found) < limit and least < len(phrases):
            wanted = [_apart(phrase) for phrase in known]
            ranked = MOST_CANDIDATES, MOST_RANKED_IN_PART
            for rank, row in self._matched(self._table, self._part_of(known, least), *ranked):
                held = _apart(_text_of(self._columns, row))
                count = sum(phrase in held for phrase in wanted)
                if least <= count < len(phrases):
                    found.append((count, rank, row))
        return found

    def _part_of(self, phrases: Sequence[str], least: int) -> str:
        """What lines hold that hold so many of some phrases, and few others, as FTS5 reads it."""
        counts = [self.occurrences(phrase) for phrase in phrases]
        each = held_in_part(phrases, counts, least)
        return " OR ".join(f"({' AND '.join(map(_quoted, all_of))})" for all_of in each)

    def occurrences(self, phrase: str) -> int:
        """How many lines of the index that is asked hold the rarest word of a phrase, at most."""
        terms = f"temp.terms_of_{self._table}"
        self._db.execute(
            f"CREATE VIRTUAL TABLE IF NOT EXISTS {terms} USING fts5vocab(main, {self._table}, row)"
        )
        counts = []
        for token in tokens(folded(phrase)):
            row = self._db.execute(f"SELECT doc FROM {terms} WHERE term=?", (token,)).fetchone()
            counts.append(0 if row is None else int(row[0]))
        return min(counts, default=0)

    # -- scripts without spaces --------------------------------------------------------------------

    def _unspaced(self, phrases: Sequence[str], least: int) -> list[_Found]:
        """Lines of words without spaces between them: there a phrase is a row of letters."""
        known = [phrase for phrase in phrases if is_unspaced(phrase) or len(phrase) >= TRIGRAM]
        if len(known) < least or not any(map(is_unspaced, known)):
            return []
        long = [phrase for phrase in known if len(phrase) >= TRIGRAM]
        if long and (least < len(known) or len(long) == len(known)):
            match = (" OR " if least < len(phrases) else " AND ").join(map(_quoted, long))
            ranked = MOST_CANDIDATES, MOST_RANKED_IN_PART
            rows = self._matched("evidence_trigrams", match, *ranked)
        else:
            rows = self._scanned([phrase for phrase in known if is_unspaced(phrase)])
        found: list[_Found] = []
        wanted = [phrase.casefold() for phrase in known]
        for rank, row in rows:
            held = _text_of(self._columns, row).casefold()
            count = sum(phrase in held for phrase in wanted)
            if count >= least:
                found.append((count, rank, row))
        return found

    def _scanned(self, phrases: Sequence[str]) -> Iterator[tuple[float, _Row]]:
        """Lines that hold one of some phrases which are too short for the index; all are read."""
        holds = " OR ".join("instr(text, ?)" for _ in phrases)
        rows = self._db.execute(
            f"SELECT {self._columns} FROM evidence WHERE unspaced=1 AND ({holds}) "
            f"AND {self._condition} ORDER BY length(text), id LIMIT ?",
            (*phrases, *self._values, MOST_CANDIDATES),
        )
        for row in rows:
            yield 0.0, row

    # -- either ------------------------------------------------------------------------------------

    def _matched(
        self, table: str, match: str, limit: int, most: int
    ) -> Iterator[tuple[float, _Row]]:
        """(rank by BM25, the higher the better; the line) of what FTS5 finds, the best first.

        Args:
            most: lines that are ranked; where more are found, the first ones of the library.
        """
        columns = ", ".join(f"evidence.{name}" for name in self._columns.split(", "))
        found = (
            f"FROM {table} JOIN evidence ON evidence.id={table}.rowid "
            f"WHERE {table} MATCH ? AND {self._condition}"
        )
        # FTS5 alone passes over thousands of lines in no time.
        beyond = self._db.execute(
            f"SELECT rowid FROM {table} WHERE {table} MATCH ? LIMIT 1 OFFSET ?", (match, most)
        ).fetchone()
        if beyond is not None and self._is_narrow:
            beyond = self._db.execute(
                f"SELECT evidence.id {found} LIMIT 1 OFFSET ?", (match, *self._values, most)
            ).fetchone()
        last = 2**62 if beyond is None else int(beyond[0]) - 1
        rows = self._db.execute(
            f"SELECT rank, {columns} {found} AND {table}.rowid<=? ORDER BY rank LIMIT ?",
            (match, *self._values, last, limit),
        )
        for rank, *row in rows:
            yield -float(rank), tuple(row)


def _apart(text: str) -> str:
    """The words of a text, with a space before and behind each."""
    return f" {' '.join(tokens(folded(text)))} "


def _text_of(columns: str, row: _Row) -> str:
    value = row[columns.split(", ").index("text")]
    return value if isinstance(value, str) else ""


def _quoted(phrase: str) -> str:
    """A phrase as FTS5 takes it for words in a row, whatever stands in it."""
    return '"' + pointless(phrase).replace("\0", " ").replace('"', " ") + '"'
