"""Whether a file is as long as its own headers say, or was cut short: by a download, say."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from tempo_edge._files.reading_at import read_at
from tempo_edge.media._promises import outermost_boxes

__all__ = ["Promise", "lacks_fragments", "promise"]

# Matroska's element that holds all others; it stands behind a short header.
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"

_HEAD_BYTES = 4096

# The boxes of an MP4 that hold footage or its tables.
_BOXES = frozenset({b"mdat", b"moov", b"moof"})

# How much of a file is looked through for the next fragment behind one that was lost.
_SEARCH_BYTES, _BLOCK_BYTES = 1 << 28, 1 << 20

_TS_BYTES, _TS_SYNC = 188, 0x47

# An AVI's list of footage stands behind a few others.
_MOST_CHUNKS = 64

# ASF: what every file begins with, and the object in it that tells its length.
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_BROADCAST = 1

# MXF: the partition that every file begins with, any kind of it, and where it names the last one.
_MXF_PARTITION = bytes.fromhex("060e2b34020501010d010201")
_MXF_FOOTER = 24

# MPEG program streams: a pack, and the packets in it that tell their length.
_PACK, _START, _PROGRAM_END = b"\0\0\1\xba", b"\0\0\1", 0xB9
_PS_TAIL_BYTES = 1 << 17


@dataclass(frozen=True)
class Promise:
    """What a file's headers say of its length.

    Attributes:
        end: byte at which the file ends; 0 where that is nowhere written.
        data_end: byte at which its pictures and sounds end, before an index say; 0 where unknown.
        seconds: how long it lasts, where the writer's own word is kept; None elsewhere.
    """

    end: int = 0
    data_end: int = 0
    seconds: Fraction | None = None


def promise(path: Path) -> Promise:
    """What a file says of its length, as far as its container tells.

    Raises:
        OSError: the file can't be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head, descriptor = file.read(_HEAD_BYTES), file.fileno()
        if head.startswith(_EBML):
            return Promise(_segment_end(head))
        if head[:4] == b"RIFF":
            return _riff(descriptor, size)
        if head.startswith(_ASF_HEADER):
            return _asf(head)
        if head.startswith(b"FLV"):
            return _flv(head)
        if head.startswith(_MXF_PARTITION):
            return _both(_mxf_footer(head))
        if head.startswith(_PACK):
            return _both(_last_pack_end(descriptor, size))
        if len(head) > _TS_BYTES and head[0] == head[_TS_BYTES] == _TS_SYNC:
            return _both(size + -size % _TS_BYTES)
        boxes = outermost_boxes(descriptor, size)
        return _both(max((end for kind, _, end in boxes if kind in _BOXES), default=0))


def lacks_fragments(path: Path) -> bool:
    """Whether an MP4 has fragments that can't be reached: its boxes break off before them.

    Raises:
        OSError: the file can't be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        at, is_fragmented = 0, False
        for kind, _, end in outermost_boxes(file.fileno(), size):
            if not kind.isalnum() or end > size:
                break
            at, is_fragmented = end, is_fragmented or kind == b"moof"
        if not is_fragmented:
            return False
        file.seek(at)
        last = min(size, at + _SEARCH_BYTES)
        tail = b""
        while at < last and (block := file.read(_BLOCK_BYTES)):
            if b"moof" in tail + block:
                return True
            at, tail = at + len(block), block[-3:]
    return False


def _both(end: int) -> Promise:
    """The promise of a container in which nothing follows the footage."""
    return Promise(end, end)


def _segment_end(head: bytes) -> int:
    """Where Matroska's segment ends; 0 where that was never written down."""
    at = head.find(_SEGMENT) + len(_SEGMENT)
    if at < len(_SEGMENT) or at + 8 > len(head) or not head[at]:
        return 0
    length = 9 - head[at].bit_length()  # of the number itself, in bytes: EBML's
    unknown = (1 << 7 * length) - 1
    body = int.from_bytes(head[at : at + length], "big") & unknown
    return 0 if body == unknown else at + length + body


