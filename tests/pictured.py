"""Pictures as files: what people have, and what only claims to be one."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from tempo_edge.media import jpeg

__all__ = ["corners", "huge_png", "picture_as", "turned"]


def corners() -> np.ndarray:
    """A picture of 60 by 40 whose quarters are red, green, blue and white, in reading order."""
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:20, :30], picture[:20, 30:] = (255, 0, 0), (0, 255, 0)
    picture[20:, :30], picture[20:, 30:] = (0, 0, 255), (255, 255, 255)
    return picture


def picture_as(codec: str, form: str) -> bytes:
    """The same as a file of another kind, by FFmpeg's encoder for it."""
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt = 60, 40, form
    context.time_base = Fraction(1, 25)
    frame = VideoFrame.from_ndarray(corners(), format="rgb24").reformat(format=form)
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def turned(orientation: int) -> bytes:
    """The JPEG of it as a camera writes it that was held otherwise: with Exif's word for how."""
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + entry + b"\0" * 4
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    plain = jpeg.encode(corners())
    return plain[:2] + segment + plain[2:]


def huge_png(side: int = 20_000) -> bytes:
    """A PNG of few bytes that claims to be of so many pixels a side."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * (side // 8 + 1) * 16)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
