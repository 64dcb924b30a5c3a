"""Find footage under folders: which files to index, and why others are left out."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["VIDEO_SUFFIXES", "FoundFile", "find_footage", "is_mounted", "volume_of"]

VIDEO_SUFFIXES = frozenset(
    ".3g2 .3gp .asf .avi .divx .dv .f4v .flv .hevc .insv .m2t .m2ts .m2v .m4v .mj2 .mjpeg .mkv "
    ".mod .mov .mp4 .mpe .mpeg .mpg .mpv .mts .mxf .nut .ogm .ogv .qt .rm .rmvb .tod .ts .vob "
    ".webm .wmv .wtv .y4m".split()
)

# Folders that hold no footage of a person's own, however many video files lie in them.
_LEFT_OUT = frozenset(
    {
        "node_modules", ".git", ".hg", ".svn", "__pycache__", ".venv", ".cache", "@eaDir",
        "System Volume Information", "$RECYCLE.BIN", "lost+found", ".Trash", ".Trashes",
        "#recycle", ".thumbnails", ".Spotlight-V100", ".fseventsd",
    }
)


@dataclass(frozen=True)
class FoundFile:
    """A file that may be footage; ``problem`` says why it can't be, without opening it."""

    path: str
    size: int
    mtime_ns: int
    problem: str = ""


def find_footage(root: Path) -> Iterator[FoundFile]:
    """Files to index at or under ``root``, an absolute path, in a steady order.

    A file given by name is taken whatever its suffix. Links are followed, each folder once.
    """
    if not root.is_dir():
        found = _examine(str(root), root.name)
        if found is not None:
            yield found
        return
    yield from _walk(str(root), set())


def _walk(folder: str, visited: set[tuple[int, int]]) -> Iterator[FoundFile]:
    try:
        identity = os.stat(folder)
        if (identity.st_dev, identity.st_ino) in visited:
            return  # a link back into a folder already walked
        visited.add((identity.st_dev, identity.st_ino))
        with os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    except OSError as error:
        yield FoundFile(folder, 0, 0, f"can't be listed: {(error.strerror or str(error)).lower()}")
        return
    for entry in entries:
        try:
            folder_like = entry.is_dir()
        except OSError:
            folder_like = False
        if folder_like:
            if entry.name not in _LEFT_OUT and not entry.name.startswith(".Trash-"):
                yield from _walk(entry.path, visited)
        elif os.path.splitext(entry.name)[1].lower() in VIDEO_SUFFIXES:
            found = _examine(entry.path, entry.name)
            if found is not None:
                yield found


def _examine(path: str, name: str) -> FoundFile | None:
    try:
        path.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        return FoundFile(shown, 0, 0, "its name is not valid UTF-8: rename it to index it")
    try:
        facts = os.stat(path)
    except OSError as error:
        return FoundFile(path, 0, 0, f"can't be read: {(error.strerror or str(error)).lower()}")
    if not stat.S_ISREG(facts.st_mode):
        return FoundFile(path, 0, 0, "is not a regular file")
    if name.startswith("._"):
        problem = "is a macOS resource fork, not a video"
    elif facts.st_size == 0:
        problem = "is empty (0 bytes)"
    else:
        problem = ""
    return FoundFile(path, facts.st_size, facts.st_mtime_ns, problem)


def volume_of(path: str) -> str:
    """The volume that holds ``path``: its mount point and its file system's identity."""
    folder = os.path.realpath(path)
    while not os.path.ismount(folder):
        folder = os.path.dirname(folder)
    return f"{os.statvfs(folder).f_fsid:x}:{folder}"


def is_mounted(volume: str) -> bool:
    """True while the very volume that :func:`volume_of` named is mounted where it was.

    Another disk on the same mount point does not count, so a swapped stick forgets nothing.
    """
    folder = volume.partition(":")[2]
    try:
        return os.path.ismount(folder) and volume_of(folder) == volume
    except OSError:
        return False
