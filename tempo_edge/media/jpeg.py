"""Pictures as JPEG, by FFmpeg's own encoder."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray

__all__ = ["encode"]


def encode(picture: NDArray[np.uint8]) -> bytes:
    """The JPEG file of an RGB picture ``[height, width, 3]``."""
    context = av.CodecContext.create("mjpeg", "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height = picture.shape[1], picture.shape[0]
    context.pix_fmt, context.time_base = "yuvj420p", Fraction(1, 25)
    frame = VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuvj420p")
    packets = [*context.encode(frame), *context.encode(None)]
    return b"".join(bytes(packet) for packet in packets)
