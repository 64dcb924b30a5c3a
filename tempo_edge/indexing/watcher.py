"""Keep a library up to date while files come, change, move and go."""

# Strings and `os` instead of `Path`: a walk touches every file, and this is several times as fast.
# ruff: noqa: PTH112, PTH114, PTH116, PTH123

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Lock

from watchdog.events import FileSystemEvent, FileSystemEventHandler

from tempo_edge._files.absolute import absolute
from tempo_edge._files.beside import films_beside
from tempo_edge._files.spelling import beginning, is_inside, spelled
from tempo_edge.errors import LibraryError
from tempo_edge.indexing.exclusion import Exclusion
from tempo_edge.indexing.indexer import Indexer
from tempo_edge.indexing.medium import unescaped
from tempo_edge.indexing.notifier import Notifier
from tempo_edge.indexing.read_lease import is_written_to
from tempo_edge.indexing.report import IndexReport
from tempo_edge.indexing.selection import NOTES, Selection
from tempo_edge.indexing.walk import FoundFile

__all__ = ["Order", "Watcher", "needs_polling"]

# A file is whole once its size and times have not moved for this long ...
_STILL_SECONDS = 2.0

# ... and, while another process has it open for writing, for this long: a copy may be stuck.
_HELD_SECONDS = 60.0

# Between two looks at what is waiting.
_TICK_SECONDS = 0.25

# Between two walks over everything. The kernel tells nothing of what lies behind links and mounts,
# and when much happens at once, or many folders are watched, it leaves things out.
_RESCAN_SECONDS = 600.0

# From a new folder to the next walk: not every watchdog listens to one that was moved in.
_FOLDER_SECONDS = 20.0

# The frames of a file that is gone are kept this long: it may turn up under another name.
_MOVE_SECONDS = 10.0

# Between walks where the kernel tells nothing at all; they may take up a twentieth of the time.
_POLL_SECONDS = 2.0
_POLL_SHARE = 0.05

# File systems that tell nothing about changes made on another machine.
_REMOTE = (
    *("nfs", "cifs", "smb", "9p", "fuse.", "afs", "ceph", "glusterfs", "virtiofs", "vboxsf"),
    *("prl_fs", "vmhgfs", "drvfs"),
)

_Signature = tuple[int, int]


@dataclass(frozen=True)
class Order:
    """Paths that someone wants indexed now, and what to call once they are."""

    paths: Sequence[Path]
    done: Callable[[IndexReport], None]


