"""How much a file may claim: what one of its size can hold, and what a machine has room for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from av.packet import Packet
from av.stream import Stream
from av.video.codeccontext import VideoCodecContext
from av.video.format import VideoFormat

from tempo_edge.errors import MediaError

__all__ = [
    "MOST_PACKETS",
    "MOST_PIXELS",
    "bounded",
    "check_picture",
    "decoder_pixels",
    "most_packets",
    "picture_bytes",
]

_Any = TypeVar("_Any", bound=Stream)

# Largest picture that is decoded: 8192x8192, twice what the highest level of HEVC for 8K allows.
MOST_PIXELS = 1 << 26

# Largest picture in memory: 8K in 16 bits with full colour, or 8192x8192 in 10 bits.
_MOST_PICTURE_BYTES = 210e6

# Pictures may grow in the middle of a stream, from a preview to 4K say, but not without end.
_GROWTH = 4
_ALWAYS_PIXELS = 1 << 23

# A coded picture takes this many bytes at least, its entry in the container's tables included.
_LEAST_BYTES = 8

# Of a file's bytes, how often its packets may name them: edit lists repeat stretches, Matroska may
# compress what it holds. And what is allowed to a file of any size.
_REPEATS = 4
_SPARE_BYTES = 1 << 20
_SPARE_PACKETS = 4096

#: Packets that are read of one file: about two days of pictures and sound.
MOST_PACKETS = 10_000_000


def picture_bytes(width: int, height: int, form: VideoFormat | None) -> int:
    """Bytes of a decoded picture; of an unknown pixel format, with colour at half its size."""
    if form is None:
        return width * height * 3 // 2
    return width * height * form.padded_bits_per_pixel // 8


def check_picture(width: int, height: int, form: VideoFormat | None) -> None:
    """Refuse pictures that no memory has room for.

    Raises:
        MediaError: a picture has more pixels or bytes than are ever decoded.
    """
    size = picture_bytes(width, height, form)
    if width * height > MOST_PIXELS:
        raise MediaError(f"holds pictures of {width}x{height}, at most 8192x8192 are decoded")
    if size > _MOST_PICTURE_BYTES:
        raise MediaError(
            f"holds pictures of {width}x{height} that take {size / 1e6:.0f} MB each, "
            f"at most {_MOST_PICTURE_BYTES / 1e6:.0f} MB are decoded"
        )


def decoder_pixels(context: VideoCodecContext) -> int:
    """Pixels of the largest picture that a stream's decoder may go on to."""
    return min(MOST_PIXELS, max(_GROWTH * context.width * context.height, _ALWAYS_PIXELS))


def most_packets(file_bytes: int) -> int:
    """Packets that a file of this many bytes can hold."""
    return file_bytes // _LEAST_BYTES + _SPARE_PACKETS


def bounded(packets: Iterable[Packet[_Any]], file_bytes: int) -> Iterator[Packet[_Any]]:
    """Packets as they come, as long as a file of that size can hold them.

    Raises:
        MediaError: they are too many, or name the same bytes again and again.
    """
    left = _REPEATS * file_bytes + _SPARE_BYTES
    most = most_packets(file_bytes)
    for number, packet in enumerate(packets):
        left -= packet.size
        if left < 0 or number >= most:
            raise MediaError(f"promises more pictures than its {file_bytes} bytes can hold")
        if number >= MOST_PACKETS:
            raise MediaError(f"holds more than {MOST_PACKETS:,} pictures: cut it into parts")
        yield packet
