"""Stretches of a file that can't be read: a hole in the times whose bytes are there, and hold none.

A recording may hold a picture for minutes, may have been paused, or joined from parts: its packets
then lie side by side, or in a stream whose packets follow one another. Where a disk or a download
has lost some, a demuxer looks for the next packet it knows and says nothing.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["Layout", "least_bytes", "lost", "unread_tail"]

# A step from picture to picture that is worth a look: so long, in seconds, and so many usual ones.
_STEP, _STEPS = 0.1, 2.5

# Of the bytes that a stretch would hold at the rate of its file, the least share that tells.
_SHARE = 1 / 20
_LEAST_BYTES = 1024

# Containers whose packets lie side by side, with next to nothing between them.
_SIDE_BY_SIDE = frozenset({"avi", "flv", "matroska", "mxf"})

# Containers with packets of their own, each with a mark.
_MARKED = frozenset({"asf", "mpeg", "mpegts"})

# The mark of a transport stream's packets and where to find it: at which byte of how many. As in
# the standard, with checksums, with a time code.
_TS_SYNC, _TS_MARKS = 0x47, ((0, 188), (0, 204), (0, 192), (4, 192))

# MPEG program streams: what begins a packet, and those that don't tell their length.
_START, _PACK, _PROGRAM_END = b"\0\0\1", 0xBA, 0xB9

# Zeros between two of them, as some discs are filled up with.
_MOST_ZEROS = 4096

# ASF: what tells the length of its packets, where, and what each begins with.
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_LENGTH_AT, _ASF_MARK = 92, 0x82
_HEAD_BYTES = 1 << 16

# Matroska: what may follow the footage, a cue to it or a text, each with its length.
_MATROSKA = re.compile(
    rb"\x1c\x53\xbb\x6b|\x12\x54\xc3\x67|\x19\x41\xa4\x69|\x10\x43\xa7\x70|\x11\x4d\x9b\x74"
)

# How much of a file is looked at to find out whether packets follow one another.
_MOST_BYTES = 1 << 24


class Layout:
    """Where the packets of a stream lie in its file, ``n`` of them, in the order of decoding.

    Args:
        path: the file.
        formats: FFmpeg's names of the container.
        positions: byte at which each begins, ``[n]``.
        sizes: bytes that each holds, ``[n]``.
        elsewhere: bytes that packets of other streams held before it, ``[n]``.
    """

    def __init__(
        self,
        path: Path,
        formats: frozenset[str],
        positions: NDArray[np.int64],
        sizes: NDArray[np.int64],
        elsewhere: NDArray[np.int64],
    ) -> None:
        self._path = path
        self._formats = formats
        self._positions = positions
        self.end = int((positions + sizes).max())
        # Bytes of all packets before each, those of other streams included.
        self._held = np.cumsum(sizes) - sizes + elsewhere

    @property
    def held_bytes(self) -> int:
        """Bytes that all packets before the last one hold."""
        return int(self._held[-1])

    @property
    def unread_bytes(self) -> int:
        """Bytes between packets that no packet holds, where they are more than usual."""
        spare = np.maximum(np.diff(self._positions) - np.diff(self._held), 0)
        usual = int(np.median(spare)) if len(spare) else 0
        return int(spare[spare > 4 * usual + _LEAST_BYTES].sum())

    def after(self, row: int) -> int:
        """The first packet known to lie behind one; the last one if there is none.

        Of a picture that was torn in two, the container tells the place of its first half and the
        time of its second.
        """
        last, behind = len(self._positions) - 1, row
        while behind < last and self._positions[behind] <= self._positions[row]:
            behind += 1
        return behind

    def between(self, one: int, other: int) -> int:
        """Bytes from a packet's begin to that of a later one that no packet holds; 0 if before."""
        if other <= one:
            return 0
        lie = int(self._positions[other] - self._positions[one])
        return max(0, lie - int(self._held[other] - self._held[one]))

    def goes_on(self, one: int, other: int) -> bool | None:
        """Whether packets of any kind follow one another between two; None if that isn't known."""
        if not self._formats & _MARKED or other <= one:
            return None
        start, end = int(self._positions[one]), int(self._positions[other])
        with self._path.open("rb") as file:
            head = file.read(_HEAD_BYTES) if "asf" in self._formats else b""
            file.seek(start)
            data = file.read(min(max(0, end - start), _MOST_BYTES))
        if "asf" in self._formats:
            return _asf_goes_on(data, head)
        return _ts_goes_on(data) if "mpegts" in self._formats else _ps_goes_on(data)

    def holds_all(self, one: int, other: int, least: float) -> bool:
        """Whether nothing is lost between two packets, as far as is known.

        Args:
            one, other: rows, the second one later.
            least: how many bytes that no packet holds would tell, in a container without marks.
        """
        goes_on = self.goes_on(one, other)
        if goes_on is None:
            goes_on = not self._formats & _SIDE_BY_SIDE or self.between(one, other) < least
        return goes_on


