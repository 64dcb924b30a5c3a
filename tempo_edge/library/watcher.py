"""Keep a library up to date while files come, change, move and go."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Lock

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver
from watchdog.observers.polling import PollingObserver

from tempo_edge.errors import LibraryError
from tempo_edge.library.indexer import Indexer
from tempo_edge.library.walk import VIDEO_SUFFIXES

__all__ = ["Watcher", "needs_polling"]

# A file is whole once its size and times have not moved for this long.
_STILL_SECONDS = 2.0

# Between two looks at what is waiting.
_TICK_SECONDS = 0.25

# File systems that tell nothing about changes made on another machine.
_REMOTE = ("nfs", "cifs", "smb", "9p", "fuse.", "afs", "ceph", "glusterfs", "virtiofs")


class Watcher:
    """Watches folders and hands what has settled to an indexer, in batches.

    Args:
        indexer: writes the library; only ever called from :meth:`run`'s thread.
        roots: folders (or files) to watch.
        polling: list folders again and again instead of being notified.
        settled: called after every batch.
    """

    def __init__(
        self,
        indexer: Indexer,
        roots: Sequence[Path],
        *,
        polling: bool = False,
        settled: Callable[[], None] = lambda: None,
    ) -> None:
        self._indexer = indexer
        self._roots = [Path(os.path.abspath(root)) for root in roots]
        self._polling = polling
        self._settled = settled
        self._waiting = _Waiting()
        for root in self._roots:
            if not root.is_dir():
                raise LibraryError(f"{root} is not a folder that can be watched")

    def run(self, stop: Event) -> None:
        """Index everything once, then follow changes until ``stop`` is set."""
        observer = self._observe()
        try:
            # Watching starts first, so that nothing can slip in between.
            self._batch(self._roots)
            while not stop.wait(_TICK_SECONDS):
                ready = self._waiting.ready()
                if ready:
                    self._batch(ready)
                if not observer.is_alive():
                    raise LibraryError("the file system watcher stopped: start watching again")
        finally:
            observer.stop()
            observer.join()

    def _observe(self) -> BaseObserver:
        if not (self._polling or any(needs_polling(root) for root in self._roots)):
            observer: BaseObserver = Observer()
            try:
                self._start(observer)
                return observer
            except OSError:
                # The kernel's limit on watched folders is reached; listing them still works.
                observer.unschedule_all()
        observer = PollingObserver(timeout=_TICK_SECONDS * 4)
        self._start(observer)
        return observer

    def _start(self, observer: BaseObserver) -> None:
        for root in self._roots:
            observer.schedule(self._waiting, str(root), recursive=True)
        observer.start()

    def _batch(self, paths: Sequence[Path]) -> None:
        present = [path for path in paths if path.exists() or self._indexer.knows(path)]
        if present:
            self._indexer.index(present)
            self._settled()


class _Waiting(FileSystemEventHandler):
    """Paths that changed and have not been still for long enough yet."""

    def __init__(self) -> None:
        self._paths: dict[str, tuple[float, tuple[int, int]]] = {}
        self._lock = Lock()

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in ("opened", "closed_no_write"):
            return  # our own reading
        for raw in (event.src_path, event.dest_path):
            path = os.fsdecode(raw) if raw else ""
            if not path or (event.is_directory and event.event_type == "modified"):
                continue
            if event.is_directory or os.path.splitext(path)[1].lower() in VIDEO_SUFFIXES:
                with self._lock:
                    self._paths[path] = (time.monotonic(), _signature(path))

    def ready(self) -> list[Path]:
        """Take out the paths that have been still; all wait while one of them still grows."""
        now = time.monotonic()
        with self._lock:
            for path, (_, signature) in self._paths.items():
                current = _signature(path)
                if current != signature:
                    self._paths[path] = (now, current)
            still = [p for p, (since, _) in self._paths.items() if now - since >= _STILL_SECONDS]
            for path in still:
                del self._paths[path]
        return [Path(path) for path in sorted(still)]


def _signature(path: str) -> tuple[int, int]:
    """(size, mtime), or zeros for what is not there."""
    try:
        facts = os.stat(path)
    except OSError:
        return (0, 0)
    return (facts.st_size, facts.st_mtime_ns)


def needs_polling(path: Path) -> bool:
    """True on file systems whose changes the kernel is not told about."""
    best, kind = "", ""
    try:
        with open("/proc/mounts", encoding="utf-8", errors="replace") as mounts:
            for line in mounts:
                _, point, name = line.split()[:3]
                point = point.replace("\\040", " ")
                inside = str(path) == point or str(path).startswith(point.rstrip("/") + "/")
                if inside and len(point) >= len(best):
                    best, kind = point, name
    except OSError:
        return False
    return kind.startswith(_REMOTE)
