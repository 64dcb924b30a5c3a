"""Which files under a folder that was named are footage, and which are left out of a walk."""

# Strings and `os` instead of `Path`: a walk touches every file, and this is several times as fast.
# ruff: noqa: PTH112, PTH116, PTH118, PTH208

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from tempo_edge._files.names import IS_MARKED_HIDDEN
from tempo_edge._files.opening import open_carefully
from tempo_edge._files.signatures import VIDEO_SUFFIXES
from tempo_edge._files.spelling import folder_of, is_inside, name_of, spelled

if TYPE_CHECKING:
    from tempo_edge.indexing.exclusion import Exclusion

__all__ = ["LEFT_OUT", "NOTES", "PARTIAL", "Beside", "Selection"]

# Files and folders that hold no footage of a person's own, or what was thrown away: their names,
# in any case of letters.
LEFT_OUT = (
    # Thrown away: by desktops, phones, Windows, macOS, network drives and photo managers.
    *(".Trash", ".Trash-*", ".Trashes", ".trashed-*", ".dtrash", "$RECYCLE.BIN", "RECYCLER"),
    *("#recycle", "@Recycle", "Network Trash Folder"),
    # Older versions and snapshots of what lies elsewhere.
    *(".stversions", ".stfolder", ".snapshot", ".snapshots", "#snapshot", "~snapshot"),
    *("@Recently-Snapshot", ".zfs"),
    # On their way: of phones, of Safari.
    *(".pending-*", "*.download"),
    # What a system keeps for itself.
    *("@eaDir", ".@__thumb", ".thumbnails", ".cache", "lost+found", "System Volume Information"),
    *(".Spotlight-V100", ".fseventsd", "Temporary Items"),
    # What programmers keep.
    *(".git", ".hg", ".svn", ".venv", "__pycache__", "node_modules"),
)

# What a download's name ends in until it is whole, or the name of the note that lies beside it.
PARTIAL = (
    *(".aria2", ".crdownload", ".fdmdownload", ".opdownload", ".part", ".partial", ".st"),
    *(".ytdl", ".!qB", ".!ut"),
)

# The same in small letters, by where a star stands, at an end or nowhere: a pattern of all of them
# takes five times as long, and every name is asked about.
_NAMES = frozenset(name.lower() for name in LEFT_OUT if "*" not in name)
_BEGINNINGS = tuple(name[:-1].lower() for name in LEFT_OUT if name.endswith("*"))
_ENDINGS = tuple(name[1:].lower() for name in LEFT_OUT if name.startswith("*"))

# Notes of downloads that give the file its full length at once: it is whole once they are gone.
NOTES = (".aria2", ".st")

# What yt-dlp writes next to a film: what it becomes, and one stream of it before they are merged.
_BECOMING = re.compile(r".+\.temp\.\w+\Z")
_STREAM = re.compile(r"(?P<film>.+)\.f[\w-]+\.\w+\Z")

# Suffixes that MPEG-2 transport streams share with TypeScript and Qt's translations.
_SHARED_WITH_TEXT = (".ts", ".mts")
_CONTROLS = bytes({*range(32), 127} - {*b"\t\n\f\r"})


