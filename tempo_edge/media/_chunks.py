"""Where chunks of AVI, tags of FLV and packets of MXF hold pictures: header by header."""

from __future__ import annotations

from collections.abc import Iterator

from tempo_edge.media._blocks import Peek

__all__ = ["MXF_PARTITION", "chunks_of_avi", "packets_of_mxf", "tags_of_flv"]

# AVI: lists whose chunks are walked, and what a chunk of pictures is called behind its number.
_ENTERED = frozenset({b"movi", b"rec "})
_PICTURES = frozenset({b"dc", b"db"})

# FLV: what the tags hold, and the bytes of one that FFmpeg looks at.
_FLV_HEAD, _TAG_HEAD, _VIDEO = 9, 11, 9
_TAGS = frozenset({8, 9, 18})
_FLV_FRAME, _FLV_PICTURE, _FLV_TOLD = 0x80, 1, 5

#: What every MXF file begins with.
MXF_PARTITION = bytes.fromhex("060e2b34020501010d010201")

# MXF: what each packet begins with, essence and which kind of it.
_MXF_KEY = bytes.fromhex("060e2b34")
_MXF_HEADER = MXF_PARTITION + b"\1\2"
_MXF_ESSENCE = bytes.fromhex("060e2b34010201010d010301")
_MXF_PICTURE = frozenset({0x05, 0x15})


def chunks_of_avi(peek: Peek, size: int) -> Iterator[tuple[int, int]]:
    """The bounds of what each chunk of pictures holds, in the order in which they lie.

    Args:
        peek: reads the file.
        size: bytes of the file.

    Raises:
        ValueError: something there is no chunk, or another file begins there.
    """
    at = 0
    while at + 8 <= size:
        head = peek(at, 12)
        kind, length = head[:4], int.from_bytes(head[4:8], "little")
        if kind == b"RIFF" or (kind == b"LIST" and head[8:12] in _ENTERED):
            if head[8:12] == b"AVI " and at:
                raise ValueError(f"holds another file at byte {at}")
            at += 12
            continue
        if not kind.rstrip().isalnum():
            raise ValueError(f"holds no chunk of AVI at byte {at}")
        if kind[2:] in _PICTURES and kind[:2].isdigit() and length:
            yield at + 8, at + 8 + length
        at += 8 + length + length % 2


def tags_of_flv(peek: Peek, size: int) -> Iterator[tuple[int, int]]:
    """The bounds of what each tag of pictures holds of them, in the order in which they lie.

    What sets a decoder up is left out.

    Raises:
        ValueError: something there is no tag.
    """
    at = int.from_bytes(peek(5, 4), "big") + 4
    while at + _TAG_HEAD <= size:
        head = peek(at, _TAG_HEAD + 2)
        length, body = int.from_bytes(head[1:4], "big"), at + _TAG_HEAD
        if head[0] not in _TAGS:
            raise ValueError(f"holds no tag of FLV at byte {at}")
        is_frame = len(head) > _TAG_HEAD + 1 and not head[_TAG_HEAD] & _FLV_FRAME
        if head[0] == _VIDEO and is_frame and length > 2 * _FLV_TOLD:
            yield body + _FLV_TOLD, body + length
        at = body + length + 4


def packets_of_mxf(peek: Peek, size: int) -> Iterator[tuple[int, int]]:
    """The bounds of what each packet of pictures holds, in the order in which they lie.

    Raises:
        ValueError: something there is no packet of MXF, or another file begins there.
    """
    at = 0
    while at + 17 <= size:
        head = peek(at, 25)
        if not head.startswith(_MXF_KEY) or (at and head.startswith(_MXF_HEADER)):
            raise ValueError(f"holds no packet of MXF at byte {at}")
        width = head[16] & 0x7F if head[16] & 0x80 else 0
        if width > 8:
            raise ValueError(f"holds a length of {width} bytes at byte {at}")
        length = int.from_bytes(head[17 : 17 + width], "big") if width else head[16]
        body = at + 17 + width
        if head.startswith(_MXF_ESSENCE) and head[12] in _MXF_PICTURE and length:
            yield body, body + length
        at = body + length
