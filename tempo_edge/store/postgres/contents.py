"""What a library knows of the bytes of its videos' files: size and digests, as far as they go."""

from __future__ import annotations

from tempo_edge.store.postgres.database import Database
from tempo_edge.store.rows import Contents

__all__ = ["ContentsTable"]

_CONTENTS = "video_id, size, sample, packets, whole"


class ContentsTable(Database):
    """The rows of ``contents``; what a public method does, its interface says."""

    def contents(self, video_id: int) -> Contents:
        """What is known of the bytes of a video's files; nothing of a video that is not there."""
        row = self._one(f"SELECT {_CONTENTS} FROM contents WHERE video_id=%s", (video_id,))
        return Contents() if row is None else Contents(*row[1:])

    def note_contents(self, video_id: int, contents: Contents) -> None:
        """Add what is known by now of the bytes of a video's files; what was known stays."""
        with self._writing():
            self._run(
                f"INSERT INTO contents AS old ({_CONTENTS}) VALUES (%s, %s, %s, %s, %s) "
                "ON CONFLICT (video_id) DO UPDATE SET size=coalesce(old.size, excluded.size), "
                "sample=coalesce(old.sample, excluded.sample), "
                "packets=coalesce(old.packets, excluded.packets), "
                "whole=coalesce(old.whole, excluded.whole)",
                (video_id, contents.size, contents.sample, contents.packets, contents.whole),
            )

    def videos_of_sample(self, sample: bytes) -> list[tuple[int, Contents]]:
        """(id, what is known of its bytes) of the videos with a sample, in the order of ids."""
        rows = self._run(
            f"SELECT {_CONTENTS} FROM contents WHERE sample=%s ORDER BY video_id", (sample,)
        )
        return [(int(row[0]), Contents(*row[1:])) for row in rows]

    def lacks_samples(self, size: int) -> bool:
        """Whether there may be videos in files of this size whose sample is not known."""
        row = self._one(
            "SELECT EXISTS (SELECT 1 FROM contents WHERE sample IS NULL AND size=%s) "
            "OR EXISTS (SELECT 1 FROM contents WHERE sample IS NULL AND size IS NULL)",
            (size,),
        )
        return bool(row[0])

    def note_verified(self, path: str, run: int) -> None:
        """Note that all bytes of a file were found to be its video's, until it is put again."""
        with self._writing():
            self._run(
                "INSERT INTO verified VALUES (%s, %s) "
                "ON CONFLICT (path) DO UPDATE SET run=excluded.run",
                (path, run),
            )

    def verified(self, path: str) -> int | None:
        """The run that was noted last for a file, or None."""
        row = self._one("SELECT run FROM verified WHERE path=%s", (path,))
        return None if row is None else int(row[0])
