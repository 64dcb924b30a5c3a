"""How far indexing is, gathered from the indexer's events."""

from __future__ import annotations

import time
from typing import Any

from tempo_edge.indexing.report import LATER, IndexEvent

__all__ = ["IndexingProgress"]


class IndexingProgress:
    """What is being read at present, how far it is, and how long the rest may take.

    Attributes:
        file: the file that is being read, if one is.
        doing: what is done with it: ``reading``, or what a later pass does, of
            :data:`tempo_edge.indexing.report.LATER`; None where nothing is.
    """

    def __init__(self) -> None:
        self.file: str | None = None
        self.doing: str | None = None
        self._done_seconds = 0.0
        self._total_seconds = 0.0
        self._left = 0
        self._began = 0.0
        self._began_seconds = 0.0  # how far the file was by then
        self._rate = 0.0  # seconds of footage in a second
        self._mean_seconds = 0.0  # of footage in a file
        self._kept_doing = "reading"  # what both were learned of

    def take(self, event: IndexEvent) -> None:
        """Take in an event."""
        now = time.monotonic()
        if event.kind == "started":
            self._begin("reading", event.path, 0.0, now)
        elif event.kind == "progress" or event.kind in LATER:
            doing = event.kind if event.kind in LATER else "reading"
            if (doing, event.path) != (self.doing, self.file):
                self._begin(doing, event.path, event.done_seconds, now)
            self._done_seconds, self._total_seconds = event.done_seconds, event.total_seconds
            self._learn_rate(event.done_seconds - self._began_seconds, now)
        elif event.kind in LATER.values():
            self.clear()
        elif event.kind in ("indexed", "reused", "skipped"):
            if event.kind == "indexed":
                self._learn_rate(event.total_seconds, now)
                known, new = self._mean_seconds, event.total_seconds
                self._mean_seconds = 0.8 * known + 0.2 * new if known else new
            self.clear()
        self._left = max(0, event.files - event.position)

    def _begin(self, doing: str, path: str, done_seconds: float, now: float) -> None:
        """A file comes up; what another pass took for one says nothing of this."""
        if doing != self._kept_doing:
            self._kept_doing, self._rate, self._mean_seconds = doing, 0.0, 0.0
        self.doing, self.file = doing, path
        self._began, self._began_seconds = now, done_seconds
        self._done_seconds = self._total_seconds = 0.0

    def _learn_rate(self, footage_seconds: float, now: float) -> None:
        passed = now - self._began
        if passed > 0.5 and footage_seconds > 0:
            self._rate = footage_seconds / passed

    def clear(self) -> None:
        """Nothing is being read any more."""
        self.file = self.doing = None
        self._done_seconds = self._total_seconds = 0.0

    def facts(self) -> dict[str, Any]:
        """What is done, with which file, its seconds done and in all, and seconds until all is."""
        remaining = None
        if self._rate > 0 and self.file is not None:
            here = max(0.0, self._total_seconds - self._done_seconds)
            length = self._mean_seconds or self._total_seconds
            remaining = round((here + self._left * length) / self._rate, 1)
        return {
            "doing": self.doing,
            "file": self.file,
            "done_seconds": round(self._done_seconds, 3),
            "total_seconds": round(self._total_seconds, 3),
            "remaining_seconds": remaining,
        }
