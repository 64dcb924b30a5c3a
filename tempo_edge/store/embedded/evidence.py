"""Lines of words in a library, and what a run read of each file's words.

What finds lines is derived from the rows: SQLite's FTS5 keeps it, and triggers of the tables.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tempo_edge.errors import LibraryError
from tempo_edge.store.embedded.columns import LONGEST_SECONDS, Columns
from tempo_edge.store.embedded.line_index import LineIndex
from tempo_edge.store.embedded.passes import PassTable, within
from tempo_edge.store.evidence import FileWords, LineHit
from tempo_edge.store.rarities import Rarities
from tempo_edge.words.letters import is_unspaced, pointless
from tempo_edge.words.line import KINDS, Line, LineError

__all__ = ["AT_ONCE", "LINE", "EvidenceTable", "kind_of", "slots"]

_COLUMNS = "video_id, start_seconds, end_seconds, kind, text, language, confidence, source"
#: The columns of a line, its id first.
LINE = f"id, {_COLUMNS}"
_IS_HELD = "EXISTS (SELECT 1 FROM files WHERE files.video_id=evidence.video_id)"
_WITHIN = "path=? OR (path>=? AND path<?)"

#: Paths, or lines, that are asked about at once.
AT_ONCE = 500


class EvidenceTable(PassTable):
    """The rows of ``evidence`` and ``words_read``; what a public method does, its interface says.

    Libraries of before have neither, and whoever reads one of these finds no words in it.
    """

    def __init__(self, path: Path, *, readonly: bool = False, still: bool = False) -> None:
        self._rarities = Rarities()
        super().__init__(path, readonly=readonly, still=still)

    def put_lines(
        self,
        video_id: int,
        kinds: Collection[str],
        lines: Iterable[Line],
        path: str | None = None,
    ) -> None:
        """Put lines in the place of those of some kinds that there are."""
        file = None if path is None else self._file_id(path)
        self._db.execute(
            f"DELETE FROM evidence WHERE video_id=? AND file_id IS ? AND kind IN ({slots(kinds)})",
            (video_id, file, *kinds),
        )
        self._insert(video_id, lines, file)

    def add_lines(self, video_id: int, lines: Iterable[Line]) -> None:
        """Put lines beside those that there are."""
        self._insert(video_id, lines, None)

    def _insert(self, video_id: int, lines: Iterable[Line], file: int | None) -> None:
        self._db.executemany(
            f"INSERT INTO evidence (file_id, unspaced, plain, {_COLUMNS}) "
            f"VALUES ({slots(range(11))})",
            (
                (
                    file,
                    int(is_unspaced(line.text)),
                    None if (plain := pointless(line.text)) == line.text else plain,
                    video_id,
                    line.start_seconds,
                    line.end_seconds,
                    line.kind,
                    line.text,
                    line.language,
                    line.confidence,
                    line.source,
                )
                for line in lines
            ),
        )

    def _file_id(self, path: str) -> int:
        """The number that lines of a file have."""
        self._db.execute(
            "INSERT OR IGNORE INTO words_read (path, mark, remark) VALUES (?, '', '')",
            (path,),
        )
        (file,) = self._db.execute("SELECT id FROM words_read WHERE path=?", (path,)).fetchone()
        return int(file)

    def lines(self, video_id: int) -> list[Line]:
        """The lines of a video in the order of their times."""
        if not self._has("words_read"):
            return []
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM evidence WHERE video_id=? ORDER BY start_seconds, id",
            (video_id,),
        )
        return [self._line(*row) for row in rows]

    def contents_lines(self, video_id: int) -> list[LineHit]:
        """The lines of a video that are no single file's, in the order in which they were put."""
        if not self._has("words_read"):
            return []
        rows = self._db.execute(
            f"SELECT {LINE} FROM evidence WHERE video_id=? AND file_id IS NULL ORDER BY id",
            (video_id,),
        )
        return [self._hit(*row) for row in rows]

    def file_words(self, path: str) -> FileWords | None:
        """What words of one file were read; None where none were."""
        if not self._has("words_read"):
            return None
        row = self._db.execute(
            "SELECT id, mark, remark FROM words_read WHERE path=?", (path,)
        ).fetchone()
        if row is None:
            return None
        read = self._columns(f"the words of file {path!r}")
        lines = self._db.execute(
            f"SELECT {LINE} FROM evidence WHERE file_id=? ORDER BY id", row[:1]
        )
        told = read.text("mark", row[1]), read.text("remark", row[2])
        return FileWords(*told, tuple(self._hit(*each) for each in lines))

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
        if not self._has("words_read"):
            return []
        conditions = [_IS_HELD]
        values: list[Any] = []
        if kinds is not None:
            conditions.append(f"kind IN ({slots(kinds)})")
            values += kinds
        if videos is not None:
            self._choose(videos)
            conditions.append("evidence.video_id IN temp.chosen")
        # Of names there are too few to narrow anything.
        is_narrow = videos is not None or not (kinds is None or set(KINDS) - {"name"} <= set(kinds))
        what = LINE, " AND ".join(conditions), values
        among_names = (
            kinds is not None and set(kinds) == {"name"} and self._has_now("evidence_names")
        )
        table = "evidence_names" if among_names else "evidence_words"
        index = LineIndex(self._db, *what, is_narrow=is_narrow, table=table)
        found = index.search(phrases, least, limit)
        return [self._hit(*row, rank=rank, found=count) for count, rank, row in found]

    def lines_by_id(self, ids: Sequence[int]) -> list[LineHit]:
        """The lines with these ids that some file still holds."""
        if not self._has("words_read"):
            return []
        hits: list[LineHit] = []
        for start in range(0, len(ids), AT_ONCE):
            part = ids[start : start + AT_ONCE]
            rows = self._db.execute(
                f"SELECT {LINE} FROM evidence WHERE id IN ({slots(part)}) AND {_IS_HELD}",
                part,
            )
            hits += [self._hit(*row) for row in rows]
        return hits

    def rarities(self, phrases: Sequence[str]) -> list[float]:
        """How rare each phrase is: the logarithm of how many lines there are for one with it."""
        if not self._has("words_read"):
            return [0.0] * len(phrases)
        (last,) = self._db.execute("SELECT coalesce(max(id), 0) FROM evidence").fetchone()
        index = LineIndex(self._db, LINE, "1", (), is_narrow=False)
        return self._rarities.of(phrases, int(last), index.occurrences)

    def line_counts(self) -> dict[str, int]:
        """How many lines there are of each kind of which there are any."""
        if not self._has("words_read"):
            return {}
        rows = self._db.execute("SELECT kind, count(*) FROM evidence GROUP BY kind")
        read = self._columns("a line")
        return {kind_of(read, kind): int(count) for kind, count in sorted(rows)}

    # -- what was read -----------------------------------------------------------------------------

    def note_words(self, path: str, mark: str, remark: str = "") -> None:
        """Note what words of a file were read, until it is put again."""
        self._db.execute(
            "INSERT INTO words_read (path, mark, remark) VALUES (?, ?, ?) ON CONFLICT (path) "
            "DO UPDATE SET mark=excluded.mark, remark=excluded.remark",
            (path, mark, remark),
        )

    def word_marks(self, paths: Sequence[str]) -> dict[str, str]:
        """By path, the mark of those files among some whose words were read."""
        marks: dict[str, str] = {}
        for start in range(0, len(paths), AT_ONCE):
            part = paths[start : start + AT_ONCE]
            marks.update(
                self._db.execute(
                    f"SELECT path, mark FROM words_read WHERE path IN ({slots(part)})",
                    part,
                )
            )
        return marks

    def word_remarks(self, under: Path | None = None) -> Iterator[tuple[str, str]]:
        """(path, remark) of the files whose words there is something to say about, by path."""
        if not self._has("words_read"):
            return
        where, values = within(under)
        query = f"SELECT path, remark FROM words_read WHERE remark<>'' AND {where} ORDER BY path"
        for path, remark in self._db.execute(query, values):
            read = self._columns(f"the words of file {path!r}")
            yield read.text("path", path), read.text("remark", remark)

    # -- one row -----------------------------------------------------------------------------------

    def _hit(
        self, line_id: Any, video_id: Any, *values: Any, rank: float = 0.0, found: int = 0
    ) -> LineHit:
        return LineHit(int(video_id), self._line(video_id, *values), rank, found, int(line_id))

    def _line(self, video_id: Any, *values: Any) -> Line:
        """A row of ``evidence``.

        Raises:
            LibraryError: a value is none that belongs there.
        """
        start, end, kind, text, language, confidence, source = values
        read = self._columns(f"a line of video {video_id}")
        line = (
            read.real("start_seconds", start, 0.0, LONGEST_SECONDS),
            read.real("end_seconds", end, 0.0, LONGEST_SECONDS),
            kind_of(read, kind),
            read.text("text", text),
            read.text("language", language),
            read.real("confidence", confidence, 0.0, 1.0),
            read.text("source", source),
        )
        try:
            return Line(*line)
        except LineError as error:
            raise LibraryError(
                f"{self.path} is damaged: {error} (a line of video {video_id}): "
                "put a copy of it back, or delete it and index again"
            ) from error


def kind_of(read: Columns, kind: Any) -> str:
    if kind not in KINDS:
        raise read.fault("kind", kind, f"one of {', '.join(KINDS)}")
    return str(kind)


def slots(values: Collection[Any]) -> str:
    """A question mark for each of some values."""
    return ",".join("?" * len(values))
