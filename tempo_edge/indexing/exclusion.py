"""What a person wants left out, as patterns of a gitignore file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import gitmatch

from tempo_edge._files.spelling import IS_WINDOWS, name_of, spelled
from tempo_edge.errors import TempoEdgeError

__all__ = ["NOTHING", "Exclusion"]

# Of the libraries with a permissive licence gitmatch differs least from git itself: in 8 of 25,812
# judgements on random patterns and names, where gitignore-parser did in 540 (pathspec, MPL: 97).

# What Windows' users write between folders; before a letter git's escape has no sense.
_BACKSLASH = re.compile(r"\\\w")


class Exclusion:
    """Patterns of files and folders to leave out; later ones win, ``!`` takes back.

    Args:
        patterns: as in a gitignore file that lies in the folder that was named.
        folders: those that were named; what lies under one is judged from there.

    Raises:
        TempoEdgeError: one is no pattern, or could never match.
    """

    def __init__(self, patterns: Iterable[str] = (), folders: Sequence[Path] = ()) -> None:
        given = [patterns] if isinstance(patterns, str) else list(patterns)
        for pattern in given:
            _check(pattern, folders)
        self._patterns = gitmatch.compile(map(_free, given)) if given else None
        self._folders = [spelled(folder).rstrip("/") for folder in folders]

    def covers(self, path: str, root: str, *, folder: bool) -> bool:
        """True if a path is to be left out.

        Args:
            path: at or under ``root``.
            root: what was named; of itself a file is judged by its name, a folder not at all.
            folder: the path is a folder.
        """
        if self._patterns is None:
            return False
        if path in self._folders:
            return False
        around = [each for each in self._folders if path.startswith(f"{each}/")]
        base = max(around, key=len, default=root.rstrip("/"))
        inside = path[len(base) :].lstrip("/")
        if not inside and not folder:
            inside = name_of(path)
        return bool(inside) and bool(self._patterns.match(inside, is_dir=folder))


NOTHING = Exclusion()


def _free(pattern: str) -> str:
    """A pattern without the slash before ``**/``, with which gitmatch wants a folder."""
    return re.sub(r"\A(!?)/\*\*/", r"\1**/", pattern)


def _check(pattern: str, folders: Sequence[Path]) -> None:
    """Refuse what gitignore's rules would pass over: what it was to leave out would be indexed.

    Raises:
        TempoEdgeError: the pattern can match nothing.
    """
    shown = f"the pattern {pattern!r} of files to leave out"
    if pattern.lstrip().startswith("#"):
        raise TempoEdgeError(f"{shown} is a comment: write {chr(92)}{pattern.lstrip()}")
    try:
        rule = gitmatch.pattern2regex(pattern)
    except gitmatch.InvalidPatternError as error:
        raise TempoEdgeError(f"{shown} is not one of gitignore: {error}") from error
    if rule is None:
        raise TempoEdgeError(f"{shown} is empty: write one such as 'raw/' or '*.avi'")
    if pattern.startswith(("./", "../", "~")):
        raise TempoEdgeError(f"{shown} begins at no folder that is indexed: write '/raw' or 'raw/'")
    for folder in folders:
        top = spelled(folder).rstrip("/")
        if top and spelled(pattern).startswith(f"{top}/"):
            inside = spelled(pattern).removeprefix(top)
            raise TempoEdgeError(f"{shown} begins at the folder that is indexed: write {inside!r}")
    if IS_WINDOWS and _BACKSLASH.search(pattern):
        typed = pattern.replace("\\", "/")
        raise TempoEdgeError(f"{shown} has backslashes between folders: write {typed!r}")
