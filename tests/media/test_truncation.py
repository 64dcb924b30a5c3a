"""What the headers of a file say of its length, to the byte, from headers written by hand."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from tempo_edge.media._truncation import Promise, lacks_fragments, promise

Promised = Callable[[bytes], Promise]


@pytest.fixture
def promised(tmp_path: Path) -> Promised:
    """What a file of some bytes says."""

    def read(content: bytes) -> Promise:
        (tmp_path / "a").write_bytes(content)
        return promise(tmp_path / "a")

    return read


def both(end: int) -> Promise:
    return Promise(end, end)


# -- Matroska ----------------------------------------------------------------------------------

SEGMENT = b"\x1a\x45\xdf\xa3\x80" + b"\x18\x53\x80\x67"


@pytest.mark.parametrize("length", range(1, 9))
def test_matroska_tells_the_length_of_its_segment(promised: Promised, length: int) -> None:
    for body in (0, 1, 100, (1 << 7 * length) - 2):
        number = (1 << 7 * length | body).to_bytes(length, "big")
        assert promised(SEGMENT + number + bytes(20)) == Promise(9 + length + body)
    unknown = ((2 << 7 * length) - 1).to_bytes(length, "big")
    assert promised(SEGMENT + unknown + bytes(20)) == Promise()


def test_matroska_that_tells_nothing(promised: Promised) -> None:
    assert promised(SEGMENT + bytes(20)) == Promise(), "a number of no length"
    assert promised(SEGMENT[:-1] + b"\x81" * 20) == Promise(), "no segment"
    assert promised(SEGMENT + b"\x81" * 7) == Promise(), "broken off within its head"
    assert promised(SEGMENT + b"\x81" * 8) == Promise(9 + 1 + 1)


# -- AVI ---------------------------------------------------------------------------------------


def chunk(kind: bytes, body: bytes, length: int | None = None) -> bytes:
    """A chunk, padded to an even length; ``length`` is what it says instead of its own."""
    told = len(body) if length is None else length
    return kind + struct.pack("<I", told) + body + bytes(len(body) % 2)


def avi(*chunks: bytes, kind: bytes = b"AVI ", length: int | None = None) -> bytes:
    return chunk(b"RIFF", kind + b"".join(chunks), length)


HEAD = chunk(b"LIST", b"hdrl" + bytes(60))
INDEX = chunk(b"idx1", bytes(32))


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_avi_tells_where_its_footage_and_its_last_list_end(promised: Promised, size: int) -> None:
    movi = chunk(b"LIST", b"movi" + bytes(size))
    film, footage = avi(HEAD, movi, INDEX), 12 + len(HEAD) + 12 + size
    assert promised(film) == Promise(len(film), footage)
    assert promised(film[: -len(INDEX)]) == Promise(len(film), footage)
    assert promised(film[: 12 + len(HEAD) + 12]) == Promise(len(film), footage)
    assert promised(film[: 12 + len(HEAD) + 11]) == Promise(len(film), 0), "no footage is seen"
    odd = chunk(b"JUNK", bytes(3))
    assert promised(avi(odd, movi)).data_end == 12 + len(odd) + 12 + size


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_last_list_of_an_avi_may_lack_its_padding(promised: Promised, size: int) -> None:
    body = b"AVI " + b"LIST" + struct.pack("<I", 4 + size) + b"movi" + bytes(size)
    film = b"RIFF" + struct.pack("<I", len(body)) + body
    assert promised(film) == both(len(film))
    padding = size % 2
    assert promised(film + bytes(padding)) == Promise(len(film) + padding, len(film))
    assert promised(film[:-1]) == Promise(len(film) + padding, len(film)), "its last byte lacks"


def test_a_long_avi_is_a_row_of_lists(promised: Promised) -> None:
    movi = chunk(b"LIST", b"movi" + bytes(100))
    first, second = avi(HEAD, movi, INDEX), avi(movi, INDEX, kind=b"AVIX")
    assert promised(first + second) == Promise(len(first + second), len(first) + 12 + len(movi))
    last = avi(INDEX, kind=b"AVIX")
    assert promised(first + last) == Promise(len(first + last), 12 + len(HEAD) + len(movi))
    assert promised(first + b"junk" * 9) == Promise(len(first), 12 + len(HEAD) + len(movi))


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF])
def test_an_avi_that_was_never_closed_promises_nothing(promised: Promised, length: int) -> None:
    assert promised(avi(HEAD, chunk(b"LIST", b"movi" + bytes(90)), length=length)) == Promise()


def test_avi_without_footage(promised: Promised) -> None:
    for film in (
        avi(HEAD, INDEX),
        avi(HEAD, chunk(b"LIST", b"movi"), INDEX),
        avi(HEAD, chunk(b"LIST", b"movi" + bytes(20), length=0xFFFFFFFF)),
        avi(*[HEAD] * 64, chunk(b"LIST", b"movi" + bytes(20))),
    ):
        assert promised(film) == Promise(len(film), 0)
    film = avi(*[HEAD] * 63, chunk(b"LIST", b"movi" + bytes(20)))
    assert promised(film) == both(len(film))


# -- ASF and FLV -------------------------------------------------------------------------------


def asf(length: int, preroll: int, flags: int = 2, data: int = 700) -> bytes:
    """A header of 160 bytes that speaks of 5000, ``length`` in 100 ns, ``preroll`` in ms."""
    head = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + struct.pack("<QIBB", 160, 1, 1, 2)
    told = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365") + struct.pack("<Q", 104) + bytes(16)
    told += struct.pack("<6QI", 5000, 9, 9, length, 9, preroll, flags) + bytes(12)
    return (head + told).ljust(160, b"\0") + bytes(16) + struct.pack("<Q", data)


def test_asf_tells_its_size_its_footage_and_its_time(promised: Promised) -> None:
    lasts = Fraction(4)
    assert promised(asf(50_000_000, 1000)) == Promise(5000, 160 + 700, lasts)
    assert promised(asf(50_000_000, 1000, data=0)) == Promise(5000, 5000, lasts)
    assert promised(asf(50_000_000, 1000)[:183]) == Promise(5000, 5000, lasts)
    assert promised(asf(50_000_000, 5000)) == Promise(5000, 860), "no time at all"
    assert promised(asf(50_000_000, 1000, flags=3)) == Promise(), "a broadcast"
    assert promised(asf(50_000_000, 1000)[:133]) == Promise(), "broken off"
    assert promised(asf(50_000_000, 1000)[:134]) == Promise(5000, 5000, lasts)


def flv(**numbers: float) -> bytes:
    told = b"".join(
        bytes([0, len(name)]) + name.encode() + b"\0" + struct.pack(">d", number)
        for name, number in numbers.items()
    )
    return b"FLV\x01\x05" + bytes(20) + told


def test_flv_tells_its_size_and_its_time(promised: Promised) -> None:
    assert promised(flv(duration=4.5, filesize=8000)) == Promise(8000, seconds=Fraction(9, 2))
    assert promised(flv(duration=0.5)) == Promise(0, seconds=Fraction(1, 2))
    assert promised(flv(duration=0, filesize=float("inf"))) == Promise()
    assert promised(flv(duration=-1, filesize=2.0**53)) == Promise()
    assert promised(flv(filesize=8000)[:-1]) == Promise(), "broken off"


# -- MXF and MPEG ------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [b"\x58", b"\x83\0\0\x58", b"\x88\0\0\0\0\0\0\0\x58"])
def test_mxf_names_its_last_partition(promised: Promised, length: bytes) -> None:
    key = bytes.fromhex("060e2b34020501010d010201") + b"\1\2\4\0"
    head = key + length + bytes(24) + struct.pack(">Q", 123_456)
    assert promised(head + bytes(64)) == both(123_456)
    assert promised(head[:60]) == Promise()


def test_a_transport_stream_holds_whole_packets(promised: Promised) -> None:
    packet = b"\x47" + bytes(187)
    assert promised(packet * 5) == both(940)
    assert promised(packet * 4 + packet[:1]) == both(940)
    assert promised(packet * 5 + packet[:-1]) == both(6 * 188)


PACKS = {"MPEG-1": b"\0\0\1\xba\x21" + bytes(7), "MPEG-2": b"\0\0\1\xba\x44" + bytes(8) + b"\xf8"}


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
def test_a_program_stream_may_break_off_between_packets_alone(
    promised: Promised, pack: bytes
) -> None:
    video = b"\0\0\1\xe0" + struct.pack(">H", 100) + bytes(100)
    padding = b"\0\0\1\xbe" + struct.pack(">H", 10) + b"\xff" * 10
    for film in (pack + video, pack + video + pack + video + padding, pack + video * 2):
        assert promised(film) == Promise(), "whole"
        assert promised(film + b"\0\0\1\xb9") == Promise(), "and its end is told"
        assert promised(film[:-1]) == both(len(film))
        assert promised(film[:-5]) == both(len(film))
        far = (pack + video) * 2000 + film
        assert promised(far[:-1]) == both(len(far)), "the tail alone is read"


def test_packets_that_no_pack_near_the_end_leads_to_tell_nothing(promised: Promised) -> None:
    film = PACKS["MPEG-1"] + (b"\0\0\1\xe0\xff\xff" + bytes(65_535)) * 2
    tail = 1 << 17
    assert promised(film[:tail]) == both(len(film))
    assert promised(film[: tail + 1]) == Promise(), "the pack lies a byte too far"


def test_packs_of_mpeg_2_may_be_stuffed(promised: Promised) -> None:
    film = PACKS["MPEG-2"][:-1] + b"\xfb\xff\xff\xff" + b"\0\0\1\xe0" + struct.pack(">H", 50)
    assert promised(film + bytes(49)) == both(len(film) + 50)
    assert promised(film + bytes(50)) == Promise()


# -- MP4 ---------------------------------------------------------------------------------------


def box(kind: bytes, size: int) -> bytes:
    return struct.pack(">I", size) + kind + bytes(size - 8)


def test_an_mp4_ends_with_the_last_box_of_footage(promised: Promised) -> None:
    film = box(b"ftyp", 16) + box(b"mdat", 200) + box(b"moov", 80)
    assert promised(film) == promised(film[:-40]) == both(296)
    assert promised(film + box(b"free", 50)) == both(296)
    assert promised(film + box(b"moof", 60)) == both(356)
    assert promised(box(b"ftyp", 16) + box(b"free", 50)) == Promise()


def test_fragments_behind_what_was_lost_are_looked_for(tmp_path: Path) -> None:
    path, block = tmp_path / "a.mp4", 1 << 20
    begun = box(b"ftyp", 16) + box(b"moov", 80)
    one = box(b"moof", 60) + box(b"mdat", 100)

    def lacks(content: bytes) -> bool:
        path.write_bytes(content)
        return lacks_fragments(path)

    assert not lacks(begun + one * 3)
    assert not lacks(begun + one + bytes(500)), "nothing follows"
    assert not lacks(begun + bytes(500) + one), "not known to have fragments"
    assert lacks(begun + one + bytes(500) + one)
    assert lacks(begun + one + struct.pack(">I", 1 << 30) + b"mdat" + one), "a length that lies"
    for gap in range(block - 9, block + 1):  # across the edge of a block as well
        assert lacks(begun + one + bytes(gap) + one)
