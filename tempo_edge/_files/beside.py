"""What lies in a folder, beside a film: names, the files of some of them, and whose they are."""

# Strings and `os` instead of `Path`: a library may have many files.
# ruff: noqa: PTH116, PTH122

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator

from tempo_edge._files.signatures import VIDEO_SUFFIXES
from tempo_edge._files.spelling import folder_of, joined, name_of

__all__ = [
    "SUBTITLES",
    "Folder",
    "films_beside",
    "films_of",
    "names_in",
    "names_of_facts",
    "regular_files",
]

#: What the names of subtitle files end in.
SUBTITLES = frozenset({".srt", ".vtt", ".ass", ".ssa", ".lrc"})

# What names of files end in that may belong to a film.
_KINDS = frozenset({*SUBTITLES, ".xmp", ".json"})

# Google Photos cuts names that are longer, with all that it adds, and counts copies in brackets.
_TAKEOUT_LETTERS = 46
_ADDED = ".supplemental-metadata"
_COPY = re.compile(r"^(.*)(\(\d{1,4}\))(\.[^.]{1,5})$")


class Folder:
    """The names in the folder that was asked for last: it is listed once where films come in order.

    Whoever looks at films one after the other shares it.
    """

    def __init__(self) -> None:
        self._path: str | None = None
        self._names: tuple[str, ...] = ()

    def forget(self) -> None:
        """List folders anew: something may have changed."""
        self._path = None

    def names(self, path: str) -> tuple[str, ...]:
        """The names of all that lies in a folder: one object as long as it is not forgotten."""
        if path != self._path:
            self._path, self._names = path, tuple(names_in(path))
        return self._names


def names_in(folder: str) -> list[str]:
    """The names of all that lies in a folder, in no order; none where it can't be listed.

    Who walks over the folder says that it can't be.
    """
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries]
    except OSError:
        return []


def regular_files(
    folder: str, names: Iterable[str], most: int
) -> Iterator[tuple[str, str, os.stat_result]]:
    """(name, path, facts) of those names that are files, and `most` of these at most."""
    taken = 0
    for name in names:
        path = joined(folder, name)
        try:
            facts = os.stat(path)
        except OSError:
            continue  # a link to nowhere
        if stat.S_ISREG(facts.st_mode) and taken < most:
            taken += 1
            yield name, path, facts


def names_of_facts(film: str) -> Iterator[str]:
    """The names that files with facts of when and where a film was taken may have."""
    stem = film.rpartition(".")[0] or film
    yield f"{film}.xmp"
    yield f"{stem}.xmp"
    counted = _COPY.match(film)
    original, number = (counted[1] + counted[3], counted[2]) if counted else (film, "")
    for each in dict.fromkeys((film, original)):
        count = number if each != film else ""
        yield f"{each}{count}.json"
        yield f"{(each + _ADDED)[:_TAKEOUT_LETTERS]}{count}.json"
        yield f"{each}{_ADDED}{count}.json"
    yield f"{stem}.json"


def _kind(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def films_of(name: str, others: Iterable[str]) -> Iterator[str]:
    """The names of films among others that a file of subtitles or of facts may belong to.

    Args:
        name: what it is called; of a file of another kind there is none.
    """
    kind, folded = _kind(name), name.casefold()
    if kind not in _KINDS:
        return
    for film in others:
        stem, suffix = os.path.splitext(film)
        if suffix.lower() not in VIDEO_SUFFIXES:
            continue
        if kind in SUBTITLES:
            is_its = folded.startswith(f"{stem}.".casefold())
        else:
            is_its = folded in map(str.casefold, names_of_facts(film))
        if is_its:
            yield film


def films_beside(path: str) -> list[str]:
    """The films in the folder of a file that it may belong to by its name.

    Args:
        path: where it is or was, from the root.
    """
    folder, name = folder_of(path), name_of(path)
    if _kind(name) not in _KINDS:
        return []
    return [joined(folder, film) for film in films_of(name, names_in(folder))]
