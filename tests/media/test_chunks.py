"""Where chunks, tags and packets hold pictures, to the byte, in files written by hand."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

import pytest

from tempo_edge.media._chunks import chunks_of_avi, packets_of_mxf, tags_of_flv

Walk = Callable[[Callable[[int, int], bytes], int], Iterator[tuple[int, int]]]


def found(walk: Walk, content: bytes) -> list[tuple[int, int]]:
    return list(walk(lambda at, size: content[at : at + size], len(content)))


def chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def avi(*chunks: bytes, kind: bytes = b"AVI ") -> bytes:
    return chunk(b"RIFF", kind + chunk(b"LIST", b"movi" + b"".join(chunks)))


def test_chunks_of_pictures_are_found_in_lists_and_lists_of_lists() -> None:
    record = chunk(b"LIST", b"rec " + chunk(b"00dc", bytes(7)) + chunk(b"01wb", bytes(5)))
    content = avi(chunk(b"ix00", bytes(24)), record, chunk(b"00db", bytes(100)))
    first = content.index(b"00dc") + 8
    assert found(chunks_of_avi, content) == [(first, first + 7), (len(content) - 100, len(content))]
    more = avi(chunk(b"00dc", bytes(50)), kind=b"AVIX")
    assert len(found(chunks_of_avi, content + more)) == 3, "a long one is a row of lists"


def test_what_is_no_chunk_and_another_file_are_refused() -> None:
    content = avi(chunk(b"00dc", bytes(50)))
    with pytest.raises(ValueError, match="another file at byte"):
        found(chunks_of_avi, content + content)
    with pytest.raises(ValueError, match="no chunk of AVI at byte"):
        found(chunks_of_avi, content + bytes(20))


def tag(kind: int, body: bytes) -> bytes:
    head = bytes([kind]) + len(body).to_bytes(3, "big") + bytes(7)
    return head + body + (11 + len(body)).to_bytes(4, "big")


def test_tags_of_pictures_are_found_but_for_what_is_looked_at() -> None:
    head = b"FLV\1\5" + (9).to_bytes(4, "big") + bytes(4)
    picture = b"\x27\1\0\0\0" + bytes(300)
    content = head + tag(18, bytes(90)) + tag(8, bytes(60)) + tag(9, picture) + tag(9, b"\x17\2\0")
    start = content.index(picture) + 5
    assert found(tags_of_flv, content) == [(start, start + 300)]
    assert found(tags_of_flv, head + tag(9, b"\x97" + bytes(300))) == [], "of a newer kind"
    with pytest.raises(ValueError, match="no tag of FLV at byte"):
        found(tags_of_flv, content + bytes(40))


def klv(key: str, body: bytes, width: int = 3) -> bytes:
    length = (
        bytes([0x80 | width]) + len(body).to_bytes(width, "big") if width else bytes([len(body)])
    )
    return bytes.fromhex("060e2b34" + key) + length + body


HEADER, PICTURE = "020501010d01020101020400", "010201010d01030115010500"
SOUND = "010201010d01030116010500"


@pytest.mark.parametrize("width", [0, 1, 3, 8])
def test_packets_of_pictures_are_found(width: int) -> None:
    content = klv(HEADER, bytes(88)) + klv(PICTURE, bytes(90), width) + klv(SOUND, bytes(40))
    end = len(content) - 20 - 40
    assert found(packets_of_mxf, content) == [(end - 90, end)]


def test_what_is_no_packet_and_another_header_are_refused() -> None:
    content = klv(HEADER, bytes(88)) + klv(PICTURE, bytes(90))
    for more in (content, bytes(40)):
        with pytest.raises(ValueError, match="no packet of MXF at byte"):
            found(packets_of_mxf, content + more)
    with pytest.raises(ValueError, match="a length of 15 bytes"):
        found(packets_of_mxf, content + klv(PICTURE, b"", 15))