def _ts_goes_on(data: bytes) -> bool:
    marks = np.frombuffer(data, np.uint8)
    return any(bool((marks[at::size] == _TS_SYNC).all()) for at, size in _TS_MARKS)


def _asf_goes_on(data: bytes, head: bytes) -> bool:
    at = head.find(_ASF_PROPERTIES) + _ASF_LENGTH_AT
    length = int.from_bytes(head[at : at + 4], "little") if at >= _ASF_LENGTH_AT else 0
    marks = np.frombuffer(data, np.uint8)[:: max(length, 1)]
    # Whoever writes no checksums begins packets with something else.
    return not length or not len(marks) or marks[0] != _ASF_MARK or bool((marks == _ASF_MARK).all())


def _ps_goes_on(data: bytes) -> bool:
    at = 0
    while at + 14 < len(data):
        if data[at : at + 3] != _START:
            zeros = len(data) - at - len(data[at:].lstrip(b"\0"))
            if not 2 < zeros < _MOST_ZEROS:
                return False
            at += zeros - 2
        kind = data[at + 3]
        if data[at : at + 3] != _START or kind < _PROGRAM_END:
            return False
        if kind == _PROGRAM_END:
            at += 4
        elif kind != _PACK:
            at += 6 + int.from_bytes(data[at + 4 : at + 6], "big")
        else:
            at += 14 + (data[at + 13] & 7) if data[at + 4] >> 6 == 1 else 12
    return True


def unread_tail(path: Path, start: int) -> int:
    """Bytes at the end of a Matroska file that hold neither footage nor what may follow it.

    Args:
        path: the file.
        start: byte at which the last packet ends.
    """
    with path.open("rb") as file:
        file.seek(start)
        data = file.read(_MOST_BYTES)
    for match in _MATROSKA.finditer(data):
        length = data[match.end()] if match.end() < len(data) else 0
        width = 9 - length.bit_length()
        value = int.from_bytes(data[match.end() : match.end() + width], "big")
        end = match.end() + width + (value & ((1 << 7 * width) - 1))
        if length and (end == len(data) or _MATROSKA.match(data, end)):
            return match.start()
    return len(data)


def least_bytes(rate: float, time: float) -> float:
    """How many bytes must be unread for a stretch of so much time to be lost.

    Args:
        rate: bytes that the file holds in a unit of time.
        time: how long the stretch is.
    """
    return max(_LEAST_BYTES, _SHARE * rate * time)


def lost(
    pts: NDArray[np.int64], rows: NDArray[np.int64], layout: Layout, second: float
) -> tuple[int, ...]:
    """The pictures, by number in the order in which they are shown, after which some are lost.

    Args:
        pts: when each is shown, ``[n]``, rising.
        rows: the packet of each, ``[n]``.
        layout: where packets lie.
        second: ticks a second.
    """
    gaps = np.diff(pts)
    if not len(gaps):
        return ()
    usual = int(np.median(gaps))
    far = gaps > max(_STEP * second, _STEPS * usual)
    shown = int(gaps[~far].sum())
    if not shown:
        return ()
    rate = layout.held_bytes / shown
    found = []
    for at in np.flatnonzero(far).tolist():
        one, other = int(rows[at]), layout.after(int(rows[at + 1]))
        if not layout.holds_all(one, other, least_bytes(rate, float(gaps[at]))):
            found.append(at)
    return tuple(found)
