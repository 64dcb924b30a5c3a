"""Which stream of a container is the film, and what the container says about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from fractions import Fraction

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from tempo_edge.errors import MediaError
from tempo_edge.media._bounds import check_picture, picture_bytes
from tempo_edge.media._types import VideoInfo

__all__ = ["describe", "films", "first_that_moves", "format_names"]

# Demuxers of text files (FFmpeg would draw them as ANSI art) and of pictures that have no "_pipe".
_TEXT_FORMATS = frozenset({"tty", "bin", "xbin", "adf", "idf"})
_PICTURE_FORMATS = frozenset({"image2", "ico", "apng", "jpegxl_anim"})

_FROM_THE_FIRST = frozenset({"mov", "matroska"})

# Containers that say how long a lead-in is, and those whose times are those of one clock.
_KNOWS_LEAD_INS = _FROM_THE_FIRST | {"mpegts", "mpeg", "ogg", "mxf"}

_NO_FILM = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails

# A stream that still has no second picture after this many of another one won't become a film.
_PATIENCE = 1000


def format_names(container: InputContainer) -> frozenset[str]:
    """FFmpeg's names of the container."""
    return frozenset(container.format.name.split(","))


def films(container: InputContainer) -> list[VideoStream]:
    """The streams of a container that may be its film, the likeliest first.

    That is the default one, as its maker flagged it; of several, or where none is, the largest.
    Cover pictures and thumbnails that are flagged as such are left out.

    Raises:
        MediaError: there is none, or FFmpeg can't tell what it is.
    """
    names = format_names(container)
    if _TEXT_FORMATS & names:
        raise MediaError("is text, not a video")
    if _PICTURE_FORMATS & names or any(name.endswith("_pipe") for name in names):
        raise MediaError("is a picture, not a video")
    videos = [s for s in container.streams.video if not s.disposition & _NO_FILM]
    if not videos:
        # A cover is a stream of type "video" to FFmpeg, not to the reader of this line.
        kinds = sorted({stream.type for stream in container.streams} - {"video"})
        only = " and ".join(kinds)
        raise MediaError(f"holds no video, only {only}" if kinds else "holds no streams")
    known = [s for s in videos if s.codec_context is not None and s.codec_context.width]
    if not known:
        raise MediaError("holds a video stream whose codec or size is unknown, or too large")

    def rank(stream: VideoStream) -> tuple[bool, int]:
        is_default = bool(stream.disposition & av.stream.Disposition.default)
        return not is_default, -stream.codec_context.width * stream.codec_context.height

    return sorted(known, key=rank)


def first_that_moves(
    candidates: Sequence[VideoStream], packets: Iterable[Packet[Stream]]
) -> VideoStream:
    """The first of several streams that has more than a picture, or the first if none has.

    Args:
        candidates: streams of one container, the likeliest first.
        packets: what the container holds of them, from its start; read as far as it takes.
    """
    seen = dict.fromkeys((stream.index for stream in candidates), 0)
    with suppress(av.error.FFmpegError):  # what is damaged later on is said later on
        for packet in packets:
            seen[packet.stream_index] += packet.size > 0
            if seen[candidates[0].index] > 1 or max(seen.values()) >= _PATIENCE:
                break
    for least in (2, 1):
        for stream in candidates:
            if seen[stream.index] >= least:
                return stream
    return candidates[0]


def _zero(container: InputContainer, film: VideoStream) -> Fraction:
    """The time of the container that players call zero, in seconds.

    Sound is coded with a lead-in that nobody hears. Where a container has no way to say so, a film
    that begins less than a picture after its sound begins at zero.
    """
    zero = _beginning(container)
    rate = film.average_rate or film.guessed_rate
    if (
        not format_names(container) & _KNOWS_LEAD_INS
        and film.start_time is not None
        and film.time_base is not None
        and rate
    ):
        begins = film.start_time * film.time_base
        if zero < begins < zero + 1 / rate:
            return begins
    return zero


def _beginning(container: InputContainer) -> Fraction:
    """The time at which a container begins, in seconds.

    In MP4 and Matroska that is where the first thing begins, be it a subtitle; elsewhere it is what
    FFmpeg says, for which subtitles count if they begin within a second of the rest. So has mpv.
    """
    covers = av.stream.Disposition.attached_pic
    starts = [
        stream.start_time * stream.time_base
        for stream in container.streams
        if stream.start_time is not None
        and stream.time_base is not None
        and not stream.disposition & covers
    ]
    if format_names(container) & _FROM_THE_FIRST or container.start_time is None:
        return min(starts, default=Fraction(0))
    # Rounded to microseconds there, exact where it comes from.
    told = Fraction(container.start_time, av.time_base)
    near = min(starts, key=lambda start: abs(start - told), default=told)
    return near if abs(near - told) < Fraction(1, 1000) else told


def describe(container: InputContainer, stream: VideoStream) -> VideoInfo:
    """What the container says about one of its video streams.

    Raises:
        MediaError: it has no time base, or pictures that no memory has room for.
    """
    context = stream.codec_context
    check_picture(context.width, context.height, context.format)
    if stream.time_base is None:
        raise MediaError("holds a video stream without a time base")
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
        start_time=_zero(container, stream),
        duration=max(duration, Fraction(0)),
        rate=stream.average_rate or stream.guessed_rate,
        bit_depth=components[0].bits if components else 8,
        picture_bytes=picture_bytes(context.width, context.height, context.format),
    )
