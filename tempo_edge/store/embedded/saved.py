"""Saved searches and what they have told: rows of ``saved``, ``saved_due`` and ``told``."""

from __future__ import annotations

from collections.abc import Iterable

from tempo_edge.errors import LibraryError
from tempo_edge.store.embedded.columns import LONGEST_SECONDS
from tempo_edge.store.embedded.contents import ContentsTable
from tempo_edge.store.embedded.schema import SAVED, statements
from tempo_edge.store.saved import Claim, SavedRow

__all__ = ["SavedTable"]

_SAVED = "name, query, deeds, seal, since_video, video, line"
_CLAIM = "id, search, contents, start_seconds, end_seconds, moment, done, is_told"


class SavedTable(ContentsTable):
    """The rows of saved searches; what a public method does, its interface says.

    A library has the tables from when the first search is saved.
    """

    def saved(self) -> list[SavedRow]:
        """The saved searches, by name."""
        if not self._has_now("saved"):
            return []
        rows = self._db.execute(f"SELECT id, {_SAVED} FROM saved ORDER BY name").fetchall()
        found = []
        for number, name, query, deeds, seal, *ids in rows:
            read = self._columns(f"saved search {name!r}")
            since, video, line = (
                read.whole(column, value)
                for column, value in zip(("since_video", "video", "line"), ids, strict=True)
            )
            found.append(
                SavedRow(
                    int(number),
                    read.text("name", name),
                    read.text("query", query),
                    read.text("deeds", deeds),
                    read.text("seal", seal),
                    since,
                    video,
                    line,
                )
            )
        return found

    def claims(self, search: int, *, untold: bool = False) -> list[Claim]:
        """What a search tells and has told, in the order in which it came; or what is not told."""
        if not self._has_now("told"):
            return []
        return self._claims("search=? AND is_told<=?", search, int(not untold))

    def _claims(self, condition: str, *values: object) -> list[Claim]:
        rows = self._db.execute(
            f"SELECT {_CLAIM} FROM told WHERE {condition} ORDER BY rowid", values
        ).fetchall()
        found = []
        for name, search, contents, start, end, moment, done, is_told in rows:
            read = self._columns(f"told moment {name!r}")
            start, end = (
                read.real(column, value, 0.0, LONGEST_SECONDS)
                for column, value in (("start_seconds", start), ("end_seconds", end))
            )
            found.append(
                Claim(
                    read.text("id", name),
                    read.whole("search", search),
                    read.bytes("contents", contents),
                    start,
                    end,
                    read.text("moment", moment),
                    tuple(read.text("done", done).split()),
                    bool(read.whole("is_told", is_told, high=1)),
                )
            )
        return found

    def videos_due(self, search: SavedRow) -> list[int]:
        """Ids of the videos that are new to a search, or have new lines of words; sorted."""
        rows = self._db.execute(
            "SELECT id FROM videos WHERE id IN ("
            "SELECT id FROM videos WHERE id>? "
            "UNION SELECT video_id FROM evidence WHERE evidence.id>? AND video_id>? "
            "UNION SELECT video_id FROM saved_due WHERE search=?) "
            "AND EXISTS (SELECT 1 FROM files WHERE files.video_id=videos.id) ORDER BY id",
            (search.video, search.line, search.since_video, search.number),
        )
        return [int(video) for (video,) in rows]

    def newest(self) -> tuple[int, int]:
        """The highest ids of a video and of a line of words; 0 where there is none."""
        (video,) = self._db.execute("SELECT coalesce(max(id), 0) FROM videos").fetchone()
        (line,) = self._db.execute("SELECT coalesce(max(id), 0) FROM evidence").fetchone()
        return int(video), int(line)

    def contents_key(self, video_id: int) -> bytes:
        """The key of a video's contents, which it was put with."""
        row = self._db.execute("SELECT content_hash FROM videos WHERE id=?", (video_id,)).fetchone()
        if row is None:
            raise LibraryError(f"there is no video {video_id} in {self.path}")
        return self._columns(f"video {video_id}").bytes("content_hash", row[0])

    def put_saved(self, row: SavedRow) -> int:
        """Insert a search, whatever number it has; gives its own."""
        for statement in statements(SAVED):
            self._db.execute(statement)
        values = (row.name, row.query, row.deeds, row.seal, row.since_video, row.video, row.line)
        put = self._db.execute(f"INSERT INTO saved ({_SAVED}) VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        assert put.lastrowid is not None
        return put.lastrowid

    def drop_saved(self, name: str) -> bool:
        """Forget a search and what it told; gives whether there was one."""
        if not self._has_now("saved"):
            return False
        return self._db.execute("DELETE FROM saved WHERE name=?", (name,)).rowcount > 0

    def note_searched(self, search: int, videos: Iterable[int], video: int, line: int) -> None:
        """Note what a search was held against, these videos among that."""
        self._db.execute(
            "UPDATE saved SET video=max(video, ?), line=max(line, ?) WHERE id=?",
            (video, line, search),
        )
        self._db.executemany(
            "DELETE FROM saved_due WHERE search=? AND video_id=?", ((search, v) for v in videos)
        )

    def note_due(self, search: int, videos: Iterable[int]) -> None:
        """Note that videos are new to a search, whatever their ids."""
        self._db.executemany(
            "INSERT OR IGNORE INTO saved_due VALUES (?, ?)", ((search, v) for v in videos)
        )

    def put_claim(self, claim: Claim) -> bool:
        """Insert a moment; gives False, and leaves all as it is, where it is one that there is."""
        known = self._claims("search=? AND contents=?", claim.search, claim.contents)
        if any(claim.is_same(each) for each in known):
            return False
        self._db.execute(
            f"INSERT INTO told ({_CLAIM}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                claim.id,
                claim.search,
                claim.contents,
                claim.start_seconds,
                claim.end_seconds,
                claim.moment,
                " ".join(claim.done),
                int(claim.is_told),
            ),
        )
        return True

    def note_done(self, claim: Claim) -> None:
        """Note what has been done of a claim, and whether that is all."""
        self._db.execute(
            "UPDATE told SET done=?, is_told=? WHERE id=?",
            (" ".join(claim.done), int(claim.is_told), claim.id),
        )
