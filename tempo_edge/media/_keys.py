"""Where decoding can start: what a container says about it, and how far that can be believed.

A container's index may lie. A recording that broke off has none, and FFmpeg then takes every packet
of an AVI for a key frame; encoders flag placeholders for pictures that they left out. A packet that
is wrongly taken for a key frame gives a grey picture with some edges in it, and no error. What is
found out here costs no decoding; what is left is found out by whoever decodes, because most
decoders say of a picture whether it leans on others.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from av.container import InputContainer
from av.format import Flags
from av.video.codeccontext import VideoCodecContext

from tempo_edge.media._types import PacketTable

__all__ = [
    "believe", "container_tells", "has_no_times", "has_palette_apart", "is_told",
    "may_hold_decode_times", "rests_on_none",
]  # fmt: skip

# Key flags of these don't rest on the container's word alone: FFmpeg reads the packets themselves,
# or the decoder says which of its pictures lean on others.
_CHECKED = frozenset(
    {
        *("av1", "avs2", "avs3", "cavs", "dirac", "evc", "ffv1", "h264", "hevc"),
        *("libdav1d", "mpeg1video", "mpeg2video", "mpeg4", "vc1", "vp8", "vp9", "vvc"),
    }
)

# Codecs of whose key frames and pictures an AVI says less than their packets do.
_TELLS_ITSELF = frozenset({"h261", "h263", "mpeg1video", "mpeg2video"})

# Codecs whose pictures never lean on one another, though FFmpeg doesn't list them as such.
_INTRA = frozenset({"cfhd", "exr", "hap", "dxv", "pam", "png", "tiff", "webp"})

# These decoders hold pictures back until they are whole, also where no key frame led to them.
_WAITING = frozenset({"h264"})

# No codec says a whole picture in this few bytes; "like the one before" it can say.
_PLACEHOLDER_BYTES = 10

# Decoders that are told the palette by the demuxer, once a file and at each change.
_PALETTE_APART = frozenset(
    {
        *("8bps", "cinepak", "idcin", "msrle", "msvideo1"),
        *("qpeg", "qtrle", "rawvideo", "smc", "tscc"),
    }
)

# Containers that may hold no other time than that of decoding.
_DECODE_TIME_FORMATS = frozenset({"asf", "avi", "mxf"})


def believe(table: PacketTable, context: VideoCodecContext) -> PacketTable:
    """A packet table whose key flags can be relied on as far as can be told without decoding.

    No flag at all, or every packet flagged, is what FFmpeg makes of a missing index. Then only the
    first packet is a start, unless the codec's pictures never lean on one another, or the flags
    are checked by FFmpeg's parser or decoder. Placeholders of a few bytes are no key frames.
    """
    name, keys = context.name, table.keys.copy()
    if _is_intra(context):
        keys |= not keys.any()
    elif not keys.any() or (keys.all() and name not in _CHECKED):
        keys[:] = False
    else:
        keys &= table.sizes > _PLACEHOLDER_BYTES
    if not keys.any():
        keys[0] = True
    return replace(table, keys=keys)


def container_tells(formats: frozenset[str], context: VideoCodecContext) -> bool:
    """Whether a container says of a codec's packets all that FFmpeg would read in them.

    AVI and MXF leave key flags, times of B-frames and the bounds of pictures to their packets.

    Args:
        formats: FFmpeg's names of the container.
        context: what FFmpeg knows of the stream.
    """
    if not formats & {"avi", "mxf"} or _is_intra(context):
        return True
    return "avi" in formats and context.name not in _TELLS_ITSELF and not context.has_b_frames


def is_told(codec: str) -> bool:
    """Whether FFmpeg tells from a packet itself, and not from its container, that it is a key."""
    return codec in _CHECKED


def rests_on_none(context: VideoCodecContext) -> bool:
    """Whether any picture is right by itself, or held back by the decoder until it is."""
    return context.name in _WAITING or _is_intra(context)


def may_hold_decode_times(formats: frozenset[str], context: VideoCodecContext) -> bool:
    """Whether a container may give B-frames the times at which they are decoded.

    Args:
        formats: FFmpeg's names of the container.
        context: what FFmpeg knows of the stream.
    """
    return bool(formats & _DECODE_TIME_FORMATS) and context.has_b_frames


def has_no_times(container: InputContainer) -> bool:
    """Whether a file is a bare stream: FFmpeg then makes up times as it reads, from the start."""
    bit: Any = Flags.no_timestamps.value  # an integer, whatever its stub says
    return bool(container.format.flags & bit)


def has_palette_apart(context: VideoCodecContext) -> bool:
    """Whether pictures are coded by a palette that comes beside them, and only from the start."""
    form = context.format
    return form is not None and form.has_palette and context.name in _PALETTE_APART


def _is_intra(context: VideoCodecContext) -> bool:
    return context.codec.intra_only or context.name in _INTRA
