"""Captures of files on their way into a library: of new files, and of those left alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from tempo_edge._files.beside import Folder
from tempo_edge.capture.facts import Capture
from tempo_edge.capture.places import PlaceTable
from tempo_edge.capture.reading import capture_mark, read_capture
from tempo_edge.capture.sidecars import CaptureSidecar, CaptureSidecars
from tempo_edge.errors import RefusedRowError
from tempo_edge.indexing.desk import Desk
from tempo_edge.indexing.journal import Journal
from tempo_edge.indexing.survey import KnownRows, Survey
from tempo_edge.indexing.walk import FoundFile
from tempo_edge.store.interface import WritableCatalogue
from tempo_edge.store.rows import FileRow

__all__ = ["CaptureRead", "CaptureReader"]


@dataclass(frozen=True)
class CaptureRead:
    """A capture, and the mark that tells what was read of it."""

    capture: Capture
    mark: str


class CaptureReader:
    """Reads the captures of the files of one library: when, where and by what they were taken.

    Args:
        catalogue: opened for writing.
        journal: told of a file that is opened, in case the process dies of it.
        desk: that of the thread that writes; files are read by others.
        folder: lists what lies beside files.
    """

    def __init__(
        self, catalogue: WritableCatalogue, journal: Journal, desk: Desk, folder: Folder
    ) -> None:
        self._catalogue = catalogue
        self._journal = journal
        self._desk = desk
        self._finder = CaptureSidecars(folder)
        self._survey = Survey()
        self._keeps_all = False
        self._has_places = PlaceTable.installed()

    def begin(self, survey: Survey, *, verify: bool = False) -> None:
        """Begin a run: note in its survey what lies beside files, and read that later.

        Args:
            verify: any file may turn out to have changed once all was looked at.
        """
        self._survey = survey
        self._keeps_all = verify

    def look(self, found: FoundFile, row: FileRow | None, known: KnownRows) -> None:
        """Look what lies beside a file, and whether its capture is to be read.

        Args:
            found: a file that the walk has come to.
            row: what the library knows of it, if the file is as it was; None for a new one.
            known: where that was taken from.
        """
        if found.problem or (row is not None and row.video_id is None):
            return
        sidecars = self._finder.of(found.path)
        is_due = row is None or known.capture_mark(found.path) != self._mark(sidecars)
        if is_due and row is not None:
            self._survey.untold[found.path] = found
        if sidecars and (is_due or self._keeps_all):
            self._survey.beside[found.path] = sidecars

    def _mark(self, sidecars: Sequence[CaptureSidecar]) -> str:
        return capture_mark(sidecars, self._has_places)

    # -- on the threads that read ------------------------------------------------------------------

    def of(self, found: FoundFile) -> CaptureRead:
        """The capture of a file. One that a run died at is not opened for it."""
        opens = not self._journal.suspects(found)
        if opens:
            self._desk.ask(partial(self._journal.begin, found))
        sidecars = self._survey.beside.get(found.path, ())
        places = PlaceTable.shipped if self._has_places else None
        what = found.path, found.mtime_ns, sidecars, places
        try:
            capture = read_capture(*what, opens=opens)
        except Exception:  # demuxers of damaged files fail in ways nobody foresaw
            capture = read_capture(*what, opens=False)
        return CaptureRead(capture, self._mark(sidecars))

    # -- on the thread that writes -----------------------------------------------------------------

    def put(self, found: FoundFile, read: CaptureRead | None) -> None:
        """Store what was read of a file, within the transaction that stores the file."""
        if read is not None:
            self._catalogue.note_capture(found.path, read.mark, read.capture)

    def run(self) -> Iterator[tuple[FoundFile, int, int]]:
        """Read the captures of files that are as they were: no picture of them is decoded.

        Yields:
            (a file whose capture was stored, which of them this is, from 1, how many there are).

        Raises:
            LibraryError: the library can't be written.
        """
        work = self._survey.untold
        try:
            for position, found in enumerate(work.values(), start=1):
                self._desk.checkpoint()
                read = self.of(found)
                try:
                    with self._catalogue.transaction():
                        self._journal.settle(found.path)
                        self.put(found, read)
                except RefusedRowError:
                    continue  # a fault of one file ends no run
                yield found, position, len(work)
        finally:
            self._journal.end_all()