class Watcher:
    """Watches folders and hands what has settled to an indexer, in batches.

    Args:
        indexer: writes the library; only ever called from :meth:`run`'s thread.
        roots: folders to watch.
        exclude: patterns of what under them is left out.
        polling: walk over the folders again and again instead of being notified.
        settled: called after every batch that changed the library.
        orders: further paths, to be indexed once.
        notice: told in a line which folders are followed and how, and what hinders it.

    Raises:
        LibraryError: a root is not a folder.
        TempoEdgeError: a pattern can match nothing.
    """

    def __init__(
        self,
        indexer: Indexer,
        roots: Sequence[Path],
        *,
        exclude: Iterable[str] = (),
        polling: bool = False,
        settled: Callable[[], None] = lambda: None,
        orders: SimpleQueue[Order] | None = None,
        notice: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._indexer = indexer
        self._roots = [absolute(root) for root in roots]
        self._settled = settled
        self._orders: SimpleQueue[Order] = SimpleQueue() if orders is None else orders
        for root in self._roots:
            if not root.is_dir():
                raise LibraryError(f"{root} is not a folder that can be watched")
        self._polling = polling or any(needs_polling(root) for root in self._roots)
        self._exclusion = Exclusion(exclude, self._roots)
        self._waiting = _Waiting([spelled(root) for root in self._roots], self._exclusion)
        self._identities: dict[Path, _Signature | None] = {}
        self._notifier = Notifier(self._waiting)
        self._notice = notice
        self._said = False
        self._may_read_later = True

    def run(self, stop: Event) -> None:
        """Index everything once, then follow changes until ``stop`` is set."""
        try:
            next_walk = self._walk(postpone_all=False)
            while not stop.wait(_TICK_SECONDS):
                self._fill_order()
                ready = self._waiting.ready()
                if ready:
                    self._batch([Path(path) for path in ready], settled=set(ready))
                    if any(os.path.isdir(path) for path in ready):
                        next_walk = min(next_walk, time.monotonic() + _FOLDER_SECONDS)
                elif self._waiting.quiet_seconds() >= _MOVE_SECONDS:
                    self._indexer.prune()
                if self._may_read_later and self._is_idle():
                    self._read_later(stop, next_walk)
                due = time.monotonic() >= next_walk
                if due or self._roots_changed() or not self._notifier.is_well():
                    next_walk = self._walk(postpone_all=True)
        finally:
            self._notifier.stop()

    # -- being notified ------------------------------------------------------------------------

    def _observe(self) -> None:
        """Ask the kernel to tell about the roots that are there now."""
        self._identities = {root: _identity(root) for root in self._roots}
        trouble = ""
        if not self._polling:
            there = [root for root, identity in self._identities.items() if identity is not None]
            trouble = self._notifier.start(there)
            self._polling = bool(trouble)
        if not self._said:
            self._said = True
            how = "by listing it again and again" if self._polling else "as the kernel tells of it"
            for root in self._roots:
                self._notice(f"watching {root} {how}")
        if trouble:
            self._notice(f"{trouble}; until then folders are listed again and again")

    def _roots_changed(self) -> bool:
        """True once a root came, went or became another folder: a drive was plugged in, say."""
        return any(_identity(root) != known for root, known in self._identities.items())

    # -- indexing ------------------------------------------------------------------------------

    def _fill_order(self) -> None:
        try:
            order = self._orders.get_nowait()
        except Empty:
            return
        # Whoever orders something by name doesn't want to be told to wait until it stands still.
        report = self._indexer.index(order.paths, exclusion=self._exclusion, prune=False)
        self._note(report)
        order.done(report)

    def _note(self, report: IndexReport) -> None:
        """What a batch changed is to be searched, and may have more to read in it."""
        if report.indexed or report.reused or report.dropped:
            self._settled()
        if report.indexed or report.reused:
            self._may_read_later = True

    def _is_idle(self) -> bool:
        """Whether nothing waits to be indexed."""
        return self._waiting.is_empty() and self._orders.empty()

    def _read_later(self, stop: Event, until: float) -> None:
        """Read what takes long, until something comes in, or it is time to look at everything."""

        def goes_on() -> bool:
            return self._is_idle() and not stop.is_set() and time.monotonic() < until

        report = IndexReport()
        self._indexer.read_later(self._roots, report, goes_on)
        self._may_read_later = not goes_on()
        if any(report.later.values()):
            self._settled()

    def _walk(self, postpone_all: bool) -> float:
        """Look at everything; gives the time at which to do so again.

        Args:
            postpone_all: whatever is new has to be seen standing still before it is indexed.
        """
        # Listening starts first, so that nothing can slip in between.
        self._observe()
        began = time.monotonic()
        report = self._batch(self._roots, postpone_all=postpone_all)
        walked = time.monotonic() - began
        if report.indexed or not self._polling:
            return time.monotonic() + (_POLL_SECONDS if self._polling else _RESCAN_SECONDS)
        return time.monotonic() + max(_POLL_SECONDS, walked / _POLL_SHARE)

    def _batch(
        self, paths: Sequence[Path], *, settled: set[str] | None = None, postpone_all: bool = False
    ) -> IndexReport:
        """Index paths, but not what may still be written to.

        Args:
            settled: files that were seen standing still.
        """

        def postpone(found: FoundFile) -> bool:
            if found.path in (settled or ()) or (found.problem and not found.mtime_ns):
                return False
            return self._waiting.hold(found, always=postpone_all)

        report = self._indexer.index(
            paths, exclusion=self._exclusion, postpone=postpone, prune=False
        )
        self._note(report)
        return report


class _Waiting(FileSystemEventHandler):
    """Paths that changed and have not been still for long enough yet."""

    def __init__(self, roots: Sequence[str], exclusion: Exclusion) -> None:
        self._selections = {beginning(root): Selection(root, exclusion) for root in roots}
        self._paths: dict[str, tuple[float, _Signature]] = {}
        self._lock = Lock()
        self._latest = time.monotonic()

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Note a path; called on the observer's thread."""
        if event.event_type in ("opened", "closed_no_write"):
            return  # our own reading
        for raw in (event.src_path, event.dest_path):
            path = spelled(os.fsdecode(raw)) if raw else ""
            if not path or (event.is_directory and event.event_type not in _MOVES):
                continue
            for note in NOTES if event.event_type in _MOVES else ():
                path = path.removesuffix(note)
            # Words beside a film are read with it, and what says when and where it was taken.
            for changed in (path, *films_beside(path)):
                if self._is_watched(changed, event.is_directory):
                    self._add(changed)

    def _is_watched(self, path: str, folder: bool) -> bool:
        """True if a walk would come to this path; links to folders are left to the walks."""
        linked = os.path.islink(path) and os.path.isdir(path)
        return not linked and any(s.reaches(path, folder) for s in self._around(path))

    def _is_rejected(self, path: str) -> bool:
        """True for what has turned out to be no footage since it came in."""
        return all(selection.rejects(path) for selection in self._around(path))

    def _around(self, path: str) -> list[Selection]:
        return [each for root, each in self._selections.items() if path.startswith(root)]

    def _add(self, path: str) -> None:
        with self._lock:
            self._latest = time.monotonic()
            self._paths[path] = (self._latest, _signature(path))

    def quiet_seconds(self) -> float:
        """For how long nothing has come in; 0 while something waits."""
        with self._lock:
            return 0.0 if self._paths else time.monotonic() - self._latest

    def is_empty(self) -> bool:
        """Whether nothing waits."""
        with self._lock:
            return not self._paths

    def hold(self, found: FoundFile, always: bool) -> bool:
        """True for a file that may still be written to; it is looked at again once it is still."""
        with self._lock:
            if found.path in self._paths:
                return True
        fresh = abs(time.time() - found.mtime_ns / 1e9) < _STILL_SECONDS
        if always or fresh or is_written_to(found.path):
            self._add(found.path)
            return True
        return False

    def ready(self) -> list[str]:
        """Take out the paths that have been still."""
        now = time.monotonic()
        with self._lock:
            for path, (_, signature) in self._paths.items():
                current = _signature(path)
                if current != signature:
                    self._paths[path] = (now, current)
            still = {p: now - t for p, (t, _) in self._paths.items() if now - t >= _STILL_SECONDS}
            ready = [p for p, age in still.items() if age >= _HELD_SECONDS or not is_written_to(p)]
            for path in ready:
                del self._paths[path]
        return sorted(path for path in ready if not self._is_rejected(path))


_MOVES = ("created", "moved", "deleted")


def _signature(path: str) -> _Signature:
    """(size, mtime), or zeros for what is not there."""
    try:
        facts = os.stat(path)
    except OSError:
        return (0, 0)
    return (facts.st_size, facts.st_mtime_ns)


def _identity(root: Path) -> _Signature | None:
    """The mark that tells this folder from another of its name; None where there is none."""
    try:
        facts = os.stat(root)
    except OSError:
        return None
    return (facts.st_dev, facts.st_ino)


def needs_polling(path: Path) -> bool:
    """True on file systems whose changes the kernel is not told about."""
    real = os.path.realpath(path)
    best, kind = "", ""
    try:
        with open("/proc/mounts", encoding="utf-8", errors="surrogateescape") as mounts:
            for line in mounts:
                point, name = line.split()[1:3]
                point = unescaped(point)
                if is_inside(real, point) and len(point) >= len(best):
                    best, kind = point, name
    except OSError:
        return False
    return kind.startswith(_REMOTE)
