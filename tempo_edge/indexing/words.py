"""Words of files on their way into a library: of new files, and of those left alone otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from tempo_edge._files.beside import Folder
from tempo_edge.errors import LibraryError, MediaError, RefusedRowError
from tempo_edge.indexing.confined_words import read_words_confined
from tempo_edge.indexing.desk import Desk
from tempo_edge.indexing.journal import Journal
from tempo_edge.indexing.problems import check_still
from tempo_edge.indexing.reading_ahead import Place, Reading, ReadingAhead
from tempo_edge.indexing.survey import KnownRows, Survey, Wordless
from tempo_edge.indexing.walk import FoundFile
from tempo_edge.store.interface import WritableCatalogue
from tempo_edge.store.rows import FileRow, VideoRow
from tempo_edge.words.names import lines_of_names
from tempo_edge.words.reading import READ_KINDS, Words, mark_of, read_words
from tempo_edge.words.sidecars import SidecarFinder

__all__ = ["WordReader"]


class WordReader:
    """Reads the words of the files of one library.

    Args:
        catalogue: opened for writing.
        journal: told of a file that is opened, in case the process dies of it.
        desk: that of the thread that writes; files are read by others.
        folder: lists what lies beside files.
        wanted: whether any words are read at all; otherwise what is known of them stays.
    """

    def __init__(
        self,
        catalogue: WritableCatalogue,
        journal: Journal,
        desk: Desk,
        folder: Folder,
        *,
        wanted: bool,
    ) -> None:
        self._catalogue = catalogue
        self._journal = journal
        self._desk = desk
        self.wanted = wanted
        self._finder = SidecarFinder(folder)
        self._survey = Survey()
        self._keeps_all = False

    def begin(self, survey: Survey, *, verify: bool = False) -> None:
        """Begin a run: note in its survey what lies beside files, and read that later.

        Args:
            verify: any file may turn out to have changed once all was looked at.
        """
        self._survey = survey
        self._keeps_all = verify

    def look(self, found: FoundFile, row: FileRow | None, known: KnownRows) -> None:
        """Look what lies beside a file, and whether its words are to be read.

        Args:
            found: a file that the walk has come to.
            row: what the library knows of it, if the file is as it was; None for a new one.
            known: where that was taken from.
        """
        if not self.wanted or found.problem or (row is not None and row.video_id is None):
            return
        sidecars = self._finder.of(found.path)
        is_due = True
        if row is not None and row.video_id is not None:
            is_due = known.mark(found.path) != mark_of(sidecars)
            if is_due:
                self._survey.wordless[found.path] = Wordless(found, row.video_id)
        if sidecars and (is_due or self._keeps_all):
            self._survey.sidecars[found.path] = sidecars

    # -- on the threads that read ------------------------------------------------------------------

    def of_new(self, found: FoundFile, video: VideoRow) -> Words | None:
        """The words of a file whose footage was just read; None where none are wanted."""
        return self._read(found, video) if self.wanted else None

    def of_known(self, found: FoundFile, video_id: int) -> Words | None:
        """The words of a file whose contents were known already; None where none are wanted."""
        if not self.wanted:
            return None
        video = self._desk.ask(partial(self._catalogue.video, video_id))
        return self._read(found, video)

    def _of_wordless(self, reading: Reading) -> Words | None:
        """The words of a file that is as it was.

        Raises:
            MediaError: it is not any more.
        """
        found = reading.found
        check_still(found)
        words = self.of_known(found, self._survey.wordless[found.path].video)
        check_still(found)
        return words

    def _read(self, found: FoundFile, video: VideoRow) -> Words:
        sidecars = self._survey.sidecars.get(found.path, ())
        what = found.path, video.start_time, video.end_seconds, sidecars
        try:
            if self._journal.suspects(found):
                return read_words_confined(*what)
            self._desk.ask(partial(self._journal.begin, found))
            return read_words(*what)
        except LibraryError:
            raise
        except MediaError as error:
            said = str(error)
        except Exception as error:  # demuxers of damaged files fail in ways nobody foresaw
            said = " ".join(f"its words can't be read: {type(error).__name__}: {error}".split())
        names = lines_of_names(found.path, video.end_seconds)
        return Words(None, names, mark_of(sidecars), said)

    # -- on the thread that writes -----------------------------------------------------------------

    def put(self, found: FoundFile, video_id: int, words: Words | None) -> None:
        """Store what was read of a file, within the transaction that stores the file."""
        if words is None:
            return
        if words.contents is not None:
            self._catalogue.put_lines(video_id, READ_KINDS, words.contents)
        self._catalogue.note_words(found.path, words.mark, words.remark)
        self._catalogue.put_lines(video_id, READ_KINDS, words.beside, found.path)

    def run(
        self,
        at_once: int,
        place: Callable[[FoundFile], Place],
        on_read: Callable[[FoundFile, str, int, int], None],
    ) -> None:
        """Read the words of files that are as they were, and store them, one file after the other.

        Args:
            at_once: how many files may be under way.
            place: where a file is read from.
            on_read: told of each file, what its owner should know of its words, which of the files
                this is, from 1, and how many there are.

        Raises:
            LibraryError: the library can't be written.
        """
        work: Sequence[Wordless] = list(self._survey.wordless.values())
        files = [each.found for each in work]
        try:
            with ReadingAhead(
                *(files, self._of_wordless, self._desk),
                at_once=at_once,
                is_alone=lambda found: False,
                place=place,
            ) as ahead:
                for position, wordless in enumerate(work, start=1):
                    self._desk.checkpoint()
                    reading = ahead.take(lambda done, total: None)
                    try:
                        words: Words | None = reading.result.result()
                    except MediaError:
                        continue  # it changed meanwhile: the next run looks at it
                    on_read(wordless.found, self._stored(wordless, words), position, len(work))
        finally:
            self._journal.end_all()

    def _stored(self, wordless: Wordless, words: Words | None) -> str:
        """Store the words of a file; gives what its owner should know of them."""
        try:
            with self._catalogue.transaction():
                self._journal.settle(wordless.found.path)
                self.put(wordless.found, wordless.video, words)
        except RefusedRowError as error:  # a fault of one file ends no run
            return f"its words can't be stored: {error}"
        return "" if words is None else words.remark
