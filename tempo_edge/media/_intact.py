"""Whether a coded picture can be whole, from how its codec frames it: nothing is decoded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

__all__ = ["Check", "check_for"]

Check = Callable[["Packet[VideoStream]"], bool]
"""Whether a packet can be whole."""

# Where the codec's record in a container says how many bytes the length of a NAL unit takes.
_LENGTH_AT = {"h264": 4, "hevc": 21}

# Coded pictures of these never begin with as many zeros as this.
_NEVER_ZERO = frozenset(
    {
        *("av1", "libdav1d", "vp8", "vp9", "h264", "hevc", "vvc", "mpeg1video", "mpeg2video"),
        *("mpeg4", "msmpeg4v1", "msmpeg4v2", "msmpeg4v3", "wmv1", "wmv2", "wmv3", "vc1", "flv1"),
        *("h263", "theora", "mjpeg", "prores", "dnxhd", "dvvideo", "cinepak", "svq1", "svq3"),
    }
)
_ZEROS = bytes(32)


def check_for(context: VideoCodecContext) -> Check:
    """The check of a codec's packets.

    Packets of H.264 and HEVC in MP4 and Matroska are rows of units behind their lengths, which
    must add up; those of VP9 begin with a mark. Of others it is known that they are not all zeros.
    """
    name, extra = context.name, context.extradata or b""
    at = _LENGTH_AT.get(name)
    if at is not None and len(extra) > at and extra[0] == 1:
        width = (extra[at] & 3) + 1
        return lambda packet: _adds_up(_view(packet), width)
    if name == "vp9":
        return lambda packet: _view(packet)[0] >> 6 == 2
    if name in _NEVER_ZERO:
        return lambda packet: packet.size < len(_ZEROS) or _view(packet)[: len(_ZEROS)] != _ZEROS
    return lambda packet: True


def _view(packet: Packet[VideoStream]) -> memoryview:
    buffer: Any = packet  # it has the buffer protocol, which its stub leaves out
    return memoryview(buffer)


def _adds_up(data: memoryview, width: int) -> bool:
    """Whether units, each behind its length of ``width`` bytes, fill a packet as FFmpeg asks."""
    at, size = 0, len(data)
    while at < size - width:
        length = int.from_bytes(data[at : at + width], "big")
        at += width + length
        if not length or at > size:
            return False
    return True
