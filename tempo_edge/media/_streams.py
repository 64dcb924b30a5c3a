"""Which stream of a container is the film, and what the container says about it."""

from __future__ import annotations

from fractions import Fraction

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from tempo_edge.errors import MediaError
from tempo_edge.media._types import VideoInfo

__all__ = ["describe", "format_names", "pick_stream"]

# Demuxers of text files (FFmpeg would draw them as ANSI art) and of pictures that have no "_pipe".
_TEXT_FORMATS = frozenset({"tty", "bin", "xbin", "adf", "idf"})
_PICTURE_FORMATS = frozenset({"image2", "ico", "apng", "jpegxl_anim"})


def format_names(container: InputContainer) -> frozenset[str]:
    """FFmpeg's names of the container."""
    return frozenset(container.format.name.split(","))


def pick_stream(container: InputContainer) -> VideoStream:
    """The first real video stream of a container.

    Raises:
        MediaError: there is none, or FFmpeg can't tell what it is.
    """
    names = format_names(container)
    if _TEXT_FORMATS & names:
        raise MediaError("is text, not a video")
    if _PICTURE_FORMATS & names or any(name.endswith("_pipe") for name in names):
        raise MediaError("is a picture, not a video")
    covers = av.stream.Disposition.attached_pic
    videos = [s for s in container.streams.video if not s.disposition & covers]
    if not videos:
        # A cover is a stream of type "video" to FFmpeg, not to the reader of this line.
        kinds = sorted({stream.type for stream in container.streams} - {"video"})
        only = " and ".join(kinds)
        raise MediaError(f"holds no video, only {only}" if kinds else "holds no streams")
    stream = videos[0]
    if stream.codec_context is None or not stream.codec_context.width:
        raise MediaError("holds a video stream whose codec or size is unknown")
    return stream


def describe(container: InputContainer, stream: VideoStream) -> VideoInfo:
    """What the container says about one of its video streams.

    Raises:
        MediaError: it has no time base.
    """
    context = stream.codec_context
    if stream.time_base is None:
        raise MediaError("holds a video stream without a time base")
    starts = [
        s.start_time * s.time_base
        for s in (stream, *container.streams.audio)
        if s.start_time is not None and s.time_base is not None
    ]
    if stream.duration is not None:
        duration = stream.duration * stream.time_base
    else:
        duration = Fraction(container.duration or 0, av.time_base)
    components = context.format.components if context.format is not None else ()
    return VideoInfo(
        codec=context.name,
        width=context.width,
        height=context.height,
        time_base=stream.time_base,
        start_time=min(starts, default=Fraction(0)),
        duration=max(duration, Fraction(0)),
        rate=stream.average_rate or stream.guessed_rate,
        bit_depth=components[0].bits if components else 8,
    )
