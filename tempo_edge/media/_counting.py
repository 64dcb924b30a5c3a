"""Streams without time stamps, as cameras write them: their pictures are counted.

Such a stream is the coded pictures one after another. In H.264 and HEVC, at a picture that nothing
before it leans on nor anything after it looks back over, as many have been shown as have been
decoded: from there on the pictures that come out of the decoder are counted. MPEG-1 and MPEG-2 show
each picture in its turn, but one that others lean on after the B-pictures that follow it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

__all__ = ["counted", "interval_of", "is_told_by_packets"]

_BY_DECODER = frozenset({"h264", "hevc"})
_BY_PACKETS = frozenset({"mpeg1video", "mpeg2video"})

# What stands before a picture of MPEG-1 and MPEG-2, and how its header says that it is a B-picture.
_PICTURE, _B = b"\0\0\1\0", 3

# Pictures a second where not even that is written.
_RATE = Fraction(25)

# A picture may be shown this many pictures before its turn in decoding comes: both codecs' limit.
_REORDERED = 16


def interval_of(container: InputContainer, stream: VideoStream) -> int | None:
    """Ticks from picture to picture of a stream without time stamps; None for all others."""
    flag: Any = av.format.Flags.no_timestamps.value  # an int, which its stub denies
    if (
        not container.format.flags & flag
        or stream.codec_context.name not in _BY_DECODER | _BY_PACKETS
        or stream.time_base is None
    ):
        return None
    rate = stream.guessed_rate or stream.average_rate or _RATE
    return max(1, round(1 / (rate * stream.time_base)))


def is_told_by_packets(codec: str) -> bool:
    """Whether it can be told from coded pictures alone in which order they are shown."""
    return codec in _BY_PACKETS


def counted(
    packets: Iterable[Packet[VideoStream]], number: int, interval: int
) -> Iterator[Packet[VideoStream]]:
    """Packets with time stamps by their number; key frames are those from which one can count.

    Args:
        number: that of the first packet.
        interval: ticks from picture to picture.
    """
    held: list[Packet[VideoStream]] = []  # a picture, and B-pictures that are shown before it
    for packet in packets:
        if not packet.size:
            continue
        if not is_told_by_packets(packet.stream.codec_context.name):
            packet.is_keyframe = packet.is_keyframe and (number == 0 or _is_instant(packet))
            yield _stamped(packet, number, number, interval)
            number += 1
        elif held and len(held) <= _REORDERED and _is_b(packet):
            held.append(packet)
        else:
            yield from _in_turn(held, number, interval)
            number += len(held)
            held = [packet]
    yield from _in_turn(held, number, interval)


def _in_turn(
    held: list[Packet[VideoStream]], number: int, interval: int
) -> Iterator[Packet[VideoStream]]:
    """A picture and the B-pictures that follow it: it is shown after them."""
    for place, packet in enumerate(held, number):
        shown = place - 1 if place > number else number + len(held) - 1
        yield _stamped(packet, shown, place, interval)


def _stamped(
    packet: Packet[VideoStream], shown: int, decoded: int, interval: int
) -> Packet[VideoStream]:
    packet.pts = shown * interval
    packet.dts = (decoded - _REORDERED) * interval
    return packet


def _is_b(packet: Packet[VideoStream]) -> bool:
    """Whether a coded picture of MPEG-1 or MPEG-2 is one that no other leans on."""
    data = bytes(packet)
    at = data.find(_PICTURE)
    return 0 <= at < len(data) - 5 and data[at + 5] >> 3 & 7 == _B


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
