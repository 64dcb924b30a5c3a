"""The time-code track of QuickTime files and MP4s: a count of frames, at a rate of its own.

FFmpeg gives the label that it makes of the count, without the rate that the label counts at, and
none where the rate and the flags do not go together. Both are read from the file's boxes
(ISO 14496-12, QuickTime File Format: "Timecode media"), a few hundred bytes wherever they lie.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

__all__ = ["TimecodeTrack", "read_timecode_track"]

# Boxes that are looked at within one other: a file may claim millions of empty ones.
_MOST_BOXES = 4096

_DROP_FRAME = 0x0001


@dataclass(frozen=True)
class TimecodeTrack:
    """The first sample of a time-code track, and how it counts.

    Attributes:
        count: frames since 00:00:00:00 at the first picture; negative ones count from the day
            before.
        rate: frames that are counted a second.
        drop: whether labels are dropped.
    """

    count: int
    rate: Fraction
    drop: bool


class _Box(NamedTuple):
    kind: bytes
    start: int
    end: int


def read_timecode_track(path: Path, film: int) -> TimecodeTrack | None:
    """The time-code track that a film's track refers to, else the file's first, or None.

    Args:
        path: a file of any kind; what is no QuickTime file or MP4 has no such track.
        film: the ID of the film's track.

    Raises:
        OSError: the file can't be read.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        try:
            return _track_of(file, size, film)
        except (struct.error, OverflowError):  # shorter than what it must hold, or beyond all
            return None


def _track_of(file: BinaryIO, size: int, film: int) -> TimecodeTrack | None:
    movie = _first(file, _Box(b"", 0, size), b"moov")
    if movie is None:
        return None
    tracks = [box for box in _boxes(file, movie) if box.kind == b"trak"]
    counting = {_id_of(file, box): box for box in tracks if _entry_of(file, box) is not None}
    meant = [_referred(file, box) for box in tracks if _id_of(file, box) == film]
    chosen = next((each for each in meant if each in counting), next(iter(counting), None))
    return None if chosen is None else _read(file, counting[chosen])


def _read(file: BinaryIO, track: _Box) -> TimecodeTrack | None:
    entry = _entry_of(file, track)
    place = _place_of(file, track)
    if entry is None or place is None:
        return None
    # Behind the box's header: reserved, data reference, reserved; then what counts.
    flags, scale, ticks, numbers = struct.unpack(">IIIB", _at(file, entry.start + 12, 13))
    rate = Fraction(scale, ticks) if scale and ticks else Fraction(numbers)
    if not rate:
        return None
    (count,) = struct.unpack(">i", _at(file, place, 4))
    return TimecodeTrack(count, rate, bool(flags & _DROP_FRAME))


def _id_of(file: BinaryIO, track: _Box) -> int | None:
    header = _first(file, track, b"tkhd")
    if header is None:
        return None
    times: Literal[8, 16] = 16 if _at(file, header.start, 1) == b"\1" else 8
    return _number(file, header.start + 4 + times)


def _referred(file: BinaryIO, track: _Box) -> int | None:
    """The ID of the time-code track that a track refers to."""
    box = _path(file, track, b"tref", b"tmcd")
    return None if box is None or box.end - box.start < 4 else _number(file, box.start)


def _entry_of(file: BinaryIO, track: _Box) -> _Box | None:
    """The sample description of a time-code track."""
    table = _path(file, track, b"mdia", b"minf", b"stbl", b"stsd")
    # Behind a version and the number of entries.
    return table and _first(file, table._replace(start=table.start + 8), b"tmcd")


def _place_of(file: BinaryIO, track: _Box) -> int | None:
    """Where in the file the first sample of a track lies."""
    table = _path(file, track, b"mdia", b"minf", b"stbl")
    if table is None:
        return None
    for kind, form in ((b"stco", ">I"), (b"co64", ">Q")):
        box = _first(file, table, kind)
        if box is not None and _number(file, box.start + 4):
            (place,) = struct.unpack(form, _at(file, box.start + 8, struct.calcsize(form)))
            return int(place)
    return None


def _path(file: BinaryIO, box: _Box, *kinds: bytes) -> _Box | None:
    found: _Box | None = box
    for kind in kinds:
        found = found and _first(file, found, kind)
    return found


def _first(file: BinaryIO, box: _Box, kind: bytes) -> _Box | None:
    return next((each for each in _boxes(file, box) if each.kind == kind), None)


def _boxes(file: BinaryIO, box: _Box) -> Iterator[_Box]:
    """The boxes within another, as far as they make sense."""
    at = box.start
    for _ in range(_MOST_BOXES):
        head = _at(file, at, 16) if box.end - at >= 16 else _at(file, at, 8)
        if box.end - at < 8 or len(head) < 8:
            return
        size, kind = struct.unpack_from(">I4s", head)
        header = 8
        if size == 1 and len(head) == 16:
            (size,) = struct.unpack_from(">Q", head, 8)
            header = 16
        elif size == 0:
            size = box.end - at  # to the end of what holds it
        if size < header or size > box.end - at:
            return
        yield _Box(kind, at + header, at + size)
        at += size


def _number(file: BinaryIO, at: int) -> int:
    (number,) = struct.unpack(">I", _at(file, at, 4))
    return int(number)


def _at(file: BinaryIO, at: int, length: int) -> bytes:
    file.seek(at)
    return file.read(length)
