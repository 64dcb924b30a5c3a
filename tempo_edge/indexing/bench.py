"""What a worker works at: sessions with a server while they last, and what reads films."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from tempo_edge._files.spelling import spelled
from tempo_edge.indexing.desk import Stopped
from tempo_edge.indexing.enqueuer import priority_of
from tempo_edge.indexing.indexer import Indexer
from tempo_edge.indexing.journal import QueuedJournal
from tempo_edge.indexing.later_pass import LaterPass, StepReader
from tempo_edge.indexing.line_reading import read_lines
from tempo_edge.indexing.one_file import index_one
from tempo_edge.indexing.reading import VideoReader
from tempo_edge.indexing.report import IndexEvent, IndexReport
from tempo_edge.indexing.walk import examine
from tempo_edge.indexing.word_choice import WORDS
from tempo_edge.models import Profile
from tempo_edge.store.interface import WritableCatalogue
from tempo_edge.store.queue import PICTURES, Claim, Task, WorkQueue
from tempo_edge.volumes.volume import split

__all__ = ["Bench", "Readers"]


@dataclass(frozen=True)
class Readers:
    """What reads films; it outlasts any session.

    Attributes:
        profile: that of the library.
        video: turns a file into frames; ``confined`` does so without dying of one.
        later: by kind, what reads the words of later passes.
    """

    profile: Profile
    video: VideoReader
    confined: VideoReader
    later: dict[str, StepReader] = field(default_factory=dict)


class Bench:
    """A worker's sessions, and an indexer over them.

    Args:
        queue: a session with the queue, which the worker has joined.
        writer: a catalogue of the same library, opened for writing.
        readers: what reads films.
        on_event: told of every file.
        on_notice: told in a line of what hinders it.
        stopping: asked often; True ends what is done.
    """

    def __init__(
        self,
        queue: WorkQueue,
        writer: WritableCatalogue,
        readers: Readers,
        on_event: Callable[[IndexEvent], None],
        on_notice: Callable[[str], None],
        stopping: Callable[[], bool],
    ) -> None:
        self.queue = queue
        self._writer = writer
        self._readers = readers
        self._on_event, self._on_notice = on_event, on_notice
        self._stopping = stopping
        self._journal = QueuedJournal(writer)
        self._indexers = {wants_words: self._indexer(wants_words) for wants_words in (False, True)}

    def _indexer(self, wants_words: bool) -> Indexer:
        how = self._readers.video, self._readers.confined, self._on_event, self._is_ending, 1
        return Indexer(self._writer, *how, words=wants_words, journal=self._journal)

    def _is_ending(self) -> bool:
        """Whether to end; whoever asks is alive, which others are told."""
        self.queue.beat()
        return self._stopping()

    def _checkpoint(self) -> None:
        if self._is_ending():
            raise Stopped

    def place_of(self, task: Task) -> Path | None:
        """Where this machine has, or would have, a task's file; None where it may be elsewhere.

        A file that is gone from a volume that is here is gone.
        """
        path = self._place_of(task)
        if path is None:
            self._writer.find_volumes()  # it may have been plugged in, or mounted, since
            path = self._place_of(task)
        return path

    def _place_of(self, task: Task) -> Path | None:
        path = Path(self._writer.local_path(task.file))
        if os.path.lexists(path) or path.parent.is_dir():
            return path
        on_volume = bool(split(task.file)[0])
        return path if on_volume and self._writer.is_here(task.file) else None

    def do(self, claim: Claim, path: Path) -> IndexReport:
        """Do a task; gives what came of it.

        Raises:
            ClaimLostError: it is another worker's by now.
            LibraryError: the library can't be written.
            Stopped: the worker is to end.
        """
        task = claim.task
        self._journal.lost_at = spelled(path) if claim.deaths else ""
        with self.queue.beside(self._checkpoint, self._on_notice):
            self.queue.guard(self._writer, claim)
            if task.kind == PICTURES:
                report = index_one(self._indexers[task.words != "none"], path)
            else:
                reader = self._readers.later[task.kind]
                later = LaterPass(self._writer, reader, self._on_event, self._checkpoint)
                report = IndexReport(later={later.done: later.run([path])})
        if report.stopped:
            raise Stopped
        return report

    def behind(self, task: Task, path: Path) -> list[Task]:
        """The tasks of the later passes over a film whose pictures are in the library now."""
        if task.kind != PICTURES:
            return []
        mtime_ns = examine(spelled(path)).mtime_ns
        return [
            replace(task, kind=kind, priority=priority_of(kind, mtime_ns))
            for kind in WORDS[task.words]
        ]

    def read_lines(self) -> None:
        """Give sentence vectors to lines that lack one.

        Raises:
            LibraryError: the library can't be written.
            Stopped: the worker is to end.
        """
        with self.queue.beside(self._checkpoint, self._on_notice):
            self.queue.guard(self._writer, None)
            read_lines(self._writer, self._readers.profile, self._is_ending)
