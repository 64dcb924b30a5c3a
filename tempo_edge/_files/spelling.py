"""How a library spells a path: from the root, with ``/`` between its parts, on every system.

Windows says ``C:\\Films\\boat.mp4``, ``\\\\server\\share\\boat.mp4`` and, of long paths,
``\\\\?\\C:\\Films\\boat.mp4``. A library keeps ``C:/Films/boat.mp4`` and
``//server/share/boat.mp4``, which Windows opens as well. Wherever a path comes from a person, from
the system or from a :class:`~pathlib.Path`, it is spelled before it is kept, looked up or compared.
On other systems that changes nothing: a backslash is a letter there.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable

__all__ = [
    "IS_WINDOWS",
    "beginning",
    "folder_of",
    "is_inside",
    "joined",
    "name_of",
    "spelled",
    "windows_folder_of",
    "windows_spelled",
]

# What Windows puts before a path so that it may be long; what follows is the path itself.
_LONG = re.compile(r"//\?/(?:(?P<unc>UNC/)|(?=[A-Za-z]:/))", re.IGNORECASE)
# The root of a share, as it is named without its slash.
_SHARE = re.compile(r"//[^/?.][^/]*/[^/]+\Z")
_DRIVE = re.compile(r"[a-z]:(?:/|\Z)")


def windows_spelled(path: str | os.PathLike[str]) -> str:
    """A path from the root as Windows gives it, as a library spells it.

    The letter of a drive is a capital; the root of a drive or a share ends in a slash.
    """
    text = os.fspath(path).replace("\\", "/")
    if (long := _LONG.match(text)) is not None:
        text = f"{'//' if long['unc'] else ''}{text[long.end() :]}"
    if _DRIVE.match(text):
        text = text[0].upper() + text[1:]
    return f"{text}/" if _SHARE.match(text) else text


def windows_folder_of(path: str) -> str:
    """The folder of a path on Windows, both as a library spells them; a root is its own."""
    head = path[: path.rfind("/")]
    is_root = (len(head) == 2 and head[1] == ":") or (head[:2] == "//" and head.count("/") == 3)
    return f"{head}/" if is_root else head


def _spelled(path: str | os.PathLike[str]) -> str:
    """A path from the root as it is."""
    return os.fspath(path)


def _folder_of(path: str) -> str:
    """The folder of a path; the root is its own."""
    return path[: path.rfind("/")] or "/"


def name_of(path: str) -> str:
    """The last part of a path; `os.path.basename` takes four times as long."""
    return path[path.rfind("/") + 1 :]


def beginning(folder: str) -> str:
    """What the paths of all that lies in a folder begin with; it ends in a slash."""
    return f"{folder.rstrip('/')}/"


def joined(folder: str, name: str) -> str:
    """The path of what has a name in a folder."""
    return f"{folder.rstrip('/')}/{name}"


def is_inside(path: str, folder: str) -> bool:
    """Whether a path is a folder, or lies under it; letters are compared as they are."""
    return path == folder or path.startswith(beginning(folder))


#: Whether paths begin with drives and shares, and a backslash stands between folders.
IS_WINDOWS = sys.platform == "win32"

#: A path from the root, of text or a :class:`~pathlib.Path`, as a library spells it.
spelled: Callable[[str | os.PathLike[str]], str] = _spelled

#: The folder of a path that is spelled so, which is spelled so as well; a root is its own.
folder_of: Callable[[str], str] = _folder_of

if sys.platform == "win32":
    spelled, folder_of = windows_spelled, windows_folder_of
