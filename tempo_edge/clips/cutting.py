"""Moments as files: cut a span out of a video."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import TypeAlias

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tempo_edge._files import draft_beside
from tempo_edge.clips.copying import copy_span, exact, tick_at
from tempo_edge.clips.pictures import even_size, framed, upright
from tempo_edge.clips.placement import mark_of, name_of, put
from tempo_edge.clips.sound import even_sound
from tempo_edge.clips.standing import lasting, shown
from tempo_edge.errors import MediaError
from tempo_edge.media.container import open_container, reason
from tempo_edge.media.orientation import Orientation
from tempo_edge.media.pyav import PyAVVideo
from tempo_edge.moment import Span

__all__ = ["Clip", "cut", "cut_or_copy"]

# Of the sampling rates in use, those that AAC knows.
_AAC_RATES = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 96000})

# A time of the source, and what the encoder gave for the frame there.
_Coded: TypeAlias = "tuple[Fraction, Sequence[Packet[Stream]]]"

# FFmpeg's number for luma from 16 to 235.
_STUDIO_RANGE = 1


@dataclass(frozen=True)
class Clip:
    """A clip that was written.

    Attributes:
        path: the new file.
        copied: True where the packets are those of the source, False where they were encoded again.
    """

    path: Path
    copied: bool


def cut(source: Path, span: Span, folder: Path) -> Path:
    """Write ``[start, end)`` of a video to an MP4 of its own, exact to the frame and upright.

    The pictures and the sound are encoded again, because a stream can only be copied from a key
    frame on. An earlier clip of the same moment is replaced once the new one is whole; any other
    file of that name stays, and the new one is numbered.

    Args:
        source: the video.
        span: seconds from the start of the container.
        folder: where to write; made if missing.

    Returns:
        The new file: ``NAME.START-END.mp4``, or ``NAME.START-END.2.mp4`` and so on. Of a name that
        would be too long the beginning stays, and a hash: ``NAM~0123abcd.START-END.mp4``.

    Raises:
        MediaError: the source can't be read or holds no picture in the span, or the folder can't
            be written to; the text names the source.
    """
    return _clip(source, span, folder, may_copy=False).path


def cut_or_copy(source: Path, span: Span, folder: Path) -> Clip:
    """The clip of :func:`cut`, but without encoding where that gives the same pictures.

    That is so where the span begins within half a frame of a key frame, nothing in it leans on
    pictures after its end, and an MP4 can hold the codecs.

    Raises:
        MediaError: as :func:`cut`.
    """
    return _clip(source, span, folder, may_copy=True)


def _clip(source: Path, span: Span, folder: Path, *, may_copy: bool) -> Clip:
    name, mark = name_of(source, span, folder), mark_of(source, span)
    try:
        with PyAVVideo(source, fast=False) as video, _room(folder, name) as draft:
            copied = may_copy and copy_span(video, source, span, draft, mark)
            if not copied:
                _encode(video, source, span, draft, mark)
            return Clip(put(draft, folder, name, mark), copied)
    except MediaError as error:
        raise MediaError(f"{source} {error}") from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise MediaError(f"{source} can't be cut into {folder}: {reason(error)}") from error


@contextmanager
def _room(folder: Path, name: str) -> Iterator[Path]:
    """A draft in a folder that is made if need be, and goes again if nothing comes of it."""
    missing = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with draft_beside(folder / f"{name}.mp4") as draft:
            yield draft
    finally:
        if missing:
            with suppress(OSError):  # there is something in it
                folder.rmdir()


def _encode(video: PyAVVideo, source: Path, span: Span, draft: Path, mark: str) -> None:
    pictures = _pictures(video, span)
    first = next(pictures, None)
    if first is None:
        start, end = span.start_seconds, span.end_seconds
        raise MediaError(f"holds no picture within [{start:.3f}, {end:.3f}) seconds")
    sounds = _sounds(video, source, _time(first), exact(span.end_seconds) + video.info.start_time)
    with av.open(str(draft.absolute()), "w", format="mp4") as writer:
        writer.metadata["comment"] = mark
        _write(writer, video, span, first, pictures, sounds)


def _time(frame: VideoFrame | AudioFrame) -> Fraction:
    """The container's own seconds, which need not begin at zero."""
    assert frame.pts is not None and frame.time_base is not None
    return frame.pts * frame.time_base


def _pictures(video: PyAVVideo, span: Span) -> Iterator[VideoFrame]:
    """The pictures that are shown within a span; their time stamps rise."""
    info = video.info
    start, end = (tick_at(info, bound) for bound in (span.start_seconds, span.end_seconds))
    before: int | None = None
    for picture in shown(video, start, end, exact(span.start_seconds) + info.start_time):
        if picture.pts is not None and (before is None or picture.pts > before):
            before = picture.pts
            yield picture


