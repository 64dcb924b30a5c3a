"""The files of a vector cache: an index, a sample, and what both were built from.

Readers see all of them or none, whatever a writer does or dies of; a torn file is as good as none.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge._files import atomic_write, make_private
from tempo_edge._files.descriptor_lock import lock_descriptor
from tempo_edge._files.opening import open_lock

__all__ = ["CacheOrigin", "VectorFiles"]

# Of a file, what is read at either end to see that it is whole: all of a small one.
_CHECKED_BYTES = 1 << 20

# The names of a cache's files, and of drafts of them. Whatever else lies there is somebody's.
_CACHE = re.compile(r"vectors-[0-9a-f]+\.(faiss|npy)|\.vectors-[0-9a-f]+\..*", re.DOTALL)

# What a torn or foreign file may do to the reader of JSON, NumPy or FAISS.
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, RuntimeError, EOFError, MemoryError)


@dataclass(frozen=True)
class CacheOrigin:
    """The rows that a cache was built from.

    Ids are never used twice, so the number of frames and the largest id tell one state of a library
    from all others. ``contents`` is of the video with the largest id: a database that was put back
    from a copy may go on to use the same ids for something else.

    Attributes:
        library: the library's id.
        count: frames in the cache, ``largest_id``: the newest of them.
        contents: hash of the video that the newest frame is of.
        trained: frames there were when the inverted file was trained.
    """

    library: str
    count: int
    largest_id: int
    contents: str
    trained: int

    @property
    def key(self) -> str:
        """The name of its files, without a suffix."""
        facts = json.dumps(asdict(self), sort_keys=True)
        return "vectors-" + hashlib.sha256(facts.encode()).hexdigest()[:16]


class VectorFiles:
    """The cache that a folder holds.

    Args:
        faiss: the module, which writes and maps the index.
    """

    def __init__(self, folder: Path, faiss: Any) -> None:
        self._folder = folder
        self._faiss = faiss
        self._mapped: tuple[Path, os.stat_result] | None = None

    def write(self, origin: CacheOrigin, index: Any, sample: NDArray[np.float32]) -> None:
        """Put a cache in the place of the one before; nothing where another process does just that.

        Raises:
            OSError, RuntimeError: there is no room, or the folder can't be written.
        """
        make_private(self._folder)
        with _alone(self._folder) as alone:
            if not alone:
                return
            vectors, samples = self._paths(origin)
            mode = self._folder.stat().st_mode & 0o666  # whoever may list it may read it
            with atomic_write(vectors, mode=mode) as draft:
                self._faiss.write_index(index, str(draft))
            with atomic_write(samples, mode=mode) as draft, draft.open("wb") as file:
                np.save(file, sample)
            about = {
                **asdict(origin),
                "files": {path.name: _fingerprint(path) for path in (vectors, samples)},
            }
            with atomic_write(self._folder / "current.json", mode=mode) as draft:
                draft.write_text(json.dumps(about), encoding="utf-8")
            for old in self._folder.iterdir():
                # Other caches, and drafts that a killed process left.
                if _CACHE.fullmatch(old.name) and old.name not in about["files"]:
                    old.unlink(missing_ok=True)

    def read(
        self, is_ours: Callable[[CacheOrigin], bool]
    ) -> tuple[CacheOrigin, Any, NDArray[np.float32]] | None:
        """The saved cache, its index memory-mapped; None if it is missing, torn or another's."""
        for _ in range(2):
            try:
                return self._read(is_ours)
            except FileNotFoundError:
                continue  # a newer one took its place at this moment, or there is none
            except _UNREADABLE:
                return None
        return None

    def _read(
        self, is_ours: Callable[[CacheOrigin], bool]
    ) -> tuple[CacheOrigin, Any, NDArray[np.float32]] | None:
        about = json.loads((self._folder / "current.json").read_text(encoding="utf-8"))
        marks = dict(about.pop("files"))
        origin = CacheOrigin(**about)
        vectors, samples = self._paths(origin)
        if any(marks[path.name] != _fingerprint(path) for path in (vectors, samples)):
            return None
        if not is_ours(origin):
            return None
        before = vectors.stat()
        index = self._faiss.read_index(str(vectors), self._faiss.IO_FLAG_MMAP)
        self._mapped = vectors, before
        if isinstance(index, self._faiss.IndexIVF):
            # Threads of FAISS's own would read ahead, and go on when a search is long over.
            lists = self._faiss.downcast_InvertedLists(index.invlists)
            if hasattr(lists, "prefetch_nthread"):
                lists.prefetch_nthread = 0
        return origin, index, np.load(samples, allow_pickle=False)

    def release(self) -> None:
        """Think of no index as mapped any more."""
        self._mapped = None

    def is_whole(self) -> bool:
        """Whether the index that was mapped is what it was: to read one cut short kills a process.

        A file that another took the place of is whole, for the mapping keeps it.
        """
        if self._mapped is None:
            return True
        path, before = self._mapped
        try:
            now = path.stat()
        except OSError:
            return True
        same = (now.st_dev, now.st_ino) == (before.st_dev, before.st_ino)
        return not same or (now.st_size, now.st_mtime_ns) == (before.st_size, before.st_mtime_ns)

    def read_to_write(self, origin: CacheOrigin) -> Any:
        """An index of its own in memory, to be added to; None if it can't be read."""
        try:
            return self._faiss.read_index(str(self._paths(origin)[0]))
        except _UNREADABLE:
            return None

    def _paths(self, origin: CacheOrigin) -> tuple[Path, Path]:
        return self._folder / f"{origin.key}.faiss", self._folder / f"{origin.key}.npy"


def _fingerprint(path: Path) -> list[Any]:
    """Marks of a file that is the one that was written: its length, time of change and ends.

    Reading a large one whole would take longer than the search.
    """
    with path.open("rb") as file:
        facts = os.fstat(file.fileno())
        digest = hashlib.sha256(file.read(_CHECKED_BYTES))
        file.seek(max(file.tell(), facts.st_size - _CHECKED_BYTES))
        digest.update(file.read(_CHECKED_BYTES))
    return [facts.st_size, facts.st_mtime_ns, digest.hexdigest()]


_LOCK = "lock"


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether no other process saves a cache in this folder until the block ends."""
    descriptor = open_lock(folder / _LOCK)
    try:
        try:
            lock_descriptor(descriptor)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
