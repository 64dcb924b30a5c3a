"""Footage at sizes where faults show: more than a search looks into, longer than a first block."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from videos import make_not_a_video, make_video, texture

import tempo_edge

__all__ = ["MIB", "SIXTY", "Archive", "make_archive", "make_takes", "put_offline"]

MIB = 1 << 20

#: More videos than any search looks into.
SIXTY = 60

# A volume that is mounted nowhere.
_DRAWER = "1234:/media/stick"


@dataclass(frozen=True)
class Archive:
    """A library of sixty small videos, with all that happens to a person's.

    Attributes:
        folder: the footage; ``library``: what was made of it.
        films: the videos in the order of their numbers, a still picture each.
        twice: one of them, of which ``copy`` is a copy at a second path.
        skipped: a file that is no video.
        offline: one of them, which lies on a volume that is not there.
    """

    folder: Path
    library: Path
    films: tuple[Path, ...]
    twice: Path
    copy: Path
    skipped: Path
    offline: Path


def make_archive(folder: Path) -> Archive:
    """Draw, encode and index an archive in a folder of its own: some seconds, so once a session."""
    footage = folder / "footage"
    footage.mkdir(parents=True)
    films = [footage / f"{number:02}.mp4" for number in range(SIXTY)]
    for number, path in enumerate(films):
        make_video(path, shots=[(texture(number), 1)], size=(64, 48), rate=Fraction(8))
    copy = Path(shutil.copy(films[7], footage / "again.mp4"))
    skipped = make_not_a_video(footage / "notes.mp4")
    library = folder / "library.db"
    with tempo_edge.Library.open(library) as opened:
        opened.index(footage)
    films[-1] = put_offline(library, films[-1])
    return Archive(footage, library, tuple(films), films[7], copy, skipped, films[-1])


def put_offline(library: Path, path: Path, folder: Path = Path("/media/stick")) -> Path:
    """Let a file of a library have been on a volume that is not there, in a folder; its new path.

    The file itself stays as it is.
    """
    gone = folder / path.name
    with closing(sqlite3.connect(library)) as rows, rows:
        change = "UPDATE files SET volume=?, path=? WHERE path=?"
        assert rows.execute(change, (_DRAWER, str(gone), str(path))).rowcount == 1
    return gone


def make_takes(folder: Path) -> None:
    """Two takes of one scene: 3 MiB each, of the same length, that differ after the first two."""
    one, two = folder / "one.avi", folder / "two.avi"
    for path, ending in ((one, 2), (two, 3)):
        make_video(
            path,
            shots=[(texture(1), 5), (texture(ending), 2)],
            size=(160, 120),
            rate=Fraction(16),
            codec="rawvideo",
        )
    first, second = one.read_bytes(), two.read_bytes()
    assert len(first) == len(second) > 3 * MIB and first != second
    assert first[: 2 * MIB] == second[: 2 * MIB]