class Beside:
    """The names in a folder, which tell of each other that they are not whole yet.

    Args:
        names: of all that lies in the folder.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        # In most folders there is none, and no name need be looked up.
        self._has_notes = any(name.endswith(PARTIAL) for name in self._names)

    def has(self, name: str, endings: Iterable[str]) -> bool:
        """Whether a note lies here, named like a file with one of :data:`PARTIAL` behind."""
        return self._has_notes and any(name + ending in self._names for ending in endings)

    def of(self, film: str) -> list[str]:
        """The names that begin so."""
        return [name for name in self._names if name.startswith(film)]


class Selection:
    """Which files a walk from a folder takes, and which folders it goes into.

    What was named itself is not judged, nor are the folders above it.

    Args:
        root: the folder, from the root and as a library spells it; so are all paths below.
        exclusion: what else is to be left out.
        is_marked: whether a path is hidden by a mark of its system's; None where there are none.

    Attributes:
        excluded: files and folders that were left out for ``exclusion``'s sake so far.
    """

    def __init__(
        self,
        root: str,
        exclusion: Exclusion,
        is_marked: Callable[[str], bool] | None = IS_MARKED_HIDDEN,
    ) -> None:
        self._root = root
        self._is_marked = is_marked
        self._exclusion = exclusion
        self.excluded = 0

    def excludes_root(self, folder: bool) -> bool:
        """True if what was named is itself excluded: by its name, or from a folder above it."""
        return self._is_excluded(self._root, folder)

    def enters(self, path: str, linked: bool) -> bool:
        """True if a walk that is in the folder above goes into this one.

        Args:
            path: a folder.
            linked: it is a link.
        """
        if self._is_hidden(path, name_of(path)) or _is_left_out(path):
            return False
        if linked and self._leads_out(path):
            return False
        return not self._is_excluded(path, folder=True)

    def takes(self, path: str, linked: bool, beside: Beside) -> bool:
        """True if a walk that is in its folder takes this file.

        Args:
            path: a file.
            linked: it is a link.
            beside: the names in its folder.
        """
        name = name_of(path)
        if not _is_video(name) or self._is_hidden(path, name) or _is_partial(path, beside):
            return False
        if _is_left_out(path) or (linked and self._leads_out(path)):
            return False
        return not (self._is_excluded(path, folder=False) or _is_prose(path))

    def reaches(self, path: str, folder: bool) -> bool:
        """True if a walk would come to this path, which lies under the root, and take it.

        Args:
            path: a file or a folder, which may be gone already.
            folder: it is a folder.
        """
        return not self.must_be_named(path, folder) and not self.rejects(path)

    def must_be_named(self, path: str, folder: bool = False) -> bool:
        """True for a path under the root that is hidden, or a file without a video's suffix."""
        inside = self._inside(path)
        if any(map(_is_hidden, inside)) or not (folder or _is_video(inside[-1])):
            return True
        return self._is_marked is not None and any(map(self._is_marked, self._way(path)))

    def rejects(self, path: str) -> bool:
        """True for a path under the root that was thrown away, is not whole, text, or excluded."""
        if self._leads_out(path) or self._is_excluded(path, folder=os.path.isdir(path)):
            return True
        if any(_is_left_out(each) for each in self._way(path)):
            return True
        names: list[str] = []
        with suppress(OSError):
            names = os.listdir(folder_of(path))
        return not os.path.isdir(path) and (_is_partial(path, Beside(names)) or _is_prose(path))

    def _is_hidden(self, path: str, name: str) -> bool:
        return _is_hidden(name) or (self._is_marked is not None and self._is_marked(path))

    def _inside(self, path: str) -> list[str]:
        return path.removeprefix(self._root).strip("/").split("/")

    def _way(self, path: str) -> list[str]:
        """The path itself and the folders above it, up to the root."""
        way: list[str] = []
        while len(path) > len(self._root):
            way.append(path)
            path = folder_of(path)
        return way

    @cached_property
    def _real_root(self) -> str:
        return spelled(os.path.realpath(self._root))

    def _leads_out(self, path: str) -> bool:
        """True for a link to what is left out, wherever that lies."""
        real = spelled(os.path.realpath(path))
        if real == path:
            return False
        while not is_inside(self._real_root, real):
            if _is_left_out(real):
                return True
            folder = folder_of(real)
            if folder == real:
                break  # of another drive
            real = folder
        return False

    def _is_excluded(self, path: str, folder: bool) -> bool:
        excluded = self._exclusion.covers(path, self._root, folder=folder)
        self.excluded += excluded
        return excluded


def _is_video(name: str) -> bool:
    dot = name.rfind(".")
    # A name of dots alone before the last one has no suffix.
    return name[dot:].lower() in VIDEO_SUFFIXES and bool(name[: max(dot, 0)].strip("."))


def _is_hidden(name: str) -> bool:
    return name.startswith(".") and not name.startswith("._")  # macOS's forks are reported


def _is_left_out(path: str) -> bool:
    name = name_of(path)
    small = name.lower()
    if small in _NAMES or small.startswith(_BEGINNINGS) or small.endswith(_ENDINGS):
        return True
    return small == "trash" and _is_trash(path, name)


def _is_trash(path: str, name: str) -> bool:
    """True for the folder that desktops throw things into; not for any folder of that name."""
    if path.endswith("/.local/share/" + name):
        return True
    return all(os.path.isdir(os.path.join(path, part)) for part in ("files", "info"))


def _is_partial(path: str, beside: Beside) -> bool:
    """True for a download that is not whole yet, as its name and what lies beside it tell."""
    name = name_of(path)
    if (".temp." in name and _BECOMING.match(name)) or beside.has(name, NOTES):
        return True
    if beside.has(name, PARTIAL) and _is_empty(path):
        return True  # it keeps the name free
    stream = _STREAM.match(name) if ".f" in name else None
    if stream is None:
        return False
    return any(
        other.endswith((".part", ".ytdl")) or _BECOMING.match(other)
        for other in beside.of(stream["film"] + ".")
    )


def _is_empty(path: str) -> bool:
    with suppress(OSError):
        return os.stat(path).st_size == 0
    return False


def _is_prose(path: str) -> bool:
    """True for text under a suffix that it shares with video.

    Transport streams, damaged ones too, hold control characters all over; text holds none. One
    byte tells nothing.
    """
    if not path[-4:].lower().endswith(_SHARED_WITH_TEXT):
        return False
    try:
        descriptor = open_carefully(path)
    except OSError:
        return False
    try:
        head = os.read(descriptor, 1024)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    if len(head) < 2 or len(head.translate(None, _CONTROLS)) < len(head):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return 4 * sum(byte < 128 for byte in head) >= 3 * len(head)  # another code, as Latin-1
    return True
