"""Whole files held against what a library knows of their bytes.

A file is known by its size, its time and a sample of it. Nothing of that tells of a bit that a disk
got wrong, or of a program that writes into a file and sets its time back: to find these out, all of
it must be read.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from tempo_edge._files.absolute import encodable
from tempo_edge._files.spelling import spelled
from tempo_edge.indexing.digests import FileDigests
from tempo_edge.indexing.journal import Journal
from tempo_edge.indexing.problems import PassingError
from tempo_edge.indexing.recognition import Recognizer
from tempo_edge.indexing.remarks import remarks_of
from tempo_edge.indexing.survey import is_same
from tempo_edge.indexing.walk import FoundFile, examine
from tempo_edge.store.interface import WritableCatalogue
from tempo_edge.store.rows import Contents, FileRow

__all__ = ["FIRST_READ", "Told", "Verification", "Verified"]

# The run that is noted for the file that a video was read from: of copies by their samples, it
# alone is known to hold what the rows say.
FIRST_READ = 0

# The key, among a library's stored facts, of the verification that was not ended.
_UNDER_WAY = "verification under way"

# One that was not ended goes on where it was for this long; what was read before that is read anew.
_LASTS_NS = 30 * 24 * 3600 * 10**9

# Between two words on how far a file was read.
_TOLD_BYTES = 32 << 20

_CHANGED = "its contents changed, and neither its size nor its time did: it is read again"


class Told(Protocol):
    """Told of what is done with a file."""

    def __call__(
        self,
        kind: str,
        path: str,
        reason: str = "",
        *,
        done_bytes: int = 0,
        total_bytes: int = 0,
        position: int = 0,
        files: int = 0,
    ) -> None: ...


@dataclass
class Verified:
    """The outcome of a run.

    Attributes:
        verified: how many files are what they were when they were read.
        changed: files that are not, which are to be read again.
        unread: how many could not be read.
    """

    verified: int = 0
    changed: list[FoundFile] = field(default_factory=list)
    unread: int = 0


class Verification:
    """Verifies the files of one library.

    A run that was not ended goes on where it was, if it is started for the same paths again.

    Args:
        catalogue: opened for writing.
        digests: makes those of files.
        recognizer: told of the digest of a file that is to be read again.
        journal: told of a file that is demuxed, in case the process dies of it.
        tell: told of each file; kinds are ``"verifying"``, ``"verified"``, ``"changed"`` and
            ``"skipped"``.
        check_stop: called often; raises whatever is to end the run.
        remarks_of: the remarks on a film whose packets are all read.
    """

    def __init__(
        self,
        catalogue: WritableCatalogue,
        digests: FileDigests,
        recognizer: Recognizer,
        journal: Journal,
        tell: Told,
        check_stop: Callable[[], None],
        remarks_of: Callable[[Path], tuple[str, ...]] = remarks_of,
    ) -> None:
        self._catalogue = catalogue
        self._digests = digests
        self._recognizer = recognizer
        self._journal = journal
        self._remarks_of = remarks_of
        self._tell = tell
        self._check_stop = check_stop

    def run(self, roots: Iterable[Path], outcome: Verified) -> None:
        """Read every file at or under some paths that the library holds a video of.

        A file that is not as it was left, by its size and its time, is none of this run's, nor is
        one that is not there.

        Args:
            roots: files and folders.
            outcome: added to, file by file, in case the run is ended.

        Raises:
            LibraryError: the library can't be written.
        """
        places = [encodable(spelled(root)) for root in roots]
        run = self._begin(places)
        work = list(dict.fromkeys(self._from_the_first(self._unread(places, run))))
        for position, path in enumerate(work, start=1):
            self._check_stop()
            found, row = examine(path), self._catalogue.file(path)
            if row is not None and not found.problem and is_same(found, row):
                self._verify(found, row, run, outcome, (position, len(work)))
        with self._catalogue.transaction():
            self._catalogue.drop_meta(_UNDER_WAY)

    def _begin(self, places: list[str]) -> int:
        """The number of the run: that of the one for these paths that was not ended, or a new."""
        now = time.time_ns()
        try:
            before = json.loads(self._catalogue.get_meta(_UNDER_WAY) or "{}")
            if before["roots"] == places and 0 <= now - before["run"] < _LASTS_NS:
                return int(before["run"])
        except (TypeError, ValueError, KeyError):
            pass  # there is none, or none that can be read
        with self._catalogue.transaction():
            self._catalogue.set_meta(_UNDER_WAY, json.dumps({"roots": places, "run": now}))
        return now

    def _unread(self, places: list[str], run: int) -> Iterator[str]:
        """The paths of the files with a video that this run has not come to yet."""
        for place in places:
            for row in self._catalogue.each_file(Path(place)):
                if row.video_id is not None and self._catalogue.verified(row.path) != run:
                    yield row.path

    def _from_the_first(self, paths: Iterable[str]) -> Iterator[str]:
        """The paths, each after that of the file that its video was read from.

        Whichever comes first teaches the digest that the others are held against. A file that lies
        elsewhere than what is asked for is read for that, too.
        """
        for path in paths:
            row = self._catalogue.file(path)
            video = None if row is None else row.video_id
            if video is not None and self._catalogue.contents(video).whole is None:
                for copy in self._catalogue.files_of(video):
                    if self._catalogue.verified(copy.path) == FIRST_READ:
                        yield copy.path
            yield path

    def _verify(
        self, found: FoundFile, row: FileRow, run: int, outcome: Verified, place: tuple[int, int]
    ) -> None:
        position, files = place
        told = 0

        def progress(done: int) -> None:
            nonlocal told
            if done - told >= _TOLD_BYTES:
                told = done
                tell("verifying", done)

        def tell(kind: str, done: int, reason: str = "") -> None:
            self._tell(
                kind,
                found.path,
                reason,
                done_bytes=done,
                total_bytes=found.size,
                position=position,
                files=files,
            )

        tell("verifying", 0)
        assert row.video_id is not None
        known = self._catalogue.contents(row.video_id)
        try:
            seen = self._read(found, known, progress)
        except PassingError as error:
            outcome.unread += 1
            tell("skipped", 0, str(error))
            return
        if _is_known(known, seen):
            # Bytes that were held against a digest of before were demuxed as a whole before.
            more = () if known.whole is not None else self._unsaid(found, row)
            with self._catalogue.transaction():
                self._remark(row.video_id, more)
                self._catalogue.note_contents(row.video_id, seen)
                self._catalogue.note_verified(found.path, run)
            outcome.verified += 1
            tell("verified", found.size, "; ".join(more))
            return
        assert seen.whole is not None
        self._recognizer.tell_whole(found.path, seen.whole)
        outcome.changed.append(found)
        tell("changed", found.size, self._what_changed(row, known, seen))

    def _read(
        self, found: FoundFile, known: Contents, on_progress: Callable[[int], None]
    ) -> Contents:
        """All that can be known of a file's contents.

        Raises:
            PassingError: the file can't be read, or is not as it was found.
        """
        whole = self._digests.whole(found, on_progress)
        seen = Contents(found.size, self._digests.sample(found), None, whole)
        if known.whole is not None and known.packets is not None:
            return seen  # nothing is to be compared, nothing to be learned
        if self._journal.suspects(found):
            return seen
        with self._journal.under_way(found):
            return replace(seen, packets=self._recognizer.packets(found))

    def _unsaid(self, found: FoundFile, row: FileRow) -> tuple[str, ...]:
        """The remarks that all packets of a file give, and that were not made on it before."""
        if self._journal.suspects(found):
            return ()
        with self._journal.under_way(found):
            remarks = self._remarks_of(Path(found.path))
        return tuple(remark for remark in remarks if remark not in row.reason)

    def _remark(self, video_id: int, more: tuple[str, ...]) -> None:
        """Add remarks to those on a video, and to those on its files."""
        if not more:
            return
        before = self._catalogue.remark(video_id)
        self._catalogue.note_remark(video_id, "; ".join([before, *more] if before else more))
        for row in self._catalogue.files_of(video_id):
            remark = "; ".join([row.reason, *more] if row.reason else more)
            self._catalogue.put_file(replace(row, reason=remark))

    def _what_changed(self, row: FileRow, known: Contents, seen: Contents) -> str:
        """The words for a file whose contents are not those of its video."""
        assert row.video_id is not None
        copies = [each.path for each in self._catalogue.files_of(row.video_id)]
        copies.remove(row.path)
        is_alike = replace(known, whole=None).may_be(seen)
        if copies and is_alike and not self._catalogue.verified(row.path):
            return (
                f"agrees with {copies[0]} in its size and in the sample of its bytes, and differs "
                "in the rest: it is read as another video"
            )
        return _CHANGED


def _is_known(known: Contents, seen: Contents) -> bool:
    """Whether contents are those that are known; once the whole is known, nothing else counts."""
    return known.whole == seen.whole if known.whole is not None else known.may_be(seen)
