"""Which video of a library a file holds, told by as few of its bytes as will do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from tempo_edge.indexing.desk import Desk
from tempo_edge.indexing.digests import SAMPLE_BYTES, FileDigests
from tempo_edge.indexing.journal import Journal
from tempo_edge.indexing.problems import unread
from tempo_edge.indexing.walk import FoundFile
from tempo_edge.media import DAMAGED
from tempo_edge.media.packet_digest import packet_digest
from tempo_edge.store.interface import WritableCatalogue
from tempo_edge.store.rows import Contents

__all__ = ["Recognizer"]


class Recognizer:
    """Recognizes the videos of one library.

    A file's sample is read first. Most files are new, and no video has that sample: that is all.
    Where one has, the packet tables of both are compared: not before, because it takes the opening
    of the file, and what has no table, or one that can't be read today, is known by its sample
    still. What a damaged file lacks may be there in one that is alike in all of this, so such a
    file is read whole, and so is the other before it is taken for a copy. Videos of libraries that
    were written before there were samples are known by the digest of the whole: a file that may be
    one of these by its size is read whole, once.

    Args:
        catalogue: what is known already.
        digests: makes those of files.
        journal: told of a file whose container is opened, in case the process dies of it.
        desk: that of the thread that writes; files are recognized by others.
        packet_digest: that of the packet table of a container's index, or None.
    """

    def __init__(
        self,
        catalogue: WritableCatalogue,
        digests: FileDigests,
        journal: Journal,
        desk: Desk,
        packet_digest: Callable[[Path], bytes | None] = packet_digest,
    ) -> None:
        self._catalogue = catalogue
        self._digests = digests
        self._journal = journal
        self._desk = desk
        self._packet_digest = packet_digest
        self._wholes: dict[str, bytes] = {}

    def tell_whole(self, path: str, whole: bytes) -> None:
        """Learn the digest of all of a file before it is to be recognized."""
        self._wholes[path] = whole

    def recognize(self, found: FoundFile) -> tuple[Contents, int | None]:
        """(what was learned of a file's contents, the video that has them or None).

        Raises:
            PassingError: the file can't be read, or is not as it was found.
        """
        whole = self._wholes.pop(found.path, None)
        contents = Contents(found.size, self._digests.sample(found), None, whole)
        alike = self._desk.ask(partial(self._catalogue.videos_of_sample, contents.sample or b""))
        if not alike:
            return self._as_before(found, contents)
        if any(known.packets for _, known in alike):
            contents = replace(contents, packets=self.packets(found))
        alike = [(video, known) for video, known in alike if known.may_be(contents)]
        if contents.whole is None and (
            len(alike) > 1 or any(self._is_damaged(*each) for each in alike)
        ):
            contents = replace(contents, whole=self._digests.whole(found))
            alike = [(video, known) for video, known in alike if known.may_be(contents)]
        # What is known to be the same comes before what may be.
        alike.sort(key=lambda each: each[1].whole != contents.whole)
        return contents, alike[0][0] if alike else None

    def contents_read(
        self, found: FoundFile, contents: Contents, remarks: Iterable[str]
    ) -> Contents:
        """What is known of a file's contents once it was read, and these remarks were made on it.

        Raises:
            PassingError: the file can't be read, or is not as it was found.
        """
        if contents.packets is None:  # else they were compared already
            contents = replace(contents, packets=self.packets(found))
        if contents.whole is None and any(each.startswith(DAMAGED) for each in remarks):
            contents = replace(contents, whole=self._digests.whole(found))
        return contents

    def _is_damaged(self, video: int, known: Contents) -> bool:
        """Whether a video is of a damaged file of which all bytes are known."""
        if known.whole is None:
            return False
        return DAMAGED in self._desk.ask(partial(self._catalogue.remark, video))

    def packets(self, found: FoundFile) -> bytes | None:
        """The digest of a file's packet table.

        None where it has none, where all of it is in its sample, and where a run died at it: it
        is not opened in this process again.

        Raises:
            PassingError: the disk fails.
        """
        if found.size <= SAMPLE_BYTES or self._journal.suspects(found):
            return None
        try:
            self._desk.ask(partial(self._journal.begin, found))
            return self._packet_digest(Path(found.path))
        except OSError as error:
            raise unread(error) from error

    def _as_before(self, found: FoundFile, contents: Contents) -> tuple[Contents, int | None]:
        """Recognize what was indexed before there were samples."""
        if not self._desk.ask(partial(self._catalogue.lacks_samples, found.size)):
            return contents, None
        whole = contents.whole or self._digests.whole(found)
        video_id = self._desk.ask(partial(self._catalogue.video_by_hash, whole))
        contents = replace(contents, whole=whole)
        if video_id is not None:
            contents = replace(contents, packets=self.packets(found))
        return contents, video_id
