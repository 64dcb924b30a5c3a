"""Where the blocks of a Matroska file hold pictures: element by element, past what they hold."""

from __future__ import annotations

from collections.abc import Iterator

from tempo_edge.media._blocks import Peek

__all__ = ["EBML", "blocks_of_matroska"]

#: What every file begins with.
EBML = b"\x1a\x45\xdf\xa3"

_HEADER, _TRACKS, _BLOCK, _SIMPLE_BLOCK = 0x1A45DFA3, 0x1654AE6B, 0xA1, 0xA3

# Elements whose contents are walked as if they lay beside them: segment, cluster, group of blocks.
_ENTERED = frozenset({0x18538067, 0x1F43B675, 0xA0})

# The others that there are on the way: those of the file and its segment, of clusters, of groups
# of blocks, and those that lie anywhere. What begins like none of these is no element.
_KNOWN = frozenset(
    {
        *(0x1A45DFA3, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1941A469, 0x1043A770),
        *(0x1254C367, 0xE7, 0x5854, 0xA7, 0xAB, 0xA3, 0xAF, 0xA1, 0xA2, 0x75A1, 0x9B, 0xFA, 0xFB),
        *(0xFD, 0xA4, 0x75A2, 0x8E, 0xC8, 0xEC, 0xBF),
    }
)

_HEAD_BYTES = 24
_MOST_TRACKS_BYTES = 1 << 20

# Elements of a track: its number, its codec, and what says that its blocks are packed.
_TRACK, _NUMBER, _CODEC, _ENCODINGS = 0xAE, 0xD7, 0x86, 0x6D80

_LACED = 0x06


def blocks_of_matroska(peek: Peek, size: int) -> Iterator[tuple[int, int]]:
    """The bounds of what each block of pictures holds, in the order in which they lie.

    Blocks of sound and text are small, and some demuxers look into them: they are left out. So are
    blocks of several frames, and those that are compressed.

    Args:
        peek: reads the file.
        size: bytes of the file.

    Raises:
        ValueError: something there is no element of Matroska, or another file begins there.
    """
    pictures: frozenset[int] = frozenset()
    at = 0
    while at < size:
        head = peek(at, _HEAD_BYTES)
        identity, after = _number(head, 0, marked=True)
        length, body = _number(head, after)
        if identity in _ENTERED:
            at += body
            continue
        is_next_file = at > 0 and identity == _HEADER
        if identity not in _KNOWN or length is None or is_next_file:
            raise ValueError(f"holds no element of Matroska at byte {at}")
        if identity == _TRACKS:
            if length > _MOST_TRACKS_BYTES:
                raise ValueError(f"holds a list of tracks of {length} bytes")
            pictures = _pictures(peek(at + body, length))
        elif identity in (_BLOCK, _SIMPLE_BLOCK):
            track, data = _number(head, body)
            data += 3  # a time and flags
            if track in pictures and not head[data - 1] & _LACED and length > data - body:
                yield at + data, at + body + length
        at += body + length


def _number(data: bytes, at: int, *, marked: bool = False) -> tuple[int | None, int]:
    """(a number of EBML, the byte behind it); None for one that says "unknown".

    Args:
        marked: whether the bit that tells its length belongs to it.

    Raises:
        ValueError: there is none.
    """
    width = 9 - data[at].bit_length() if at < len(data) else 9
    if width > 8 or at + width > len(data):
        raise ValueError("holds no number of EBML")
    value = int.from_bytes(data[at : at + width], "big")
    if marked:
        return value, at + width
    most = (1 << 7 * width) - 1
    return None if value & most == most else value & most, at + width


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(identity, contents) of elements that lie side by side."""
    at = 0
    while at < len(data):
        identity, after = _number(data, at, marked=True)
        length, body = _number(data, after)
        if length is None or identity is None or body + length > len(data):
            raise ValueError("holds an element that is longer than what holds it")
        yield identity, data[body : body + length]
        at = body + length


def _pictures(tracks: bytes) -> frozenset[int]:
    """The numbers of the tracks of pictures whose blocks lie in the file as they are."""
    found = set()
    for identity, contents in _elements(tracks):
        if identity == _TRACK:
            track = dict(_elements(contents))
            if track.get(_CODEC, b"").startswith(b"V_") and _ENCODINGS not in track:
                found.add(int.from_bytes(track.get(_NUMBER, b""), "big"))
    return frozenset(found)
