"""Bring a library up to date with the files under some paths."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tempo_edge.errors import LibraryError, MediaError
from tempo_edge.library.catalogue import Catalogue, FileRow
from tempo_edge.library.footage import Footage, FootageReader
from tempo_edge.library.walk import FoundFile, find_footage, is_mounted, volume_of

__all__ = ["IndexEvent", "IndexReport", "Indexer"]


@dataclass(frozen=True)
class IndexEvent:
    """Something a person may want to see while indexing goes on.

    Attributes:
        kind: ``"started"``, ``"progress"``, ``"indexed"``, ``"reused"``, ``"skipped"``,
            ``"dropped"`` or ``"offline"``.
        path: the file.
        reason: why, for a file that was skipped.
        done_seconds, total_seconds: footage of this file read so far, and in all.
        position, files: which of the files that need work this is, from 1, and how many there are.
    """

    kind: str
    path: str
    reason: str = ""
    done_seconds: float = 0.0
    total_seconds: float = 0.0
    position: int = 0
    files: int = 0


@dataclass
class IndexReport:
    """What a run did.

    Attributes:
        indexed: files decoded and stored; ``reused``: files whose contents were known already.
        unchanged: files left alone; ``skipped``: files that can't be used.
        dropped: files gone from a volume that is there; ``offline``: files on one that is not.
        footage_seconds: seconds of footage read; ``elapsed_seconds``: wall time.
    """

    indexed: int = 0
    reused: int = 0
    unchanged: int = 0
    skipped: int = 0
    dropped: int = 0
    offline: int = 0
    footage_seconds: float = 0.0
    elapsed_seconds: float = 0.0


class Indexer:
    """Writes one library. The caller holds its lock."""

    def __init__(
        self,
        catalogue: Catalogue,
        reader: FootageReader,
        on_event: Callable[[IndexEvent], None] | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._reader = reader
        self._on_event = on_event or (lambda event: None)
        self._volumes: dict[str, str] = {}

    def index(self, roots: Iterable[Path]) -> IndexReport:
        """Index everything new or changed at or under ``roots`` and forget what is gone.

        Raises:
            LibraryError: a root does not exist and nothing under it is known, or the library
                can't be written.
        """
        report = IndexReport()
        began = time.perf_counter()
        work: list[FoundFile] = []
        for root in roots:
            absolute = Path(os.path.abspath(root))
            known = self._catalogue.files(absolute)
            if not known and not os.path.lexists(absolute):
                raise LibraryError(f"there is no file or folder {absolute}")
            seen: set[str] = set()
            for found in find_footage(absolute):
                if found.path in seen:
                    continue
                seen.add(found.path)
                row = known.get(found.path)
                if row and (row.size, row.mtime_ns) == (found.size, found.mtime_ns) and (
                    not found.problem or found.problem == row.reason
                ):
                    report.unchanged += 1
                else:
                    work.append(found)
            self._missing(known.keys() - seen, known, report)
        for position, found in enumerate(work, start=1):
            self._take(found, report, position, len(work))
        with self._catalogue.transaction():
            self._catalogue.prune()
        report.elapsed_seconds = time.perf_counter() - began
        return report

    def knows(self, path: Path) -> bool:
        """True when the library holds a file at or under ``path``."""
        return bool(self._catalogue.files(path))

    def _missing(self, gone: set[str], known: dict[str, FileRow], report: IndexReport) -> None:
        """Forget files that are gone, unless the volume that held them is gone too."""
        drop: list[str] = []
        mounted: dict[str, bool] = {}
        for path in sorted(gone):
            volume = known[path].volume
            if volume not in mounted:
                mounted[volume] = not volume or is_mounted(volume)
            if mounted[volume]:
                drop.append(path)
                self._on_event(IndexEvent("dropped", path))
            else:
                report.offline += 1
                self._on_event(IndexEvent("offline", path))
        with self._catalogue.transaction():
            self._catalogue.drop_files(drop)
        report.dropped += len(drop)

    def _take(self, found: FoundFile, report: IndexReport, position: int, files: int) -> None:
        """Index one file, or note why it can't be."""

        def tell(kind: str, reason: str = "", done: float = 0.0, total: float = 0.0) -> None:
            self._on_event(IndexEvent(kind, found.path, reason, done, total, position, files))

        tell("started")
        try:
            if found.problem:
                raise MediaError(found.problem)
            content_hash = _content_hash(found)
            video_id = self._catalogue.video_by_hash(content_hash)
            footage = None
            if video_id is None:
                footage = self._reader.read(
                    Path(found.path), lambda done, total: tell("progress", "", done, total)
                )
                _check_still(found)
        except MediaError as error:
            self._store(found, "skipped", reason=str(error))
            report.skipped += 1
            tell("skipped", str(error))
            return
        self._store(found, "indexed", content_hash, video_id, footage)
        if footage is None:
            report.reused += 1
            tell("reused")
        else:
            report.indexed += 1
            report.footage_seconds += footage.video.duration_seconds
            total = footage.video.duration_seconds
            tell("indexed", "", total, total)

    def _store(
        self,
        found: FoundFile,
        state: str,
        content_hash: bytes = b"",
        video_id: int | None = None,
        footage: Footage | None = None,
        reason: str = "",
    ) -> None:
        """One transaction a file: its video with all its frames, and its row."""
        with self._catalogue.transaction():
            if footage is not None:
                video_id = self._catalogue.put_video(
                    content_hash, footage.video, footage.frames, footage.curve
                )
            self._catalogue.put_file(
                FileRow(
                    found.path,
                    self._volume(found.path),
                    found.size,
                    found.mtime_ns,
                    state,
                    reason,
                    video_id,
                )
            )

    def _volume(self, path: str) -> str:
        folder = os.path.dirname(path)
        if folder not in self._volumes:
            try:
                self._volumes[folder] = volume_of(folder)
            except OSError:
                return ""
        return self._volumes[folder]


def _content_hash(found: FoundFile) -> bytes:
    """SHA-256 of the whole file: processors do it at disk speed, and a rename costs no decoding."""
    digest = hashlib.sha256()
    try:
        with open(found.path, "rb", buffering=0) as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise MediaError(f"can't be read: {(error.strerror or str(error)).lower()}") from error
    return digest.digest()


def _check_still(found: FoundFile) -> None:
    """Refuse a file that changed under the decoder: its frames may be of two videos."""
    try:
        facts = os.stat(found.path)
    except OSError as error:
        raise MediaError("vanished while it was read") from error
    if (facts.st_size, facts.st_mtime_ns) != (found.size, found.mtime_ns):
        raise MediaError("changed while it was read: index it again when it is still")
