"""Words of a film, from all that costs no model: the film itself, files beside it, its names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from tempo_edge.errors import MediaError
from tempo_edge.words.container import lines_of_container
from tempo_edge.words.line import Line
from tempo_edge.words.names import lines_of_names
from tempo_edge.words.sidecars import Sidecar, UnreadSidecarError, lines_of_sidecar

__all__ = ["READ_KINDS", "Words", "mark_of", "read_words"]

#: The kinds of lines that are read here.
READ_KINDS = ("subtitle", "chapter", "name")

# How words are read: another number has those of all films read again.
_SCHEME = "1"

# The same of films with SubRip beside them, which was taken for words also where a drone wrote it.
_SUBRIP_SCHEME = "2"

# The mark of words that are to be read again though nothing may have changed.
_AGAIN = "again"


@dataclass(frozen=True)
class Words:
    """What was read of a film.

    Attributes:
        contents: the lines that it carries itself, whatever its file is called; None where these
            can't be read, and what is known of them stays.
        beside: the lines that its file has by its name and by what lies beside it.
        mark: tells what was read; see :func:`mark_of`.
        remark: what its owner should know, in one line, or nothing.
    """

    contents: tuple[Line, ...] | None
    beside: tuple[Line, ...]
    mark: str
    remark: str = ""


def mark_of(sidecars: Sequence[Sidecar]) -> str:
    """A mark that changes once there is something else to be read of a film.

    Args:
        sidecars: the subtitle files beside it.
    """
    if not sidecars:
        return _SCHEME
    known = json.dumps([(each.name, each.size, each.mtime_ns) for each in sidecars])
    scheme = _SUBRIP_SCHEME if any(each.form == "srt" for each in sidecars) else _SCHEME
    return f"{scheme}:{hashlib.sha256(known.encode()).hexdigest()[:32]}"


def read_words(
    path: str,
    zero: Fraction,
    end_seconds: float,
    sidecars: Sequence[Sidecar],
) -> Words:
    """The words of a film. What of them can't be read ends nothing, and is said in the remark.

    Args:
        path: where its file is, from the root.
        zero: instant of its container that its times count from, in seconds.
        end_seconds: when it is over, counted from there.
        sidecars: the subtitle files beside it.
    """
    remarks: list[str] = []
    mark = mark_of(sidecars)
    if end_seconds <= 0:
        return Words((), (), mark)  # a film that is over at once has no time for words
    carried: tuple[Line, ...] | None = None
    try:
        carried, said = lines_of_container(Path(path), zero, end_seconds)
        remarks.append(said)
    except MediaError as error:
        remarks.append(str(error))
    beside = list(lines_of_names(path, end_seconds))
    for sidecar in sidecars:
        try:
            lines, said = lines_of_sidecar(sidecar, end_seconds)
        except MediaError as error:
            lines, said = (), str(error)
            if isinstance(error, UnreadSidecarError):
                mark = _AGAIN
        beside += lines
        if said:
            remarks.append(f"{sidecar.name}: {said}")
    remark = " ".join("; ".join(filter(None, remarks)).split())
    return Words(carried, tuple(beside), mark, remark)
