"""Where Matroska's blocks hold pictures, to the byte, in files written by hand."""

from __future__ import annotations

import pytest

from tempo_edge.media._matroska import blocks_of_matroska

UNKNOWN = b"\x01\xff\xff\xff\xff\xff\xff\xff"


def element(identity: str, body: bytes, length: bytes | None = None) -> bytes:
    return bytes.fromhex(identity) + (length or (1 << 28 | len(body)).to_bytes(4, "big")) + body


def track(number: int, codec: bytes, *more: bytes) -> bytes:
    told = element("d7", bytes([number])) + element("86", codec)
    return element("ae", told + b"".join(more))


PACKED = element("6d80", element("6240", b""))
TRACKS = element(
    "1654ae6b",
    track(1, b"V_MPEG4/ISO/AVC") + track(2, b"A_AAC") + track(3, b"V_MPEG4/ISO/AVC", PACKED),
)
HEAD = element("1a45dfa3", bytes(20))


def block(number: int, size: int, flags: int = 0x80, identity: str = "a3") -> bytes:
    return element(identity, bytes([0x80 | number, 0, 0, flags]) + bytes(size))


def found(content: bytes) -> list[tuple[int, int]]:
    def peek(at: int, size: int) -> bytes:
        return content[at : at + size]

    return list(blocks_of_matroska(peek, len(content)))


def film(*cluster: bytes, length: bytes | None = None) -> bytes:
    body = TRACKS + element("1f43b675", element("e7", b"\0") + b"".join(cluster), length)
    return HEAD + element("18538067", body, length)


@pytest.mark.parametrize("length", [None, UNKNOWN], ids=["told", "live"])
def test_blocks_of_pictures_are_found(length: bytes | None) -> None:
    one, two = block(1, 1000), block(1, 300, 0)
    content = film(one, block(2, 77), two, length=length)
    first, second = content.index(one) + len(one), content.index(two) + len(two)
    assert found(content) == [(first - 1000, first), (second - 300, second)]


def test_a_group_of_blocks_holds_one(length: None = None) -> None:
    inner = block(1, 500, 0, "a1")
    content = film(element("a0", inner + element("9b", b"\5") + element("fb", b"\1")), block(1, 9))
    end = content.index(inner) + len(inner)
    assert found(content) == [(end - 500, end), (len(content) - 9, len(content))]


@pytest.mark.parametrize("flags", [0x02, 0x04, 0x06])
def test_blocks_of_several_frames_and_packed_ones_are_read(flags: int) -> None:
    assert found(film(block(1, 99, flags), block(3, 99), block(2, 99))) == []


def test_what_is_no_element_is_refused() -> None:
    whole = film(block(1, 99), block(1, 99))
    for content, reason in (
        (whole.replace(block(1, 99), bytes(107), 1), "no number"),
        (whole + b"\x81\x81", "no element of Matroska at byte"),
        (whole + whole, "no element of Matroska at byte"),
        (HEAD + element("18538067", element("1654ae6b", b"\xae\x85\xd7")), "longer than what"),
        (
            HEAD + element("18538067", bytes.fromhex("1654ae6b") + b"\x10\xff\xff\xff"),
            "of 16777215",
        ),
    ):
        with pytest.raises(ValueError, match=reason):
            found(content)
