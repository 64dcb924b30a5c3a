"""Paths from the root, spelled as a library spells them."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["absolute", "encodable", "recorded"]


def absolute(path: str | Path) -> Path:
    """The path from the root; ``~`` and ``..`` are resolved, links are left alone."""
    return Path(os.path.abspath(os.path.expanduser(path)))  # noqa: PTH100, PTH111 - links stay


def encodable(path: str) -> str:
    """The path itself, or one in which bytes that are not UTF-8 are spelled out."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return os.fsencode(path).decode("utf-8", "backslashreplace")
    return path


def recorded(path: str | Path) -> Path:
    """The path as a library knows it: from the root, links left alone, always valid UTF-8."""
    return Path(encodable(str(absolute(path))))
