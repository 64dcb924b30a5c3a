"""The audit log: who asked a service for what, when and from where, a JSON object a line.

It is only ever added to. At a size it becomes ``.1``, what was that ``.2``, and the oldest goes.
Tokens are never in it, not even one that somebody put into a search.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tempo_edge._files import make_private
from tempo_edge._files.opening import FOR_APPENDING, open_carefully
from tempo_edge.service.access.turn import turn_at

__all__ = ["AuditLog", "add_to_entry", "begin_entry"]

# Where a request's scope holds its entry.
_KEY = "tempo_edge.entry"

# Of one file, in bytes, and how many older ones stay.
_LARGEST, _OLDER = 16 << 20, 8

# A token, and what is left of one that was not copied whole.
_TOKEN = re.compile(r"te_[A-Za-z0-9_-]{12,}")

# Of one text in an entry, in characters.
_LONGEST_TEXT = 2000


def begin_entry(scope: Mapping[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    """A request's scope with its entry in it, which whoever answers may add to."""
    return {**scope, _KEY: entry}


def add_to_entry(scope: Mapping[str, Any], **facts: object) -> None:
    """Note what was asked beside the address, where anything is noted of a request at all."""
    if _KEY in scope:
        scope[_KEY]["asked"].update(facts)


class AuditLog:
    """An audit log; several processes may write it.

    Args:
        path: the newest file.
        largest: bytes of it; older: how many older files stay.

    Attributes:
        left_out: answers that were not noted since the last one that was; the next entry says so.
        complained: when somebody was told that it can't be written, by a clock of whoever tells.
    """

    def __init__(self, path: Path, largest: int = _LARGEST, older: int = _OLDER) -> None:
        self.path = path
        self._largest = largest
        self._older = older
        self.left_out = 0
        self.complained = float("-inf")

    def write(self, facts: Mapping[str, object]) -> None:
        """Add an entry, with the time.

        Raises:
            OSError: it can't be written.
        """
        if self.left_out:
            facts = {**facts, "left_out_before": self.left_out}
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        line = json.dumps({"time": now, **{name: _shown(value) for name, value in facts.items()}})
        make_private(self.path.parent)
        with turn_at(self.path):
            self._rotate()
            descriptor = open_carefully(self.path, FOR_APPENDING, 0o600, waiting=True, links=False)
            try:
                _append(descriptor, line.encode("ascii") + b"\n")
            finally:
                os.close(descriptor)
        self.left_out = 0

    def _rotate(self) -> None:
        """Let a file that is full become an older one."""
        try:
            if self.path.lstat().st_size < self._largest:
                return
        except FileNotFoundError:
            return
        for number in range(self._older, 1, -1):
            with suppress(FileNotFoundError):
                self._numbered(number - 1).replace(self._numbered(number))
        self.path.replace(self._numbered(1))

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")


def _append(descriptor: int, line: bytes) -> None:
    """Write a line whole; of one that a full disk cuts off nothing stays.

    Raises:
        OSError: it can't be written.
    """
    before = os.fstat(descriptor).st_size
    try:
        if os.write(descriptor, line) != len(line):
            raise OSError(28, "No space left on device")
    except OSError:
        with suppress(OSError):
            os.ftruncate(descriptor, before)
        raise


def _shown(value: object) -> object:
    """A value of an entry: texts cut to a length, tokens taken out."""
    if isinstance(value, str):
        return _TOKEN.sub("te_…", value)[:_LONGEST_TEXT]
    if isinstance(value, Mapping):
        return {str(_shown(str(name))): _shown(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shown(each) for each in value]
    return value
