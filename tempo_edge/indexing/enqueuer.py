"""Files that are new or changed, left in a queue for workers instead of being read here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from tempo_edge._files.absolute import recorded
from tempo_edge.errors import LibraryError, MediaError, TempoEdgeError
from tempo_edge.indexing.desk import Stopped
from tempo_edge.indexing.digests import FileDigests
from tempo_edge.indexing.indexer import Indexer
from tempo_edge.indexing.journal import QueuedJournal
from tempo_edge.indexing.report import IndexEvent, IndexReport
from tempo_edge.indexing.selection import Selection
from tempo_edge.indexing.survey import Survey
from tempo_edge.indexing.walk import FoundFile, examine
from tempo_edge.indexing.word_choice import PASSES, WORDS
from tempo_edge.store.interface import Store, WritableCatalogue
from tempo_edge.store.queue import PICTURES, Task, WorkQueue

__all__ = ["MOST_WAITING", "Enqueuer", "priority_of"]

#: Tasks that may wait: whoever has more to put in waits himself.
MOST_WAITING = 10_000

# Tasks that are put in at once, and seconds between two looks whether there is room.
_AT_ONCE, _PAUSE_SECONDS = 200, 0.5

# Between the priorities of two kinds; minutes since 1970 are less until long after 2262.
_APART = 1_000_000_000
_KINDS = (PICTURES, *PASSES)


def priority_of(kind: str, mtime_ns: int) -> int:
    """The priority of a task: pictures before later passes, and what changed last first."""
    minutes = max(0, mtime_ns // 60_000_000_000)
    return minutes - _APART * _KINDS.index(kind)


class Enqueuer(Indexer):
    """An indexer that reads no file: it looks at folders, and leaves what is due to workers.

    What is gone is forgotten at once; contents that no file has any more, once nobody works.

    Args:
        store: keeps the library.
        catalogue: opened for writing.
        queue: takes the tasks.
        on_event, stopping: as of an :class:`Indexer`.
        words: which words are to be read, one of :data:`tempo_edge.indexing.word_choice.WORDS`.
        marks: by kind, what later passes over films are read with; for those that ``words`` has.
        most_waiting: tasks that may wait.
    """

    def __init__(
        self,
        store: Store,
        catalogue: WritableCatalogue,
        queue: WorkQueue,
        on_event: Callable[[IndexEvent], None] | None = None,
        stopping: Callable[[], bool] = lambda: False,
        *,
        words: str = "subtitles",
        marks: dict[str, str] | None = None,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        nobody = _Nobody()
        super().__init__(
            *(catalogue, nobody, nobody, on_event, stopping, 1),
            words=words != "none",
            journal=QueuedJournal(catalogue),
        )
        self._keeper = store
        self._queue = queue
        self._choice = words
        self._marks = marks or {}
        self._most_waiting = most_waiting
        self._surveyed = Survey()
        self._digests = FileDigests(self._check_stop)
        queue.guard(catalogue, None)

    def index(self, roots: Iterable[Path], **how: Any) -> IndexReport:
        """Put in what is new or changed at or under ``roots``, and forget what is gone.

        Contents without a file are dropped before, not after: some may turn up under another name.

        Args:
            how: as for an :class:`Indexer`, which verifies what workers don't.

        Raises:
            LibraryError: the library can't be written.
        """
        if how.pop("prune", True):
            self._pruned = False
            self.prune()
        try:
            with self._queue.beside(self._check_stop):
                return super().index(roots, **how, prune=False)
        except Stopped:
            return IndexReport(stopped=True)

    def read_later(
        self,
        roots: Iterable[Path],
        report: IndexReport,
        goes_on: Callable[[], bool] = lambda: True,
    ) -> None:
        """Put in the later passes over films that are in the library by now."""
        try:
            for kind in () if report.stopped else WORDS[self._choice]:
                for root in roots:
                    place = recorded(root)
                    rows = self._catalogue.files_due(kind, self._marks[kind], place)
                    found = (examine(row.path) for row in rows)
                    report.queued += self._hand_on(self._tasks(kind, found), goes_on)
        except Stopped:
            report.stopped = True

    def prune(self) -> None:
        """Drop the frames of contents that no file has any more, where nobody works just now."""
        if self._pruned or not self._queue.is_drained([PICTURES]):
            return
        try:
            with self._keeper.lock(), self._keeper.writer() as writer, writer.transaction():
                writer.prune()
        except LibraryError:  # some worker is at work: another time
            return
        self._pruned = True

    def _survey(self, root: Path, selection: Selection, survey: Survey, *rest: Any) -> None:
        self._surveyed = survey
        super()._survey(root, selection, survey, *rest)

    def _read(self, work: list[FoundFile], survey: Survey, report: IndexReport) -> None:
        """Put files in, those that changed last first; what can't be footage is noted at once."""
        fit = []
        for found in work:
            if not found.problem:
                fit.append(found)
                continue
            self._skip(found, found.problem, survey.known.get(found.path), found.passing)
            report.skipped += 1
            self._tell("skipped", found.path, found.problem)
        fit.sort(key=lambda found: found.mtime_ns, reverse=True)
        report.queued += self._hand_on(self._tasks(PICTURES, fit))

    def _read_words(self, report: IndexReport) -> None:
        files = [each.found for each in self._surveyed.wordless.values()]
        report.queued += self._hand_on(self._tasks(PICTURES, files))

    def _read_captures(self, report: IndexReport) -> None:
        files = self._surveyed.untold
        known = self._surveyed.wordless
        due = [each for path, each in files.items() if path not in known]
        report.queued += self._hand_on(self._tasks(PICTURES, due))

    def _tasks(self, kind: str, files: Iterable[FoundFile]) -> Iterator[Task]:
        for found in files:
            self._check_stop()
            if found.problem:
                continue
            try:
                contents = self._digests.sample(found).hex()
            except MediaError:  # a worker will say what is wrong with it
                contents = found.path
            state = f"{found.size}:{found.mtime_ns}"
            rank = priority_of(kind, found.mtime_ns)
            yield Task(
                kind, self._catalogue.kept_path(found.path), contents, state, rank, self._choice
            )

    def _hand_on(self, tasks: Iterator[Task], goes_on: Callable[[], bool] = lambda: True) -> int:
        """Put tasks in, as there is room; gives how many were not in yet."""
        count = 0
        batch: list[Task] = []
        for task in tasks:
            batch.append(task)
            if len(batch) == min(_AT_ONCE, self._most_waiting):
                count += self._hand_on_batch(batch)
                batch = []
                if not goes_on():
                    return count
        return count + self._hand_on_batch(batch)

    def _hand_on_batch(self, batch: Sequence[Task]) -> int:
        while batch and self._queue.waiting() + len(batch) > self._most_waiting:
            self._check_stop()
            self._queue.rest(_PAUSE_SECONDS)
        for task in batch:
            self._tell("queued", task.file)
        return self._queue.put(batch) if batch else 0


class _Nobody:
    """The reader of whoever reads no file."""

    def read(self, path: Path, *_: object, **how: object) -> NoReturn:
        """Refused.

        Raises:
            TempoEdgeError: always.
        """
        raise TempoEdgeError(f"{path} is for workers to read")
