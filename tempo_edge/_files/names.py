"""Names that a system keeps to itself, takes in no file, or marks as hidden.

Windows gives some names to devices, with anything behind a dot too, and drops dots and spaces at
the end of a name: a file that has such a name, made by another system, can't be reached by it.
macOS and Windows mark files as hidden whatever they are called.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable

__all__ = ["IS_MARKED_HIDDEN", "UNREACHABLE", "portable", "unreachable_on_windows"]

_DEVICE = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])[ ]*(\..*)?\Z",
    re.IGNORECASE | re.DOTALL,
)
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


def unreachable_on_windows(name: str) -> str:
    """Why a file of a name can't be reached on Windows; nothing where it can."""
    if _DEVICE.match(name):
        return "has a name that Windows gives to a device: rename it to index it"
    if name != name.rstrip(". "):
        return (
            "has a name that ends in a dot or a space, which Windows drops: rename it to index it"
        )
    return ""


def portable(stem: str) -> str:
    """The beginning of a name as any system takes it, of one that may come from another."""
    stem = _FORBIDDEN.sub("_", stem)
    return f"_{stem}" if _DEVICE.match(stem) else stem


def _reachable(name: str) -> str:
    """Nothing: every name is a file's."""
    return ""


#: Why a file of a name can't be reached on this system; empty where it can.
UNREACHABLE: Callable[[str], str] = _reachable

#: Whether a path is hidden by a mark, and not by its name; None where there are no such marks.
IS_MARKED_HIDDEN: Callable[[str], bool] | None = None

if sys.platform == "win32":

    def _is_marked(path: str) -> bool:
        try:
            return bool(os.lstat(path).st_file_attributes & stat.FILE_ATTRIBUTE_HIDDEN)
        except OSError:
            return False

    UNREACHABLE, IS_MARKED_HIDDEN = unreachable_on_windows, _is_marked

if sys.platform == "darwin":

    def _is_marked(path: str) -> bool:
        try:
            return bool(os.lstat(path).st_flags & stat.UF_HIDDEN)
        except OSError:
            return False

    IS_MARKED_HIDDEN = _is_marked
