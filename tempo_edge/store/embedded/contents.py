"""What a library knows of the bytes of its videos' files: size and digests, as far as they go."""

from __future__ import annotations

from typing import Any

from tempo_edge.store.embedded.columns import Columns
from tempo_edge.store.embedded.kept import KeptAnswers
from tempo_edge.store.rows import Contents

__all__ = ["ContentsTable"]

_CONTENTS = "video_id, size, sample, packets, whole"


class ContentsTable(KeptAnswers):
    """The rows of ``contents``; what a public method does, its interface says.

    Libraries of before have none, and whoever reads one of these finds nothing known.
    """

    def _columns(self, row: str) -> Columns:
        return Columns(self.path, row)

    def contents(self, video_id: int) -> Contents:
        """What is known of the bytes of a video's files; nothing of a video that is not there."""
        if not self._has("contents"):
            return Contents()
        row = self._db.execute(
            f"SELECT {_CONTENTS} FROM contents WHERE video_id=?", (video_id,)
        ).fetchone()
        return Contents() if row is None else self._contents(*row)

    def note_contents(self, video_id: int, contents: Contents) -> None:
        """Add what is known by now of the bytes of a video's files; what was known stays."""
        self._db.execute(
            f"INSERT INTO contents ({_CONTENTS}) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (video_id) DO UPDATE SET size=coalesce(size, excluded.size), "
            "sample=coalesce(sample, excluded.sample), "
            "packets=coalesce(packets, excluded.packets), whole=coalesce(whole, excluded.whole)",
            (video_id, contents.size, contents.sample, contents.packets, contents.whole),
        )

    def videos_of_sample(self, sample: bytes) -> list[tuple[int, Contents]]:
        """(id, what is known of its bytes) of the videos with a sample, in the order of ids."""
        # Others' programs remove videos without what refers to them.
        rows = self._db.execute(
            f"SELECT {_CONTENTS} FROM contents WHERE sample=? "
            "AND EXISTS (SELECT 1 FROM videos WHERE id=video_id) ORDER BY video_id",
            (sample,),
        )
        return [(int(row[0]), self._contents(*row)) for row in rows]

    def lacks_samples(self, size: int) -> bool:
        """Whether there may be videos in files of this size whose sample is not known."""
        (found,) = self._db.execute(
            "SELECT EXISTS (SELECT 1 FROM contents WHERE sample IS NULL AND size=?) "
            "OR EXISTS (SELECT 1 FROM contents WHERE sample IS NULL AND size IS NULL)",
            (size,),
        ).fetchone()
        return bool(found)

    def note_verified(self, path: str, run: int) -> None:
        """Note that all bytes of a file were found to be its video's, until it is put again."""
        self._db.execute("INSERT OR REPLACE INTO verified VALUES (?, ?)", (path, run))

    def verified(self, path: str) -> int | None:
        """The run that was noted last for a file, or None."""
        row = self._db.execute("SELECT run FROM verified WHERE path=?", (path,)).fetchone()
        if row is None:
            return None
        return self._columns(f"the verification of {path!r}").whole("run", row[0], high=2**63 - 1)

    def _contents(self, video_id: int, size: Any, *digests: Any) -> Contents:
        read = self._columns(f"the contents of video {video_id}")
        names = ("sample", "packets", "whole")
        return Contents(
            None if size is None else read.whole("size", size, high=2**63 - 1),
            *(
                None if digest is None else read.bytes(name, digest)
                for name, digest in zip(names, digests, strict=True)
            ),
        )
