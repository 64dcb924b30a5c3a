"""What was asked to be indexed and is not done yet; kept on disk, so that a restart goes on."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from tempo_edge._console.text import note
from tempo_edge._files import atomic_write, make_private
from tempo_edge.store.opening import open_store

__all__ = ["Jobs"]

# Lists of paths that may wait.
_MOST = 1000


class Jobs:
    """Lists of paths by number, in the order in which they came.

    Args:
        library: the one that they are to be indexed into.
    """

    def __init__(self, library: Path) -> None:
        self._path = open_store(library).companion(".jobs")
        self._waiting: dict[int, list[str]] = {}
        self._next = 1
        with suppress(OSError, ValueError):
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            if isinstance(kept, list):
                for paths in kept[:_MOST]:
                    if isinstance(paths, list) and all(isinstance(path, str) for path in paths):
                        self._put(paths)

    def __len__(self) -> int:
        return len(self._waiting)

    def items(self) -> list[tuple[int, list[str]]]:
        """(number, paths) of all."""
        return list(self._waiting.items())

    @property
    def is_full(self) -> bool:
        """Whether no more may come."""
        return len(self._waiting) >= _MOST

    def add(self, paths: list[str]) -> int:
        """Keep some paths; gives their number."""
        number = self._put(paths)
        self._save()
        return number

    def done(self, number: int) -> None:
        """Forget those of a number."""
        if self._waiting.pop(number, None) is not None:
            self._save()

    def _put(self, paths: list[str]) -> int:
        number, self._next = self._next, self._next + 1
        self._waiting[number] = paths
        return number

    def _save(self) -> None:
        """Write them down; where that can't be done, they are lost with the process."""
        try:
            if not self._waiting:
                self._path.unlink(missing_ok=True)
                return
            make_private(self._path.parent)
            with atomic_write(self._path, mode=0o600) as draft:
                draft.write_text(json.dumps(list(self._waiting.values())), encoding="utf-8")
        except OSError as error:
            note(f"{self._path} can't be written ({error.strerror}): a restart forgets what waits")
