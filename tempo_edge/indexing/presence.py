"""Whether a file that the library knows is there, and if not, whether it is offline or gone."""

from __future__ import annotations

import os
import stat

from tempo_edge.store.rows import FileRow
from tempo_edge.volumes.mounts import is_mounted

__all__ = ["Presence"]


class Presence:
    """Tells where files are, and asks about each volume once."""

    def __init__(self) -> None:
        self._mounted: dict[str, bool] = {}

    def is_mounted(self, volume: str) -> bool:
        """True while a volume is there; nothing is known of a file without one."""
        if volume not in self._mounted:
            self._mounted[volume] = not volume or is_mounted(volume)
        return self._mounted[volume]

    def of(self, row: FileRow) -> str:
        """``"here"``, ``"offline"`` (its volume is not there) or ``"gone"``.

        What can't be looked at is here: the next run of the indexer says why it can't.
        """
        try:
            is_link = stat.S_ISLNK(os.lstat(row.path).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            spelled_out = row.state == "skipped" and "\\x" in row.path  # a name that is not UTF-8
            if spelled_out and self.is_mounted(row.volume):
                return "here"
            return "gone" if self.is_mounted(row.volume) else "offline"
        except OSError:
            return "here"
        if is_link and row.state == "indexed" and not os.path.exists(row.path):  # noqa: PTH110
            return "offline"  # a link to where nothing is at present
        return "here"
