"""Whether a file is as long as its own headers say, or was cut short: by a download, say."""

from __future__ import annotations

import os
from pathlib import Path

from tempo_edge.media._promises import outermost_boxes

__all__ = ["missing_bytes"]

# Matroska's element that holds all others; it stands behind a short header.
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"

_HEAD_BYTES = 4096

# The boxes of an MP4 that hold footage or its tables.
_BOXES = frozenset({b"mdat", b"moov", b"moof"})

_TS_BYTES, _TS_SYNC = 188, 0x47


def missing_bytes(path: Path) -> int:
    """How many bytes a file lacks at its end, as far as its container tells; 0 where it is whole.

    Raises:
        OSError: the file can't be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        if head.startswith(_EBML):
            promised = _segment_end(head)
        elif head[:4] == b"RIFF":
            promised = _riff_end(file.fileno(), size)
        elif len(head) > _TS_BYTES and head[0] == head[_TS_BYTES] == _TS_SYNC:
            promised = size + -size % _TS_BYTES
        else:
            boxes = outermost_boxes(file.fileno(), size)
            promised = max((end for kind, _, end in boxes if kind in _BOXES), default=0)
    return max(0, promised - size)


def _segment_end(head: bytes) -> int:
    """Where Matroska's segment ends; 0 where that was never written down."""
    at = head.find(_SEGMENT) + len(_SEGMENT)
    if at < len(_SEGMENT) or at + 8 > len(head) or not head[at]:
        return 0
    length = 9 - head[at].bit_length()  # of the number itself, in bytes: EBML's
    unknown = (1 << 7 * length) - 1
    body = int.from_bytes(head[at : at + length], "big") & unknown
    return 0 if body == unknown else at + length + body


def _riff_end(descriptor: int, size: int) -> int:
    """Where the last of an AVI's lists ends: long ones are a row of them."""
    at = 0
    while at + 8 <= size:
        head = os.pread(descriptor, 8, at)
        length = int.from_bytes(head[4:], "little")
        if head[:4] != b"RIFF" or length in (0, 0xFFFFFFFF):  # a writer that was never closed
            break
        at += 8 + length + length % 2
    return at - 1 if at == size + 1 else at  # the last one may lack its padding
