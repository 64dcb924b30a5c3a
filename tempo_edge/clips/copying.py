"""Clips without encoding: the packets of a span as they are, where that gives the same pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from tempo_edge.errors import MediaError
from tempo_edge.media import VideoInfo
from tempo_edge.media.container import demux, open_container
from tempo_edge.media.pyav import PyAVVideo
from tempo_edge.moment import Span

__all__ = ["copy_span", "exact", "tick_at"]

# Times that were printed are rounded to the millisecond: a picture this near belongs to the bound.
_ROUNDING = Fraction(1, 2000)

# What players expect in an MP4.
_VIDEO_CODECS = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4"})
_AUDIO_CODECS = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "alac", "flac"})


def exact(seconds: float) -> Fraction:
    """The time that was meant: time stamps are fractions of small denominators."""
    return Fraction(seconds).limit_denominator(1_000_000)


def tick_at(info: VideoInfo, seconds: float) -> int:
    """The first tick at or after a time that counts from the start of the container."""
    return math.ceil((exact(seconds) + info.start_time - _ROUNDING) / info.time_base)


def copy_span(video: PyAVVideo, source: Path, span: Span, draft: Path, mark: str) -> bool:
    """Write a span's packets to an MP4, if they give its pictures and no others.

    Args:
        video: the source, open.
        source: its path.
        span: seconds from the start of the container.
        draft: the file to write.
        mark: the new file's comment.

    Returns:
        Whether that was possible; if not, whatever lies at ``draft`` is of no use.

    Raises:
        MediaError, av.FFmpegError, OSError: the source can't be read.
    """
    if video.codec_context.codec.canonical_name not in _VIDEO_CODECS:
        return False
    stamps = _from_key(video, span)
    if stamps is None or video.joined() is not None:
        return False
    if video.is_signed and stamps[0] != video.packets().pts[0]:
        return False  # players of the copy would not know who encoded it
    with open_container(source) as container:
        pictures = next(s for s in container.streams.video if s.index == video.stream_index)
        sound = next((s for s in container.streams.audio if s.codec_context is not None), None)
        if sound is not None and sound.codec_context.codec.canonical_name not in _AUDIO_CODECS:
            return False
        end = exact(span.end_seconds) + video.info.start_time
        if not _is_closed(container, pictures, stamps):
            return False
        if not _is_steady(container, pictures, sound, stamps, end):
            return False
        try:
            _mux(container, pictures, sound, stamps, end, draft, mark)
        except (av.error.FFmpegError, ValueError):
            return False  # an MP4 does not take them: packets that go back in time, say
    return _holds(draft, stamps, video.info.time_base)


def _from_key(video: PyAVVideo, span: Span) -> NDArray[np.int64] | None:
    """The time stamps of a span's pictures, where the first one is a key frame."""
    info, table = video.info, video.packets()
    start, end = (tick_at(info, bound) for bound in (span.start_seconds, span.end_seconds))
    keys = table.pts[table.keys]
    at = exact(span.start_seconds) + info.start_time
    # Half a frame early is the picture that is on the screen at the start, half a frame late the
    # next: both are meant by whoever marked a cut there.
    half = Fraction(1, 2) / (info.rate or Fraction(25))
    near = keys[np.abs(keys * float(info.time_base) - float(at)) <= float(half + _ROUNDING)]
    # Where the rate varies, more than one picture may begin within what is half a frame on average.
    seen = int(np.searchsorted(table.pts, int(at / info.time_base), side="right")) - 1
    after = int(np.searchsorted(table.pts, start))
    near = near[np.isin(near, [*table.pts[max(0, seen) : seen + 1], *table.pts[after : after + 1]])]
    if not len(near):
        return None
    first = int(min(near, key=lambda key: abs(int(key) - start)))
    stamps = table.pts[(table.pts >= first) & (table.pts < end)]
    return stamps if len(stamps) else None


def _packets(
    container: InputContainer, stamp: int, *streams: VideoStream | AudioStream
) -> Iterator[Packet[Stream]]:
    """Packets from a second before a time stamp of the first stream on, where it can be sought."""
    pictures = streams[0]
    assert pictures.time_base is not None
    with suppress(av.error.FFmpegError):
        container.seek(stamp - int(1 / pictures.time_base), stream=pictures, backward=True)
    for packet in demux(container, *streams):
        if packet.size and packet.pts is not None and packet.dts is not None:
            yield packet


