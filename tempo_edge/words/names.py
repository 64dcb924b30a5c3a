"""Words in the names of a film's file and of the folders around it: weak evidence of all of it."""

from __future__ import annotations

import re

from tempo_edge.words.line import Line
from tempo_edge.words.markup import plain

__all__ = ["NAME_CONFIDENCE", "lines_of_names"]

#: How sure it is that a film shows what its name says: names are for the whole.
NAME_CONFIDENCE = 0.5

# Folders that count, the nearest ones: those further up are of a disk, or of its owner.
_FOLDERS = 2

# A date as cameras write it, and what stands between words.
_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)([01]\d)([0-3]\d)(?!\d)")
_BETWEEN = re.compile(r"[\W_]+")


def lines_of_names(path: str, end_seconds: float) -> tuple[Line, ...]:
    """A line for the name of a file, and one for each of the nearest folders.

    Args:
        path: where the file is, from the root.
        end_seconds: when its film is over.
    """
    *folders, name = path.split("/")
    stem = name.rpartition(".")[0] or name
    named = [("file name", stem)]
    named += [("folder", folder) for folder in reversed(folders[1:][-_FOLDERS:])]
    return tuple(
        Line(0.0, end_seconds, "name", text, "", NAME_CONFIDENCE, source)
        for source, each in named
        if (text := _spelled(each)) and end_seconds > 0
    )


def _spelled(name: str) -> str:
    """The words of a name, with spaces between them."""
    return plain(_BETWEEN.sub(" ", _DATE.sub(r"\1 \2 \3", name)))
