"""Small files that promise far more than they hold, or times that no camera would give."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
from av.video.frame import VideoFrame
from videos import Painter, solid

__all__ = ["make_stamped", "make_table", "png"]


def make_stamped(
    path: Path, milliseconds: Sequence[int], shots: Sequence[Painter] = (), gop: int = 12
) -> Path:
    """A Matroska film of 64x48 whose pictures have these time stamps, whatever they are.

    Picture ``i`` is drawn by ``shots[i]``; without them each differs from the one before.
    """
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.max_b_frames = 0
        stream.codec_context.gop_size = gop
        packets = []
        for index in range(len(milliseconds)):
            grey = index * 37 % 256
            paint = shots[index] if shots else solid((grey, grey, grey))
            frame = VideoFrame.from_ndarray(paint(64, 48, index), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            packets += stream.encode(frame)
        packets += stream.encode(None)
        for packet, at in zip((p for p in packets if p.size), milliseconds, strict=True):
            packet.time_base = Fraction(1, 1000)
            packet.pts = packet.dts = at
            packet.stream = stream
            out.mux_one(packet)
    return path


def _words(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


def _atom(kind: bytes, *parts: bytes) -> bytes:
    return _words(8 + sum(map(len, parts))) + kind + b"".join(parts)


def _full(kind: bytes, *parts: bytes) -> bytes:
    return _atom(kind, bytes(4), *parts)


def make_table(
    path: Path,
    sample: bytes,
    *,
    size: int,
    chunks: int = 1,
    samples_a_chunk: int = 1,
    codec: bytes = b"jpeg",
    shape: tuple[int, int] = (64, 48),
    edits: Sequence[tuple[int, int]] = (),
    scales: tuple[int, int] = (1, 1),
) -> Path:
    """An MP4 of a picture a second whose table names one piece of data again and again.

    Args:
        path: the file to write.
        sample: what is in the file.
        size: bytes of each picture, as the table says.
        chunks, samples_a_chunk: how many pictures the table promises, multiplied.
        codec: the sample entry's name.
        shape: (width, height), as the sample entry says.
        edits: (duration, media time) in seconds of each entry of the edit list.
        scales: ticks a second of the movie, in which edits last, and of the track.
    """
    movie_scale, scale = scales
    total = chunks * samples_a_chunk
    seconds = min(total, (2**32 - 1) // max(scales))
    length = seconds * movie_scale
    kind = _atom(b"ftyp", b"isom", _words(512), b"isom")
    entry = _atom(
        codec,
        *(bytes(6), b"\0\1", bytes(16), struct.pack(">HH", *shape)),
        *(_words(0x480000, 0x480000, 0), b"\0\1", bytes(32), b"\0\x18\xff\xff"),
    )
    table = _atom(
        b"stbl",
        _full(b"stsd", _words(1), entry),
        _full(b"stts", _words(1, total, scale)),
        _full(b"stsc", _words(1, 1, samples_a_chunk, 1)),
        _full(b"stsz", _words(size, total)),
        _full(b"stco", _words(chunks), _words(len(kind) + 8) * chunks),
    )
    place = _atom(b"dinf", _full(b"dref", _words(1), _atom(b"url ", b"\0\0\0\1")))
    information = _atom(b"minf", _full(b"vmhd", bytes(8)), place, table)
    media = _atom(
        b"mdia",
        _full(b"mdhd", _words(0, 0, scale, seconds * scale), bytes(4)),
        _full(b"hdlr", bytes(4), b"vide", bytes(12), b"x\0"),
        information,
    )
    matrix = _words(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    width, height = shape
    header = _full(
        b"tkhd",
        *(_words(0, 0, 1, 0, length), bytes(16), matrix, _words(width << 16, height << 16)),
    )
    entries = b"".join(
        _words(lasts * movie_scale, start * scale, 0x10000) for lasts, start in edits
    )
    listed = _atom(b"edts", _full(b"elst", _words(len(edits)), entries)) if edits else b""
    movie = _atom(
        b"moov",
        _full(
            b"mvhd",
            _words(0, 0, movie_scale, length, 0x10000),
            *(b"\1\0", bytes(10), matrix, bytes(24), _words(2)),
        ),
        _atom(b"trak", header, listed, media),
    )
    path.write_bytes(kind + _atom(b"mdat", sample) + movie)
    return path


def png(side: int, depth: int = 16) -> bytes:
    """A black RGBA picture, ``side`` x ``side``, of ``depth`` bits a channel: well packed."""
    packer = zlib.compressobj(9)
    row = bytes(side * 4 * depth // 8 + 1)
    data = b"".join([packer.compress(row) for _ in range(side)]) + packer.flush()

    def chunk(kind: bytes, content: bytes) -> bytes:
        return _words(len(content)) + kind + content + _words(zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", side, side, depth, 6, 0, 0, 0)
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
