"""Bring a library up to date with the files under some paths."""

# Strings and `os` instead of `Path`: a walk touches every file, and this is several times as fast.

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from tempo_edge._files.absolute import absolute, encodable, recorded
from tempo_edge._files.beside import Folder
from tempo_edge._files.spelling import beginning, spelled
from tempo_edge.errors import MediaError, RefusedRowError, TempoEdgeError
from tempo_edge.indexing.absent_volumes import absent_volumes, offline
from tempo_edge.indexing.captures import CaptureReader
from tempo_edge.indexing.desk import Desk, Stopped
from tempo_edge.indexing.digests import FileDigests, key_of
from tempo_edge.indexing.exclusion import NOTHING, Exclusion
from tempo_edge.indexing.journal import Journal
from tempo_edge.indexing.later_pass import LaterPass, StepReader
from tempo_edge.indexing.medium import Media
from tempo_edge.indexing.presence import Presence
from tempo_edge.indexing.problems import PassingError
from tempo_edge.indexing.reading import CopiesUnderWay, FileRead, FileReader, VideoReader
from tempo_edge.indexing.reading_ahead import Place, ReadingAhead
from tempo_edge.indexing.recognition import Recognizer
from tempo_edge.indexing.report import IndexEvent, IndexReport
from tempo_edge.indexing.selection import Selection
from tempo_edge.indexing.survey import KnownRows, Survey, is_same, named_before
from tempo_edge.indexing.verification import FIRST_READ, Verification, Verified
from tempo_edge.indexing.walk import FoundFile, find_footage
from tempo_edge.indexing.words import WordReader
from tempo_edge.store.interface import WritableCatalogue
from tempo_edge.store.rows import FileRow
from tempo_edge.volumes.mounts import FolderVolumes

__all__ = ["Indexer"]

# The time of change of a file that is to be looked at again however it looks.
_AGAIN = -1


