"""Limits of a process that reads a file at which a run died: it may not take others with it."""

from __future__ import annotations

import resource
from contextlib import suppress
from pathlib import Path

__all__ = ["limit_growth", "limit_memory", "taken_bytes"]


def limit_memory(most_bytes: int) -> None:
    """Take no more memory than this, or than is allowed anyway, and be the first to go without."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = most_bytes if hard == resource.RLIM_INFINITY else min(most_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def limit_growth(room_bytes: int) -> None:
    """Take no more memory than is taken now, and so much more."""
    limit_memory(taken_bytes() + room_bytes)


def taken_bytes() -> int:
    """The memory that this process has taken for data."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0
