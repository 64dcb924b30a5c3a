"""What takes a look at all rows, kept by a reader for as long as nobody writes the library."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from tempo_edge.store.embedded.database import Database

__all__ = ["KeptAnswers"]

_Answer = TypeVar("_Answer")


class KeptAnswers(Database):
    """Answers of a database that are worked out once, while its rows are as they were."""

    _kept_of: tuple[int, int] | None = None

    def _of_all(self, name: Hashable, work_out: Callable[[], _Answer]) -> _Answer:
        """What a look at all rows says; once worked out it is kept until somebody writes one.

        Args:
            name: of what is worked out; ``work_out``: looks.
        """
        if not self.readonly:
            return work_out()
        (version,) = self._db.execute("PRAGMA data_version").fetchone()
        if self._kept_of != (self.reopened, version):
            self._kept_of = self.reopened, version
            self._kept: dict[Hashable, Any] = {}
        if name not in self._kept:
            self._kept[name] = work_out()
        found: _Answer = self._kept[name]
        return found
