"""The files that a run died at: known to the next run, which takes them last and confined.

A run that ends by itself, or from the keyboard, leaves nothing behind; one that is killed, by a
file or by chance, leaves the names of the files that it was at. Several were under way then, and
one may be guilty: each is read in a process of its own, and only the one that kills that is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from tempo_edge.indexing.walk import FoundFile
from tempo_edge.store.interface import WritableCatalogue

__all__ = ["Journal", "QueuedJournal"]

# Keys among the library's stored facts.
_UNDER_WAY, _SUSPECTS = "file under way", "files that were under way when a run died"

# Suspects that are remembered: more than that were not a file's fault.
_MOST_SUSPECTS = 1000


class Journal:
    """The files under way, and the suspects of earlier runs, kept in a library.

    They go by how the library keeps their paths, which is the same on every machine.

    Args:
        catalogue: opened for writing.
    """

    def __init__(self, catalogue: WritableCatalogue) -> None:
        self._catalogue = catalogue
        self._under_way: dict[str, list[int]] = {}
        self._suspects: dict[str, list[int]] = self._kept(_SUSPECTS)
        self._take_over()

    def _take_over(self) -> None:
        """Suspect the files that were under way when a run died."""
        died_at = self._kept(_UNDER_WAY)
        if died_at:
            self._suspects = dict(list({**self._suspects, **died_at}.items())[-_MOST_SUSPECTS:])
            with self._catalogue.transaction():
                self._catalogue.set_meta(_SUSPECTS, json.dumps(self._suspects))
                self._catalogue.drop_meta(_UNDER_WAY)

    def _kept(self, key: str) -> dict[str, list[int]]:
        try:
            kept = json.loads(self._catalogue.get_meta(key) or "{}")
        except ValueError:
            return {}
        return kept if isinstance(kept, dict) else {}

    def suspects(self, found: FoundFile) -> bool:
        """Whether a run died at this file, as it is now."""
        return self._suspects.get(self._catalogue.kept_path(found.path)) == _state(found)

    def begin(self, found: FoundFile) -> None:
        """From now on a death of this process is put down to a file, beside others under way."""
        path = self._catalogue.kept_path(found.path)
        if self._under_way.get(path) == _state(found):
            return
        self._under_way[path] = _state(found)
        with self._catalogue.transaction():
            self._write()

    @contextmanager
    def under_way(self, found: FoundFile) -> Iterator[None]:
        """While inside, a death of this process is put down to a file."""
        self.begin(found)
        try:
            yield
        finally:
            with self._catalogue.transaction():
                self._end(found.path)

    def settle(self, path: str) -> None:
        """Put nothing down to a file any more; called within the transaction that settles it."""
        self._end(path)
        if self._suspects.pop(self._catalogue.kept_path(path), None) is not None:
            self._catalogue.set_meta(_SUSPECTS, json.dumps(self._suspects))

    def end_all(self) -> None:
        """Put nothing down to any file under way: the run ends in good order."""
        if self._under_way:
            self._under_way.clear()
            with self._catalogue.transaction():
                self._write()

    def _end(self, path: str) -> None:
        if self._under_way.pop(self._catalogue.kept_path(path), None) is not None:
            self._write()

    def _write(self) -> None:
        if self._under_way:
            self._catalogue.set_meta(_UNDER_WAY, json.dumps(self._under_way))
        else:
            self._catalogue.drop_meta(_UNDER_WAY)


class QueuedJournal(Journal):
    """The journal of one process among several: a queue knows what each is at, and who was lost.

    Attributes:
        lost_at: the file at which another one was lost.
    """

    lost_at = ""

    def _take_over(self) -> None:
        """What a run is at that writes alone is its own business."""

    def suspects(self, found: FoundFile) -> bool:
        """Whether a run or a worker died at this file."""
        return found.path == self.lost_at or super().suspects(found)

    def begin(self, found: FoundFile) -> None:
        """Nothing is noted here."""


def _state(found: FoundFile) -> list[int]:
    return [found.size, found.mtime_ns]
