"""Lines of words in a library, and what a run read of each file's words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tempo_edge.store.evidence import FileWords, LineHit
from tempo_edge.store.postgres.line_index import LineIndex, LineKey
from tempo_edge.store.postgres.passes import PassTable, within
from tempo_edge.store.postgres.trouble import told
from tempo_edge.store.rarities import Rarities
from tempo_edge.words.line import Line

__all__ = ["LINE", "EvidenceTable", "hit"]

_COLUMNS = "video_id, start_seconds, end_seconds, kind, text, language, confidence, source"
#: The columns of a line, its id first.
LINE = f"id, {_COLUMNS}"
_IS_HELD = "EXISTS (SELECT 1 FROM files WHERE files.video_id=evidence.video_id)"


class EvidenceTable(PassTable):
    """The rows of lines, and of what was read; what a public method does, its interface says."""

    def __init__(self, name: str, *, readonly: bool = False) -> None:
        self._rarities = Rarities()
        super().__init__(name, readonly=readonly)
        self._index = LineIndex(self._run)

    def put_lines(
        self,
        video_id: int,
        kinds: Collection[str],
        lines: Iterable[Line],
        path: str | None = None,
    ) -> None:
        """Put lines in the place of those of some kinds that there are."""
        with self._writing():
            file = None if path is None else self._file_id(path)
            self._run(
                "DELETE FROM evidence WHERE video_id=%s AND file_id IS NOT DISTINCT FROM %s "
                "AND kind=ANY(%s::text[])",
                (video_id, file, list(kinds)),
            )
            self._insert(video_id, lines, file)

    def add_lines(self, video_id: int, lines: Iterable[Line]) -> None:
        """Put lines beside those that there are."""
        self._insert(video_id, lines, None)

    def _insert(self, video_id: int, lines: Iterable[Line], file: int | None) -> None:
        rows = []
        for line in lines:
            key = LineKey.of(line.text)
            values = (
                *(line.start_seconds, line.end_seconds, line.kind, line.text, line.language),
                *(line.confidence, line.source),
            )
            derived = key.is_unspaced, key.plain, key.length, key.words, key.trigrams
            rows.append((file, *derived, video_id, *values))
        if not rows:
            return
        derived_columns = "file_id, is_unspaced, plain, length, words, trigrams"
        with self._writing(), told(self.name), self._db.cursor() as cursor:
            statement = f"COPY evidence ({derived_columns}, {_COLUMNS}) FROM STDIN"
            with cursor.copy(statement) as copy:
                for row in rows:
                    copy.write_row(row)

    def _file_id(self, path: str) -> int:
        """The number that lines of a file have."""
        self._run(
            "INSERT INTO words_read (path, mark, remark) VALUES (%s, '', '') "
            "ON CONFLICT (path) DO NOTHING",
            (path,),
        )
        (file,) = self._one("SELECT id FROM words_read WHERE path=%s", (path,))
        return int(file)

    def lines(self, video_id: int) -> list[Line]:
        """The lines of a video in the order of their times."""
        rows = self._run(
            f"SELECT {LINE} FROM evidence WHERE video_id=%s ORDER BY start_seconds, id",
            (video_id,),
        )
        return [hit(row).line for row in rows]

    def contents_lines(self, video_id: int) -> list[LineHit]:
        """The lines of a video that are no single file's, in the order in which they were put."""
        rows = self._run(
            f"SELECT {LINE} FROM evidence WHERE video_id=%s AND file_id IS NULL ORDER BY id",
            (video_id,),
        )
        return [hit(row) for row in rows]

    def file_words(self, path: str) -> FileWords | None:
        """What words of one file were read; None where none were."""
        row = self._one("SELECT id, mark, remark FROM words_read WHERE path=%s", (path,))
        if row is None:
            return None
        number, mark, remark = row
        lines = self._run(f"SELECT {LINE} FROM evidence WHERE file_id=%s ORDER BY id", (number,))
        return FileWords(mark, remark, tuple(hit(each) for each in lines))

    def matching_lines(
        self,
        phrases: Sequence[str],
        least: int,
        *,
        kinds: Collection[str] | None = None,
        videos: Collection[int] | None = None,
        limit: int = 100,
    ) -> list[LineHit]:
        """Lines that hold some of these phrases, those with the most of them first."""
        conditions = [_IS_HELD]
        values: list[Any] = []
        if kinds is not None:
            conditions.append("kind=ANY(%s::text[])")
            values.append(list(kinds))
        if videos is not None:
            conditions.append("video_id=ANY(%s::bigint[])")
            values.append(list(videos))
        among_names = kinds is not None and set(kinds) == {"name"}
        found = self._index.search(
            phrases, least, limit, " AND ".join(conditions), values, among_names=among_names
        )
        known = {each.id: each for each in self.lines_by_id([line for _, _, line in found])}
        return [
            LineHit(known[line].video, known[line].line, rank, count, line)
            for count, rank, line in found
            if line in known
        ]

    def lines_by_id(self, ids: Sequence[int]) -> list[LineHit]:
        """The lines with these ids that some file still holds."""
        rows = self._run(
            f"SELECT {LINE} FROM evidence WHERE id=ANY(%s::bigint[]) AND {_IS_HELD} ORDER BY id",
            (list(ids),),
        )
        return [hit(row) for row in rows]

    def rarities(self, phrases: Sequence[str]) -> list[float]:
        """How rare each phrase is: the logarithm of how many lines there are for one with it."""
        (last,) = self._one("SELECT coalesce(max(id), 0) FROM evidence")
        return self._rarities.of(phrases, int(last), self._index.occurrences)

    def line_counts(self) -> dict[str, int]:
        """How many lines there are of each kind of which there are any."""
        rows = self._run("SELECT kind, count(*) FROM evidence GROUP BY kind ORDER BY kind")
        return {kind: int(count) for kind, count in rows}

    # -- what was read -----------------------------------------------------------------------------

    def note_words(self, path: str, mark: str, remark: str = "") -> None:
        """Note what words of a file were read, until it is put again."""
        with self._writing():
            self._run(
                "INSERT INTO words_read (path, mark, remark) VALUES (%s, %s, %s) ON CONFLICT "
                "(path) DO UPDATE SET mark=excluded.mark, remark=excluded.remark",
                (path, mark, remark),
            )

    def word_marks(self, paths: Sequence[str]) -> dict[str, str]:
        """By path, the mark of those files among some whose words were read."""
        rows = self._run(
            "SELECT path, mark FROM words_read WHERE path=ANY(%s::text[])", (list(paths),)
        )
        return dict(rows.fetchall())

    def word_remarks(self, under: Path | None = None) -> Iterator[tuple[str, str]]:
        """(path, remark) of the files whose words there is something to say about, by path."""
        where, values = within(under)
        yield from self._each(
            f"SELECT path, remark FROM words_read WHERE remark<>'' AND {where} ORDER BY path",
            values,
        )


def hit(row: Sequence[Any]) -> LineHit:
    """A line, of its columns in :data:`LINE`, of no rank and with no phrase."""
    number, video, *values = row
    return LineHit(int(video), Line(*values), 0.0, 0, int(number))
