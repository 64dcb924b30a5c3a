"""A picture's file, from whoever names it: decoded within bounds, upright, as a thumbnail."""

from __future__ import annotations

import av
import numpy as np
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from tempo_edge.errors import MediaError
from tempo_edge.media._bounds import MOST_PIXELS, check_picture
from tempo_edge.media._frame import shrink
from tempo_edge.media.orientation import Orientation

__all__ = ["KINDS", "thumbnail"]

#: What pictures may be.
KINDS = "JPEG, PNG, WebP, BMP, GIF or TIFF"

# The first bytes of a file and the decoder that reads it. No demuxer guesses: what is a list of
# other files, a script or a film is none of these.
_DECODERS = (
    (b"\xff\xd8\xff", "mjpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF8", "gif"),
    (b"BM", "bmp"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
)


def thumbnail(
    contents: bytes, size: int, interpolation: str = "AREA", *, crop: bool = False
) -> NDArray[np.uint8]:
    """The picture of a file, upright, as ``[size, size, 3]`` RGB; see ``Frame.thumbnail``.

    Raises:
        MediaError: it is no picture of :data:`KINDS`, too large, or damaged.
    """
    context = av.CodecContext.create(_decoder(contents), "r")
    assert isinstance(context, VideoCodecContext)
    context.options = {"max_pixels": str(MOST_PIXELS)}
    context.thread_count = 1
    try:
        frames = context.decode(Packet(contents)) or context.decode(None)
    except (av.error.FFmpegError, ValueError) as error:
        raise MediaError(
            f"is no picture that can be decoded, or has more than {MOST_PIXELS >> 20} megapixels"
        ) from error
    if not frames:
        raise MediaError("is no picture that can be decoded")
    frame = frames[0]
    check_picture(frame.width, frame.height, frame.format)
    small = shrink(frame, size, VideoReformatter(), interpolation, crop=crop)
    return np.ascontiguousarray(Orientation.of(frame).apply(small))


def _decoder(contents: bytes) -> str:
    """The name of the decoder of a picture's file.

    Raises:
        MediaError: it begins as none of them does.
    """
    if contents[:4] == b"RIFF" and contents[8:12] == b"WEBP":
        return "webp"
    for start, name in _DECODERS:
        if contents.startswith(start):
            return name
    raise MediaError(f"is no picture: it must be {KINDS}")
