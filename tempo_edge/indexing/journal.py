"""The file that a run died at: known to the next run, which takes it last and confined.

A run that ends by itself, or from the keyboard, leaves nothing behind; one that is killed, by its
file or by chance, leaves the name of the file that it was at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from tempo_edge.indexing.walk import FoundFile
from tempo_edge.store.interface import WritableCatalogue

__all__ = ["Journal"]

# Keys among the library's stored facts.
_UNDER_WAY, _SUSPECTS = "file under way", "files that were under way when a run died"

# Suspects that are remembered: more than that were not a file's fault.
_MOST_SUSPECTS = 1000


class Journal:
    """The file under way, and the suspects of earlier runs, kept in a library.

    Args:
        catalogue: opened for writing.
    """

    def __init__(self, catalogue: WritableCatalogue) -> None:
        self._catalogue = catalogue
        self._suspects: dict[str, list[int]] = self._kept(_SUSPECTS)
        died_at = self._kept(_UNDER_WAY)
        if died_at:
            self._suspects = dict(list({**self._suspects, **died_at}.items())[-_MOST_SUSPECTS:])
            with catalogue.transaction():
                catalogue.set_meta(_SUSPECTS, json.dumps(self._suspects))
                catalogue.drop_meta(_UNDER_WAY)

    def _kept(self, key: str) -> dict[str, list[int]]:
        try:
            kept = json.loads(self._catalogue.get_meta(key) or "{}")
        except ValueError:
            return {}
        return kept if isinstance(kept, dict) else {}

    def suspects(self, found: FoundFile) -> bool:
        """Whether a run died at this file, as it is now."""
        return self._suspects.get(found.path) == _state(found)

    def acquit(self, path: str) -> None:
        """Forget that a run died at a file; called within a transaction that settles it."""
        if self._suspects.pop(path, None) is not None:
            self._catalogue.set_meta(_SUSPECTS, json.dumps(self._suspects))

    @contextmanager
    def under_way(self, found: FoundFile) -> Iterator[None]:
        """While inside, a death of this process is put down to a file."""
        with self._catalogue.transaction():
            self._catalogue.set_meta(_UNDER_WAY, json.dumps({found.path: _state(found)}))
        try:
            yield
        finally:
            with self._catalogue.transaction():
                self._catalogue.drop_meta(_UNDER_WAY)


def _state(found: FoundFile) -> list[int]:
    return [found.size, found.mtime_ns]
