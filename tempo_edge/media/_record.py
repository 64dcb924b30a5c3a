"""What a codec's record in an MP4 says of its pictures, so that none is decoded to find it out."""

from __future__ import annotations

from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from tempo_edge.errors import MediaError
from tempo_edge.media._bounds import picture_bytes
from tempo_edge.media._streams import films, format_names
from tempo_edge.media._types import VideoInfo

__all__ = ["is_as_told", "tell_format"]

# Profiles of H.264 that know eight bits and colour at half its size, and nothing else but grey.
_EIGHT_BITS = frozenset({66, 77, 88, 100})

# FFmpeg's name of a pixel format by the bits of luma and of colour, at half its size.
_FORMATS = {(8, 8): "yuv420p", (10, 10): "yuv420p10le"}


def tell_format(container: InputContainer) -> bool:
    """Note the pixel format of a film of which nothing was decoded; gives whether it is known.

    The format is known where the container is an MP4 that holds one film, and the codec's record
    says it.
    """
    try:
        candidates = films(container) if "mov" in format_names(container) else []
    except MediaError:
        return False  # decoding may tell more of it
    form = _told(candidates[0].codec_context) if len(candidates) == 1 else None
    if form is None:
        return False
    candidates[0].codec_context.pix_fmt = form
    return True


def _told(context: VideoCodecContext) -> str | None:
    """The pixel format that the record of H.264 or HEVC says; None where that is left open."""
    record = context.extradata or b""
    if len(record) < 23 or record[0] != 1:
        return None
    if context.name == "h264" and record[1] in _EIGHT_BITS:
        return _FORMATS[8, 8]
    if context.name == "hevc" and record[16] & 3 == 1:
        return _FORMATS.get((8 + (record[17] & 7), 8 + (record[18] & 7)))
    return None


def is_as_told(frame: VideoFrame, info: VideoInfo) -> bool:
    """Whether a picture has the size and the depth that the container says, and is no larger."""
    depth = frame.format.components[0].bits
    size = picture_bytes(frame.width, frame.height, frame.format)
    told = (info.width, info.height, info.bit_depth)
    return (frame.width, frame.height, depth) == told and size <= info.picture_bytes