def _riff(descriptor: int, size: int) -> Promise:
    """Where the last of an AVI's lists ends, long ones being a row of them, and its footage."""
    at = footage = length = 0
    while at + 8 <= size:
        head = read_at(descriptor, 8, at)
        length = int.from_bytes(head[4:], "little")
        if head[:4] != b"RIFF" or length in (0, 0xFFFFFFFF):  # a writer that was never closed
            break
        footage = _movi_end(descriptor, at, min(size, at + 8 + length)) or footage
        at += 8 + length + length % 2
    end = at - length % 2 if at == size + 1 else at  # the last one may lack its padding
    return Promise(end, min(footage, end))


def _movi_end(descriptor: int, at: int, end: int) -> int:
    """Where the footage of the AVI's list at a byte ends; 0 where it holds none."""
    at += 12
    for _ in range(_MOST_CHUNKS):
        head = read_at(descriptor, 12, at) if at + 12 <= end else b""
        length = int.from_bytes(head[4:8], "little")
        if len(head) < 12 or length == 0xFFFFFFFF:
            return 0
        if head[:4] == b"LIST" and head[8:] == b"movi":
            return at + 8 + length if length > 4 else 0
        at += 8 + length + length % 2
    return 0


def _asf(head: bytes) -> Promise:
    """What the properties of an ASF file say; its footage is an object right after the header."""
    (header,) = struct.unpack_from("<Q", head, 16)
    at = head.find(_ASF_PROPERTIES)
    if at < 0 or at + 104 > len(head):
        return Promise()
    size, _, _, length, _, preroll, flags = struct.unpack_from("<6QI", head, at + 40)
    if flags & _ASF_BROADCAST:
        return Promise()
    data = 0
    if header + 24 <= len(head):
        (data,) = struct.unpack_from("<Q", head, header + 16)
    seconds = Fraction(length, 10**7) - Fraction(preroll, 1000)
    return Promise(size, header + data if data else size, seconds if seconds > 0 else None)


def _flv(head: bytes) -> Promise:
    """What an FLV file's first tag says, where it does."""
    size, seconds = _flv_number(head, b"filesize"), _flv_number(head, b"duration")
    told = Fraction(seconds).limit_denominator(10**6) if seconds > 0 else None
    return Promise(int(size), seconds=told)


def _flv_number(head: bytes, name: bytes) -> float:
    at = head.find(bytes([0, len(name)]) + name + b"\0") + len(name) + 3
    if at < len(name) + 3 or at + 8 > len(head):
        return 0.0
    number: float = struct.unpack_from(">d", head, at)[0]
    return number if 0 < number < 1 << 53 else 0.0


def _mxf_footer(head: bytes) -> int:
    """Where an MXF file's last partition begins; 0 where that was never written down."""
    at = len(_MXF_PARTITION) + 4
    if len(head) < at + 64:
        return 0
    value = at + 1 + (head[at] & 0x7F if head[at] & 0x80 else 0)  # behind the length of its own
    return int(struct.unpack_from(">Q", head, value + _MXF_FOOTER)[0])


def _last_pack_end(descriptor: int, size: int) -> int:
    """Where the last packet of an MPEG program stream ends, by its own length.

    Such a stream may break off between two packets, and nothing in it tells.
    """
    start = max(0, size - _PS_TAIL_BYTES)
    tail = read_at(descriptor, size - start, start)
    at = tail.rfind(_PACK)
    if at < 0:
        return 0
    mark = tail[at + 4 : at + 5]
    if mark and mark[0] >> 6 == 1:  # MPEG-2, whose packs may be stuffed
        at += 14 + (tail[at + 13] & 7 if at + 13 < len(tail) else 0)
    else:
        at += 12
    while tail[at : at + 3] == _START and at + 6 <= len(tail) and tail[at + 3] > _PROGRAM_END:
        at += 6 + int.from_bytes(tail[at + 4 : at + 6], "big")
    return start + at if at > len(tail) else 0