def _sounds(video: PyAVVideo, source: Path, start: Fraction, end: Fraction) -> Iterator[AudioFrame]:
    """The first track's frames that begin within ``[start, end)``, in the container's seconds."""
    with open_container(source) as container:
        stream = next((s for s in container.streams.audio if s.codec_context is not None), None)
        if stream is None or stream.time_base is None:
            return
        for packet in video.packets_beside(container, stream, start):
            try:
                frames = stream.codec_context.decode(packet)
            except av.error.InvalidDataError:
                continue  # a crackle; the sound after it is whole
            for frame in frames:
                frame.time_base = stream.time_base
                if frame.pts is None or _time(frame) < start:
                    continue
                if _time(frame) >= end:
                    return
                yield frame


def _write(
    writer: OutputContainer,
    video: PyAVVideo,
    span: Span,
    first: VideoFrame,
    pictures: Iterator[VideoFrame],
    sounds: Iterator[AudioFrame],
) -> None:
    """Encode pictures and sound side by side, counted from the first picture on."""
    zero = _time(first)
    seen = _picture_stream(writer, video, first)
    coded = _coded_pictures(seen, video, span, chain([first], pictures), zero)
    tracks: list[Iterator[_Coded]] = [coded]
    first_sound = next(sounds, None)
    if first_sound is not None:
        heard = _sound_stream(writer, first_sound)
        tracks.append(_coded_sounds(heard, chain([first_sound], sounds), zero))
    for _, packets in heapq.merge(*tracks, key=itemgetter(0)):
        writer.mux(packets)


def _picture_stream(writer: OutputContainer, video: PyAVVideo, first: VideoFrame) -> VideoStream:
    """H.264 that every player opens, in the time base and the colours of the source."""
    stream = writer.add_stream("libx264", rate=video.info.rate or Fraction(25))
    width, height = even_size(first)
    aspect = video.pixel_aspect
    if Orientation.of(first).transposed:
        width, height, aspect = height, width, 1 / aspect
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    context = stream.codec_context
    context.time_base = video.info.time_base
    context.sample_aspect_ratio = aspect
    context.color_range = _STUDIO_RANGE
    if not first.format.is_rgb:
        source = video.codec_context
        context.colorspace, context.color_trc = source.colorspace, source.color_trc
        context.color_primaries = source.color_primaries
    stream.options = {"preset": "fast", "crf": "18"}
    return stream


def _sound_stream(writer: OutputContainer, first: AudioFrame) -> AudioStream:
    """AAC, in stereo at most."""
    rate = first.sample_rate if first.sample_rate in _AAC_RATES else 48_000
    layout = "mono" if first.layout.nb_channels == 1 else "stereo"
    return writer.add_stream("aac", rate=rate, layout=layout)


def _coded_pictures(
    stream: VideoStream,
    video: PyAVVideo,
    span: Span,
    pictures: Iterator[VideoFrame],
    zero: Fraction,
) -> Iterator[_Coded]:
    now, base = zero, stream.codec_context.time_base
    size, aspect = (stream.width, stream.height), stream.codec_context.sample_aspect_ratio
    begun: int | None = None  # when the first packet is decoded
    for picture in pictures:
        now = _time(picture)
        fitted = upright(picture)
        if (fitted.width, fitted.height) != size:  # the footage's own changed on the way
            own = video.codec_context.sample_aspect_ratio or Fraction(1)
            turned = Orientation.of(picture).transposed
            shape = (1 / own if turned else own) / (aspect or Fraction(1))
            fitted = framed(fitted, size, shape)
        fitted.time_base = base
        fitted.pts = round((now - zero) / base)
        fitted.pict_type = 0  # let the encoder choose, not the old stream
        coded = stream.encode(fitted)
        if begun is None and coded:
            begun = coded[0].dts
        yield now, coded
    held = stream.encode(None)
    info = video.info
    stands = lasting(video, round(now / info.time_base), tick_at(info, span.end_seconds))
    if stands is not None and held:
        # An MP4 ends where its last packet does, whichever picture that holds.
        for packet in held:
            if packet.pts == round((now - zero) / base):
                packet.duration = stands
        over = round((now - zero) / base) + stands
        begun = held[0].dts if begun is None else begun
        held[-1].duration = over - (held[-1].dts or 0) + (begun or 0)
    yield now, held


def _coded_sounds(
    stream: AudioStream, sounds: Iterator[AudioFrame], zero: Fraction
) -> Iterator[_Coded]:
    now, context = zero, stream.codec_context
    even = even_sound(sounds, zero, context.sample_rate, context.layout.name)
    for now, sound in even:
        yield now, stream.encode(sound)
    yield now, stream.encode(None)
