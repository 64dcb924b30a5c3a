"""Streams without time stamps, as cameras write them: their pictures are counted.

Such a stream is the coded pictures one after another. At a picture that nothing before it leans on
nor anything after it looks back over, as many have been shown as have been decoded: from there on
the pictures that come out of the decoder are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

__all__ = ["counted", "interval_of"]

_CODECS = frozenset({"h264", "hevc"})

# Pictures a second where not even that is written.
_RATE = Fraction(25)

# A picture may be shown this many pictures before its turn in decoding comes: both codecs' limit.
_REORDERED = 16


def interval_of(container: InputContainer, stream: VideoStream) -> int | None:
    """Ticks from picture to picture of a stream without time stamps; None for all others."""
    flag: Any = av.format.Flags.no_timestamps.value  # an int, which its stub denies
    if (
        not container.format.flags & flag
        or stream.codec_context.name not in _CODECS
        or stream.time_base is None
    ):
        return None
    rate = stream.guessed_rate or stream.average_rate or _RATE
    return max(1, round(1 / (rate * stream.time_base)))


def counted(
    packets: Iterable[Packet[VideoStream]], number: int, interval: int
) -> Iterator[Packet[VideoStream]]:
    """Packets with time stamps by their number; key frames are those from which one can count.

    Args:
        number: that of the first packet.
        interval: ticks from picture to picture.
    """
    for packet in packets:
        if not packet.size:
            continue
        packet.pts = number * interval
        packet.dts = (number - _REORDERED) * interval
        packet.is_keyframe = packet.is_keyframe and (number == 0 or _is_instant(packet))
        yield packet
        number += 1


def _is_instant(packet: Packet[VideoStream]) -> bool:
    """Whether a coded picture refreshes the decoder at once: IDR in H.264 and in HEVC."""
    data = bytes(packet)
    is_hevc = packet.stream.codec_context.name == "hevc"
    at = data.find(b"\0\0\1")
    while 0 <= at < len(data) - 3:
        header = data[at + 3]
        kind = header >> 1 & 63 if is_hevc else header & 31
        if kind in ((19, 20) if is_hevc else (5,)):
            return True
        if kind < 32 if is_hevc else kind in (1, 2):
            return False  # a picture of another kind
        at = data.find(b"\0\0\1", at + 3)
    return False
