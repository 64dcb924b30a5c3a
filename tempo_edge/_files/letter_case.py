"""The case of letters in names, which many file systems keep and don't tell apart.

On those a file that was renamed from ``A.mp4`` to ``a.mp4`` is found by both names. It has one all
the same: that in the list of its folder.
"""

# Strings and `os` instead of `Path`: whatever is noticed in a watched folder is asked about.
# ruff: noqa: PTH118, PTH208

from __future__ import annotations

import os
import unicodedata

from tempo_edge._files.spelling import folder_of, joined, name_of

__all__ = ["as_listed", "is_as_listed"]


def is_as_listed(path: str) -> bool:
    """Whether a path that leads to something is spelled as the folders on its way list it."""
    return as_listed(path) == path


def as_listed(path: str) -> str:
    """A path as a library spells it, every part in the case in which its folder lists it.

    Folders that tell cases apart are not listed for it, and what is not there stays as it is.
    """
    if not (name := name_of(path)):
        return path
    folder = folder_of(path)
    return joined(as_listed(folder), _listed(folder, name))


def _listed(folder: str, name: str) -> str:
    """A name as its folder lists it."""
    if not _is_folded(folder, name):
        return name
    try:
        names = os.listdir(folder)
    except OSError:
        return name
    if name in names:
        return name
    return next((each for each in names if _folded(each) == _folded(name)), name)


def _is_folded(folder: str, name: str) -> bool:
    """Whether what has a name is found by that name in other cases as well, or in other code."""
    try:
        facts = os.lstat(os.path.join(folder, name))
    except OSError:
        return False
    others = {name.swapcase(), *(unicodedata.normalize(form, name) for form in ("NFC", "NFD"))}
    for other in others - {name}:
        try:
            if os.path.samestat(facts, os.lstat(os.path.join(folder, other))):
                return True
        except OSError:
            continue
    return False


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