def _is_closed(container: InputContainer, pictures: VideoStream, stamps: NDArray[np.int64]) -> bool:
    """Whether the packets follow one another in the file, led by a key frame that is shown."""
    first, last, wanted = int(stamps[0]), int(stamps[-1]), len(stamps)
    seen = 0
    for packet in _packets(container, first, pictures):
        stamp = packet.pts
        assert stamp is not None
        if not seen and stamp != first:
            continue  # before it
        if not seen and not packet.is_keyframe:
            return False  # an edit list begins here; reading the copy back would tell as well
        if stamp < first:
            continue  # a leading picture, which leans on what lies before the key frame
        if stamp > last or packet.is_discard:
            return False  # a picture that comes later, on which one of these leans
        seen += 1
        if seen == wanted:
            return True
    return False


def _is_steady(
    container: InputContainer,
    pictures: VideoStream,
    sound: AudioStream | None,
    stamps: NDArray[np.int64],
    end: Fraction,
) -> bool:
    """Whether size and sound stay as they are: a copy describes them once, at its head.

    Of the pictures the key frames alone are decoded, because no other may change the size.
    """
    first, last = int(stamps[0]), int(stamps[-1])
    assert pictures.time_base is not None
    zero = first * pictures.time_base
    streams: list[VideoStream | AudioStream] = [pictures] if sound is None else [pictures, sound]
    found: dict[int, set[object]] = {stream.index: set() for stream in streams}
    left = len(stamps)
    try:
        for packet in _packets(container, first, *streams):
            stamp, stream = packet.pts, packet.stream
            assert stamp is not None
            if stream.index == pictures.index:
                left -= first <= stamp <= last
                wanted = packet.is_keyframe and first <= stamp <= last
            else:
                wanted = zero <= stamp * packet.time_base < end
            if wanted:
                found[stream.index].update(map(_kind, packet.decode()))
            if left <= 0 and stamp * packet.time_base >= end:
                break
        for stream in streams:
            found[stream.index].update(map(_kind, stream.codec_context.decode(None)))
    except av.error.FFmpegError:
        return False  # another codec, or damage
    return all(len(kinds) <= 1 for kinds in found.values())


def _kind(frame: object) -> tuple[object, ...]:
    """What may not change within a copy."""
    if isinstance(frame, AudioFrame):
        return frame.sample_rate, frame.layout.name
    assert isinstance(frame, VideoFrame)
    return frame.width, frame.height, frame.format.name


def _mux(
    container: InputContainer,
    pictures: VideoStream,
    sound: AudioStream | None,
    stamps: NDArray[np.int64],
    end: Fraction,
    draft: Path,
    mark: str,
) -> None:
    first, last = int(stamps[0]), int(stamps[-1])
    assert pictures.time_base is not None
    zero = first * pictures.time_base
    streams = [pictures] if sound is None else [pictures, sound]
    left = len(stamps)
    begun, heard = False, sound is None
    with av.open(str(draft.absolute()), "w", format="mp4") as writer:
        writer.metadata["comment"] = mark
        # Opaque: what is copied needs no encoder, and the decoder's name ("libdav1d") names none.
        tracks = {
            stream.index: writer.add_stream_from_template(stream, opaque=True) for stream in streams
        }
        for packet in _packets(container, first, *streams):
            stamp, base = packet.pts, packet.time_base
            assert stamp is not None and packet.dts is not None
            if packet.stream.index == pictures.index:
                begun = begun or stamp == first
                if not begun or not left or not first <= stamp <= last:
                    continue
                left -= 1
            elif stamp * base < zero:
                continue
            elif stamp * base >= end:
                heard = True
                if not left:
                    break
                continue
            shift = round(zero / base)
            packet.pts, packet.dts = stamp - shift, packet.dts - shift
            packet.stream = tracks[packet.stream.index]
            writer.mux(packet)
            if not left and heard:
                break


def _holds(draft: Path, stamps: NDArray[np.int64], time_base: Fraction) -> bool:
    """Whether a reader finds exactly those pictures in the file, and can begin to decode."""
    try:
        with PyAVVideo(draft) as written:
            table = written.packets()
            found = (table.pts - table.pts[0]) * float(written.info.time_base)
            meant = (stamps - stamps[0]) * float(time_base)
            if len(found) != len(meant) or np.abs(found - meant).max() > 0.001:
                return False
            first = int(table.pts[0])
            return next(written.pictures(first, first), None) is not None
    except MediaError:
        return False
