"""Limits of a process that reads a file at which a run died: it may not take others with it."""

from __future__ import annotations

import resource
from contextlib import suppress
from pathlib import Path

__all__ = ["limit_memory"]


def limit_memory(most_bytes: int) -> None:
    """Take no more memory than this, or than is allowed anyway, and be the first to go without."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = most_bytes if hard == resource.RLIM_INFINITY else min(most_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
