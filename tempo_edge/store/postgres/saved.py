"""Saved searches and what they have told: rows of ``saved``, ``saved_due`` and ``told``."""

from __future__ import annotations

from collections.abc import Iterable

from tempo_edge.errors import LibraryError
from tempo_edge.store.postgres.database import Database
from tempo_edge.store.saved import Claim, SavedRow

__all__ = ["SavedTable"]

_SAVED = "name, query, deeds, seal, since_video, video, line"
_CLAIM = "id, search, contents, start_seconds, end_seconds, moment, done, is_told"


class SavedTable(Database):
    """The rows of saved searches; what a public method does, its interface says."""

    def saved(self) -> list[SavedRow]:
        """The saved searches, by name."""
        return [
            SavedRow(*row) for row in self._run(f"SELECT id, {_SAVED} FROM saved ORDER BY name")
        ]

    def claims(self, search: int, *, untold: bool = False) -> list[Claim]:
        """What a search tells and has told, in the order in which it came; or what is not told."""
        return self._claims("search=%s AND (%s OR NOT is_told)", search, not untold)

    def _claims(self, condition: str, *values: object) -> list[Claim]:
        rows = self._run(f"SELECT {_CLAIM} FROM told WHERE {condition} ORDER BY number", values)
        return [
            Claim(name, search, contents, start, end, moment, tuple(done.split()), is_told)
            for name, search, contents, start, end, moment, done, is_told in rows
        ]

    def videos_due(self, search: SavedRow) -> list[int]:
        """Ids of the videos that are new to a search, or have new lines of words; sorted."""
        rows = self._run(
            "SELECT id FROM videos WHERE id IN ("
            "SELECT id FROM videos WHERE id>%s "
            "UNION SELECT video_id FROM evidence WHERE evidence.id>%s AND video_id>%s "
            "UNION SELECT video_id FROM saved_due WHERE search=%s) "
            "AND EXISTS (SELECT 1 FROM files WHERE files.video_id=videos.id) ORDER BY id",
            (search.video, search.line, search.since_video, search.number),
        )
        return [int(video) for (video,) in rows]

    def newest(self) -> tuple[int, int]:
        """The highest ids of a video and of a line of words; 0 where there is none."""
        video, line = self._one(
            "SELECT (SELECT coalesce(max(id), 0) FROM videos), "
            "(SELECT coalesce(max(id), 0) FROM evidence)"
        )
        return int(video), int(line)

    def contents_key(self, video_id: int) -> bytes:
        """The key of a video's contents, which it was put with."""
        row = self._one("SELECT content_hash FROM videos WHERE id=%s", (video_id,))
        if row is None:
            raise LibraryError(f"there is no video {video_id} in {self.name}")
        return bytes(row[0])

    def put_saved(self, row: SavedRow) -> int:
        """Insert a search, whatever number it has; gives its own."""
        values = (row.name, row.query, row.deeds, row.seal, row.since_video, row.video, row.line)
        with self._writing():
            (number,) = self._one(
                f"INSERT INTO saved ({_SAVED}) VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id",
                values,
            )
        return int(number)

    def drop_saved(self, name: str) -> bool:
        """Forget a search and what it told; gives whether there was one."""
        with self._writing():
            return self._run("DELETE FROM saved WHERE name=%s", (name,)).rowcount > 0

    def note_searched(self, search: int, videos: Iterable[int], video: int, line: int) -> None:
        """Note what a search was held against, these videos among that."""
        with self._writing():
            self._run(
                "UPDATE saved SET video=greatest(video, %s), line=greatest(line, %s) WHERE id=%s",
                (video, line, search),
            )
            self._run(
                "DELETE FROM saved_due WHERE search=%s AND video_id=ANY(%s::bigint[])",
                (search, list(videos)),
            )

    def note_due(self, search: int, videos: Iterable[int]) -> None:
        """Note that videos are new to a search, whatever their ids."""
        with self._writing():
            self._run(
                "INSERT INTO saved_due SELECT %s, unnest(%s::bigint[]) ON CONFLICT DO NOTHING",
                (search, list(videos)),
            )

    def put_claim(self, claim: Claim) -> bool:
        """Insert a moment; gives False, and leaves all as it is, where it is one that there is."""
        with self._writing():
            known = self._claims("search=%s AND contents=%s", claim.search, claim.contents)
            if any(claim.is_same(each) for each in known):
                return False
            self._run(
                f"INSERT INTO told ({_CLAIM}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    claim.id,
                    claim.search,
                    claim.contents,
                    claim.start_seconds,
                    claim.end_seconds,
                    claim.moment,
                    " ".join(claim.done),
                    claim.is_told,
                ),
            )
        return True

    def note_done(self, claim: Claim) -> None:
        """Note what has been done of a claim, and whether that is all."""
        with self._writing():
            self._run(
                "UPDATE told SET done=%s, is_told=%s WHERE id=%s",
                (" ".join(claim.done), claim.is_told, claim.id),
            )
