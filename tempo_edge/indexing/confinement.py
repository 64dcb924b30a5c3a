"""Limits of a process that reads a file at which a run died: it may not take others with it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from tempo_edge._system.limits import limit_data

__all__ = ["limit_growth", "limit_memory", "taken_bytes"]


def limit_memory(most_bytes: int) -> None:
    """Take no more memory than this, or than is allowed anyway, and be the first to go without."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    limit_data(most_bytes)


def limit_growth(room_bytes: int) -> None:
    """Take no more memory than is taken now, and so much more.

    Where a system does not tell what is taken, there is no limit: any number could be too small.
    """
    if taken := taken_bytes():
        limit_memory(taken + room_bytes)


def taken_bytes() -> int:
    """The memory that this process has taken for data; 0 where the system does not tell."""
    status = ""
    with suppress(FileNotFoundError):
        status = Path("/proc/self/status").read_text(encoding="ascii")
    for line in status.splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0
