"""A library copied into another store, video by video, and read back: nothing is computed again.

Each video goes in one transaction with its files, its words and how far later passes are. What the
other library has already is compared and left, so a run that was ended goes on where it was, and
one that is repeated brings what is new. Nothing is taken away there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import LibraryError, RefusedRowError
from tempo_edge.saved.keeping import carry_saved
from tempo_edge.store.built_with import expect_profile
from tempo_edge.store.evidence import LineHit
from tempo_edge.store.interface import Catalogue, Store, WritableCatalogue
from tempo_edge.store.opening import open_store
from tempo_edge.store.rows import FileRow
from tempo_edge.store.video_record import FileRecord, VideoRecord

__all__ = ["CopyReport", "copy_library"]

# Lines whose sentence vectors are copied in one transaction.
_LINES_AT_ONCE = 2000


@dataclass
class CopyReport:
    """What a copy came to.

    Attributes:
        videos: videos that FROM has; ``copied`` of them were put, and ``there`` were there already.
        files: files that are known in TO now, skipped ones among them.
        saved: saved searches that were copied; ``saved_there`` have a name that TO has already.
        away: files of volumes that are not mounted here, which TO can't name.
        kept: paths of videos that TO has read in another way and that stay as they are there.
        refused: (path, why) of what could not be copied.
    """

    videos: int = 0
    copied: int = 0
    there: int = 0
    files: int = 0
    saved: int = 0
    saved_there: list[str] = field(default_factory=list)
    away: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether TO knows all that FROM does."""
        return not (self.away or self.kept or self.refused)

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON has it."""
        refused = [{"path": path, "why": why} for path, why in self.refused]
        return {**asdict(self), "refused": refused, "is_whole": self.is_whole}


def copy_library(
    origin: str,
    target: str,
    *,
    on_video: Callable[[int, int, str], None] = lambda done, videos, path: None,
) -> CopyReport:
    """Copy all of a library into another one, which is made if need be, and compare both.

    The first is read as of one instant, whatever is written meanwhile. What searches go by is laid
    out anew in the second one, of the vectors that were copied.

    Args:
        origin, target: names of libraries, each as its store opens it.
        on_video: is told how many videos are done, how many there are, and a path of the next.

    Raises:
        LibraryError: one of both can't be opened; another process writes to the second one, or it
            was read with another profile; both are one; or what was copied can't be read back.
    """
    before_store, after_store = open_store(origin), open_store(target)
    with before_store.reader() as before, before.snapshot():
        if before_store.identity() == after_store.identity():
            raise LibraryError(f"{target} is the library itself: name another one for the copy")
        with after_store.lock(), after_store.writer() as after:
            run = _Copy(before, after, after_store.names_volumes)
            run.begin(target)
            run.videos(on_video)
            run.skipped()
            run.line_vectors()
            run.saved()
        _lay_out(after_store)
    return run.report


def _lay_out(store: Store) -> None:
    """Leave what searches go by in good order."""
    with store.reader() as catalogue, catalogue.snapshot():
        store.vectors(catalogue).refresh(writing=True)
        store.line_vectors(catalogue).refresh(writing=True)


class _Copy:
    """One run: the rows of one catalogue put into another."""

    def __init__(self, before: Catalogue, after: WritableCatalogue, names_volumes: bool) -> None:
        self.report = CopyReport()
        self._before = before
        self._after = after
        self._names_volumes = names_volumes
        self._same: dict[int, int] = {}

    def begin(self, target: str) -> None:
        """Let the copy be of the same profile, and know the same volumes by name."""
        profile = self._before.get_meta("profile")
        there = self._after.get_meta("profile")
        if there is not None and there != profile:
            raise LibraryError(
                f"{target} was read with profile {there!r}, and what is to be copied with "
                f"{profile!r}: name another library, or read that one again with tempo-edge index "
                "--profile"
            )
        if profile is not None:
            for catalogue in (self._before, self._after):
                expect_profile(catalogue, profile)
            if there is None:
                self._after.set_meta("profile", profile)
        if self._names_volumes:
            self._name_volumes(target)

    def _name_volumes(self, target: str) -> None:
        known = {each.volume.id: each.volume.name for each in self._after.volumes()}
        for placed in self._before.volumes():
            name, volume = placed.volume.name, placed.volume
            if volume.id not in known:
                self._after.put_volume(volume)
            elif known[volume.id] != name:
                raise LibraryError(
                    f"volume {name} is called {known[volume.id]} in {target}: give it one name in "
                    f"both, tempo-edge volumes add PATH --name {name}"
                )

    # -- videos --------------------------------------------------------------------------------

    def videos(self, on_video: Callable[[int, int, str], None]) -> None:
        """Copy every video with its files, in the order in which they were indexed."""
        videos = [video for video, _ in self._before.videos()]
        self.report.videos = len(videos)
        for number, video in enumerate(videos):
            rows = self._here(self._before.files_of(video))
            if rows:
                on_video(number, len(videos), rows[0].path)
                self._video(video, rows)

    def _here(self, rows: list[FileRow]) -> list[FileRow]:
        """The files that the copy can name; others are told."""
        if self._names_volumes:
            return rows
        here = []
        for row in rows:
            if self._before.is_here(self._before.kept_path(row.path)):
                here.append(row)
            else:
                self.report.away.append(row.path)
        return here

    def _video(self, video_id: int, rows: list[FileRow]) -> None:
        path = rows[0].path
        try:
            record = VideoRecord.read(self._before, video_id)
            files = [FileRecord.read(self._before, row) for row in rows]
        except LibraryError as error:
            self.report.refused.append((path, str(error)))
            return
        known = self._after.video_by_hash(record.key)
        if known is not None and self._holds(known, record, files):
            self.report.there += 1
        else:
            try:
                known = self._put(record, files)
            except RefusedRowError as error:
                self.report.refused.append((path, str(error)))
                return
            if not self._holds(known, record, files):
                if self._read(known).shows_the_same(record):
                    raise LibraryError(
                        f"{path} was copied to {self._after.name} and is not read back as it "
                        "should be: nothing was lost; try again, and look at the disk there"
                    )
                self.report.kept.append(path)
            else:
                self.report.copied += 1
        self._same[video_id] = known
        self.report.files += len(files)

    def _put(self, record: VideoRecord, files: list[FileRecord]) -> int:
        with self._after.transaction():
            video = record.put(self._after)
            for each in files:
                each.put(self._after, video)
        return video

    def _holds(self, video: int, record: VideoRecord, files: list[FileRecord]) -> bool:
        """Whether the copy has all of a video, read back."""
        there = {row.path: row for row in self._after.files_of(video)}
        return (
            all(each.row.path in there for each in files)
            and all(FileRecord.read(self._after, there[each.row.path]) == each for each in files)
            and record.is_known_to(self._read(video))
        )

    def _read(self, video: int) -> VideoRecord:
        return VideoRecord.read(self._after, video)

    def skipped(self) -> None:
        """Copy the files that hold no video, with the reasons why."""
        rows = self._here([row for row in self._before.each_file() if row.video_id is None])
        with self._after.transaction():
            for row in rows:
                there = self._after.file(row.path)
                if there is None or (there.video_id is None and there != row):
                    self._after.put_file(row)
        self.report.files += len(rows)

    # -- what goes by all of them --------------------------------------------------------------

    def line_vectors(self) -> None:
        """Copy the sentence vectors of lines, as far as there are any."""
        model, there = self._before.line_model(), self._after.line_model()
        if not model or there not in ("", model):
            return  # lines are read by the model there, the next time that it is indexed
        if not there:
            self._after.begin_line_vectors(model)
        vectors = _LineVectors(self._before, {now: old for old, now in self._same.items()})
        while lines := self._after.lines_to_read(_LINES_AT_ONCE):
            read = list(vectors.of(lines))
            found = [(line, vector) for line, vector in read if vector is not None]
            if read:
                packed = np.asarray([vector for _, vector in found], dtype=np.int8)
                self._after.put_line_vectors(read[-1][0], [line for line, _ in found], packed)
            if len(read) < len(lines):
                return  # what is not read here is read when the copy is indexed

    def saved(self) -> None:
        """Copy the saved searches whose names are free, with what they told."""
        taken = {row.name for row in self._after.saved()}
        names = {row.name for row in self._before.saved()}
        with self._after.transaction():
            carry_saved(self._before, self._after, self._same, [], names - taken)
        self.report.saved = len(names - taken)
        self.report.saved_there = sorted(names & taken)


class _LineVectors:
    """The sentence vectors of a library's lines, for the same lines in another one.

    Args:
        before: the library that has them.
        origins: the video there by that of the same contents in the other one.
    """

    def __init__(self, before: Catalogue, origins: Mapping[int, int]) -> None:
        self._before = before
        self._origins = origins
        unread = before.lines_to_read(1)
        self._unread = unread[0].id if unread else 2**63 - 1
        self._video, self._known = 0, dict[str, NDArray[np.int8] | None]()

    def of(self, lines: Iterable[LineHit]) -> Iterator[tuple[int, NDArray[np.int8] | None]]:
        """(id, vector) of lines of the other library, to before the first that is unread here.

        A line that was read and got no vector has None.
        """
        for hit in lines:
            if hit.video != self._video:
                self._video = hit.video
                self._known = self._vectors(self._origins.get(hit.video))
            if hit.line.text not in self._known:
                return
            yield hit.id, self._known[hit.line.text]

    def _vectors(self, video: int | None) -> dict[str, NDArray[np.int8] | None]:
        """By their texts, the vectors of the lines of a video that were read."""
        if video is None:
            return {}
        hits = self._before.contents_lines(video)
        for row in self._before.files_of(video):
            if (words := self._before.file_words(row.path)) is not None:
                hits += words.lines
        texts = {hit.id: hit.line.text for hit in hits if hit.id < self._unread}
        found: dict[str, NDArray[np.int8] | None] = dict.fromkeys(texts.values())
        ids, vectors = self._before.line_vectors(list(texts))
        found.update(zip((texts[line] for line in ids.tolist()), vectors, strict=True))
        return found