class Indexer:
    """Writes one library. The caller holds its lock.

    Args:
        catalogue: opened for writing.
        reader: turns a file into frames.
        confined: does the same for a file that an earlier run died at, without dying of it too.
        on_event: told of every file that is not left alone, and of progress inside long ones.
        stopping: asked often; once it says True the run ends, and only whole files are kept.
        at_once: how many files may be under way.
        words: whether the words of files are read; otherwise what is known of them stays.
        later: what reads further words behind everything else; see :meth:`read_later`.
        journal: knows the files that a run died at; by default a run's that writes alone.
    """

    def __init__(
        self,
        catalogue: WritableCatalogue,
        reader: VideoReader,
        confined: VideoReader,
        on_event: Callable[[IndexEvent], None] | None = None,
        stopping: Callable[[], bool] = lambda: False,
        at_once: int = 4,
        *,
        words: bool = False,
        later: Sequence[StepReader] = (),
        journal: Journal | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._at_once = at_once
        self._on_event = on_event or (lambda event: None)
        self._stopping = stopping
        self._volumes = FolderVolumes()
        self._pruned = False
        self._journal = journal or Journal(catalogue)
        self._desk = Desk(self._check_stop)
        digests = FileDigests(self._desk.checkpoint)
        recognizer = Recognizer(catalogue, digests, self._journal, self._desk)
        self._copies, self._folder, self._media = CopiesUnderWay(), Folder(), Media()
        how = catalogue, self._journal, self._desk, self._folder
        self._words = WordReader(*how, wanted=words)
        self._captures = CaptureReader(*how)
        readers = reader, confined, self._journal, self._words, self._captures
        self._files = FileReader(recognizer, self._copies, *readers)
        self._verification = Verification(
            catalogue, digests, recognizer, self._journal, self._tell, self._check_stop
        )
        self._later = [
            LaterPass(catalogue, each, self._on_event, self._check_stop) for each in later
        ]

    def index(
        self,
        roots: Iterable[Path],
        *,
        exclusion: Exclusion = NOTHING,
        postpone: Callable[[FoundFile], bool] = lambda found: False,
        prune: bool = True,
        verify: bool = False,
    ) -> IndexReport:
        """Index everything new or changed at or under ``roots`` and forget what is gone.

        Args:
            roots: files and folders; one that is gone is forgotten with everything under it.
            exclusion: what under them to leave out, and to forget if it is known.
            postpone: asked of each new or changed file; True leaves it for another run.
            prune: call :meth:`prune` at the end, unless nothing has changed.
            verify: read whole files afterwards, and again what changed unnoticed.

        Raises:
            LibraryError: the library can't be written.
        """
        report = IndexReport()
        began = time.perf_counter()
        places = [absolute(root) for root in roots]
        survey = Survey.of([encodable(spelled(root)) for root in places])
        self._folder.forget()
        self._words.begin(survey, verify=verify)
        self._captures.begin(survey, verify=verify)
        self._volumes.forget()  # something may have been mounted since
        self._catalogue.find_volumes()
        for event, files in absent_volumes(self._catalogue, places):
            self._on_event(event)
            report.offline += files
        self._media = Media()
        try:
            for root in places:
                selection = Selection(spelled(root), exclusion)
                self._survey(root, selection, survey, report, postpone)
                report.excluded += selection.excluded
            # Last of all, those that a run died at.
            work = sorted(survey.work.values(), key=self._journal.suspects)
            self._read(work, survey, report)
            # Last, so that a file which was moved has met the frames of its old name by now.
            self._missing(survey.gone(), report)
            if verify:
                self._verify(places, survey, report)
            if survey.wordless:
                self._read_words(report)
            self._read_captures(report)
            if survey.work or report.dropped or report.changed:
                self._pruned = False
            if prune:
                self.prune()
        except Stopped:
            report.stopped = True
        report.elapsed_seconds = time.perf_counter() - began
        return report

    def read_later(
        self,
        roots: Iterable[Path],
        report: IndexReport,
        goes_on: Callable[[], bool] = lambda: True,
    ) -> None:
        """Read what takes long, of files that are in the library by now.

        Args:
            roots: files and folders.
            report: what was indexed at and under them; what is read now is added.
            goes_on: asked often; False leaves the rest for the next time, which begins there.

        Raises:
            LibraryError: the library can't be written.
        """
        places = [recorded(root) for root in roots]
        try:
            for each in () if report.stopped else self._later:
                finished = each.run(places, goes_on)
                report.later[each.done] = report.later.get(each.done, 0) + finished
        except Stopped:
            report.stopped = True

    def prune(self) -> None:
        """Drop the frames of contents that no file has any more, also those a killed run left.

        Searches don't see them. They cost room, and save decoding a file that comes back elsewhere.
        """
        if not self._pruned:
            with self._catalogue.transaction():
                self._catalogue.prune()
            self._pruned = True

    def _check_stop(self) -> None:
        if self._stopping():
            raise Stopped

    def _survey(
        self,
        root: Path,
        selection: Selection,
        survey: Survey,
        report: IndexReport,
        postpone: Callable[[FoundFile], bool],
    ) -> None:
        """Compare the files under a root with what the library knows of them."""
        known = KnownRows(self._catalogue, encodable(spelled(root)), marked=self._words.wanted)
        moved: list[FileRow] = []
        folder: str | None = None
        volume = ""
        for found in chain(find_footage(root, selection), named_before(known, selection)):
            self._check_stop()
            if not survey.is_new(found.path):
                continue
            if found.folder:
                survey.hidden.append(beginning(found.path))
            row = known.take(found.path)
            if row is None or not is_same(found, row):
                if not postpone(found):
                    survey.work[found.path] = found
                    self._words.look(found, None, known)
                    self._captures.look(found, None, known)
                    if row is not None:
                        survey.known[found.path] = row
                continue
            report.unchanged += 1
            report.skipped_before += row.state == "skipped"
            self._words.look(found, row, known)
            self._captures.look(found, row, known)
            if known.folder != folder:
                folder, volume = known.folder, self._volumes.of(found.path)
            if volume != row.volume:
                moved.append(replace(row, volume=volume))
        survey.unmet.update(known.rest())
        if moved:
            with self._catalogue.transaction():
                for row in moved:
                    self._catalogue.put_file(row)

    def _missing(self, gone: list[FileRow], report: IndexReport) -> None:
        """Forget files that are gone, unless the volume that held them is gone too."""
        drop: list[str] = []
        kept: dict[str, int] = {}
        presence = Presence()
        for row in gone:
            if presence.is_mounted(row.volume):
                drop.append(row.path)
            else:
                kept[row.volume] = kept.get(row.volume, 0) + 1
        if drop:
            with self._catalogue.transaction():
                self._catalogue.drop_files(drop)
        for path in drop:
            self._on_event(IndexEvent("dropped", path))
        for volume, count in kept.items():
            self._on_event(offline(volume.partition(":")[2], "its volume is not there", count))
        report.dropped += len(drop)
        report.offline += sum(kept.values())

    def _verify(self, places: list[Path], survey: Survey, report: IndexReport) -> None:
        """Read whole files; what changed unnoticed is read again."""
        outcome = Verified()
        try:
            self._verification.run(places, outcome)
        finally:
            report.verified += outcome.verified
            report.changed += len(outcome.changed)
            report.unchanged = max(0, report.unchanged - len(outcome.changed))
            report.skipped += outcome.unread
        self._read(outcome.changed, survey, report)

    def _tell(self, kind: str, path: str, reason: str = "", **counts: int) -> None:
        self._on_event(IndexEvent(kind, path, reason, **counts))

    def _read(self, work: list[FoundFile], survey: Survey, report: IndexReport) -> None:
        """Index files, in order; what is told of them is as if one were read after the other."""
        try:
            with ReadingAhead(
                work,
                self._files.read,
                self._desk,
                at_once=self._at_once,
                is_alone=self._journal.suspects,
                place=self._place,
            ) as ahead:
                for position, found in enumerate(work, start=1):
                    self._check_stop()
                    self._take(ahead, found, position, len(work), survey, report)
        finally:
            self._journal.end_all()

    def _read_words(self, report: IndexReport) -> None:
        """Read words of files that are as they were."""

        def note(found: FoundFile, remark: str, position: int, files: int) -> None:
            report.words += 1
            self._tell("words", found.path, remark, position=position, files=files)

        self._words.run(self._at_once, self._place, note)

    def _read_captures(self, report: IndexReport) -> None:
        """Read when and where files were taken that are as they were."""
        for found, position, files in self._captures.run():
            report.dated += 1
            self._tell("dated", found.path, position=position, files=files)

    def _place(self, found: FoundFile) -> Place:
        medium = self._media.of(found.path)
        return Place(medium.disks, medium.at_once)

    def _take(
        self,
        ahead: ReadingAhead,
        found: FoundFile,
        position: int,
        files: int,
        survey: Survey,
        report: IndexReport,
    ) -> None:
        """Store what was read of the next file, or note why it can't be used."""

        def tell(kind: str, reason: str = "", done: float = 0.0, total: float = 0.0) -> None:
            self._on_event(IndexEvent(kind, found.path, reason, done, total, position, files))

        tell("started")
        reading = ahead.take(lambda done, total: tell("progress", "", done, total))
        try:
            read: FileRead = reading.result.result()
            remark = self._store(found, read)
        except MediaError as error:
            reason = " ".join(str(error).split())
            self._skip(found, reason, survey.known.get(found.path), isinstance(error, PassingError))
            report.skipped += 1
            tell("skipped", reason)
            return
        finally:
            self._copies.settle(reading)
        if read.footage is None:
            report.reused += 1
            tell("reused", remark)
        else:
            report.indexed += 1
            total = read.footage.video.duration_seconds
            report.footage_seconds += total
            tell("indexed", remark, total, total)

    def _store(self, found: FoundFile, read: FileRead) -> str:
        """One transaction a file: its video with all its frames and words, and its row.

        Returns:
            The remarks on it.

        Raises:
            MediaError: the file makes rows that the library refuses.
            LibraryError: the disk is full or lost.
        """
        try:
            return self._put_whole(found, read)
        except RefusedRowError as error:
            raise PassingError(f"can't be stored: {error}") from error
        except TempoEdgeError:
            raise
        except Exception as error:  # a fault of one file ends no run
            raise PassingError(f"can't be stored: {type(error).__name__}: {error}") from error

    def _put_whole(self, found: FoundFile, read: FileRead) -> str:
        video_id, footage = read.video_id, read.footage
        with self._catalogue.transaction():
            if footage is not None:
                video_id = self._catalogue.put_video(
                    key_of(read.contents),
                    footage.video,
                    footage.frames,
                    footage.curve,
                    "; ".join(footage.remarks),
                )
            assert video_id is not None
            self._catalogue.note_contents(video_id, read.contents)
            remark = self._catalogue.remark(video_id)
            self._put(found, "indexed", found.mtime_ns, remark, video_id)
            if footage is not None:
                self._catalogue.note_verified(found.path, FIRST_READ)
            self._words.put(found, video_id, read.words)
            self._captures.put(found, read.capture)
        said = "" if read.words is None else read.words.remark
        return "; ".join(filter(None, (remark, said)))

    def _skip(self, found: FoundFile, reason: str, row: FileRow | None, passing: bool) -> None:
        """Note a file that can't be used. What is stored of it outlives a disk that stumbles."""
        if found.passing and row is not None and row.state == "indexed":
            return
        with self._catalogue.transaction():
            self._put(found, "skipped", _AGAIN if passing else found.mtime_ns, reason, None)

    def _put(
        self, found: FoundFile, state: str, mtime_ns: int, reason: str, video_id: int | None
    ) -> None:
        self._journal.settle(found.path)
        volume = self._volumes.of(found.path)
        self._catalogue.put_file(
            FileRow(found.path, volume, found.size, mtime_ns, state, reason, video_id)
        )
