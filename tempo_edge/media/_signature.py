"""The signature of an encoder: its name and build, in the first packet of a film and in no other.

FFmpeg knows faults of encoders, and decodes by them what a faulty one wrote: x264 before build 151
chose wrong contexts for 4:4:4 pictures, which come out green where its signature is not known. A
decoder that begins at a later key frame never comes past it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

__all__ = ["Signature"]

# A signature stands before the picture, behind headers of a few hundred bytes.
_HEAD_BYTES = 4096

_X264 = re.compile(rb"x264 - core (\d+)")

# From this build on FFmpeg decodes what x264 wrote as it decodes what anybody else did.
_FAULTLESS_X264 = 151

# MPEG-4's start code of what an encoder says, as "XviD0046" or "DivX503b1393p".
_USER_DATA = b"\0\0\1\xb2"


class Signature:
    """What the first packet of a film says of its encoder, once that packet was seen.

    Args:
        context: what FFmpeg knows of the stream.

    Attributes:
        is_known: whether there is nothing to see any more.
        packet: what the first packet holds, where a decoder has to know of it; empty elsewhere.
    """

    def __init__(self, context: VideoCodecContext) -> None:
        self._is_signed = _SIGNATURES.get(context.name)
        if context.name == "mpeg4" and _USER_DATA in (context.extradata or b""):
            self._is_signed = None  # every decoder is told
        self.is_known = self._is_signed is None
        self.packet = b""

    def seen(self, packets: Iterator[Packet[VideoStream]]) -> Iterator[Packet[VideoStream]]:
        """The packets of the film, from the first one on, which is looked at."""
        for packet in packets:
            if not self.is_known and packet.size:
                self._see(bytes(packet))
            yield packet

    def _see(self, packet: bytes) -> None:
        assert self._is_signed is not None
        self.is_known = True
        if self._is_signed(packet[:_HEAD_BYTES]):
            self.packet = packet


def _by_old_x264(head: bytes) -> bool:
    found = _X264.search(head)
    return found is not None and int(found[1]) < _FAULTLESS_X264


def _by_anybody(head: bytes) -> bool:
    return _USER_DATA in head


_SIGNATURES: Mapping[str, Callable[[bytes], bool]] = {"h264": _by_old_x264, "mpeg4": _by_anybody}
