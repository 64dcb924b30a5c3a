"""Moments as files or in a player: cut a span out of a video, or open it there."""

from __future__ import annotations

import os
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from tempo_edge.errors import MediaError, TempoEdgeError
from tempo_edge.moment import Span

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer

__all__ = ["cut", "play"]


def cut(source: Path, span: Span, folder: Path) -> Path:
    """Write ``[start, end)`` of a video to an MP4 of its own, exact to the frame.

    The pictures and the sound are encoded again, because a stream can only be copied from a key
    frame on. An existing file of the same name is replaced once the new one is whole.

    Args:
        source: the video.
        span: seconds from the start of the container.
        folder: where to write; made if missing.

    Returns:
        The new file: ``NAME.START-END.mp4``.

    Raises:
        MediaError: the source can't be read, or holds no picture in the span.
    """
    import av

    name = f"{source.stem}.{span.start_seconds:.2f}-{span.end_seconds:.2f}.mp4"
    target = folder / name
    draft = folder / f".{name}.{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with av.open(str(source)) as reader, av.open(str(draft), "w", format="mp4") as writer:
            pictures = _copy_span(reader, writer, span)
        if not pictures:
            raise MediaError(
                f"{source} holds no picture within "
                f"[{span.start_seconds:.3f}, {span.end_seconds:.3f}) seconds"
            )
        draft.replace(target)
    except (av.error.FFmpegError, OSError) as error:
        raise MediaError(f"{source} can't be cut: {error}") from error
    finally:
        draft.unlink(missing_ok=True)
    return target


def _copy_span(reader: InputContainer, writer: OutputContainer, span: Span) -> int:
    """Decode, keep what lies in the span, encode; gives the number of pictures written."""
    import av
    from av.audio.frame import AudioFrame
    from av.video.frame import VideoFrame

    video = reader.streams.video[0]
    audio = reader.streams.audio[0] if reader.streams.audio else None
    streams = [video] if audio is None else [video, audio]
    start_time = min(s.start_time * s.time_base for s in streams if s.start_time is not None)
    start = start_time + Fraction(span.start_seconds).limit_denominator(1_000_000)
    end = start_time + Fraction(span.end_seconds).limit_denominator(1_000_000)
    rate = video.average_rate or Fraction(25)
    even = (video.codec_context.width // 2 * 2, video.codec_context.height // 2 * 2)
    picture_out = writer.add_stream("libx264", rate=rate)
    picture_out.width, picture_out.height = even
    picture_out.pix_fmt = "yuv420p"
    picture_out.codec_context.time_base = video.time_base
    picture_out.options = {"preset": "fast", "crf": "18"}
    sound_out = None
    if audio is not None:
        sound_out = writer.add_stream("aac", rate=audio.codec_context.sample_rate)
    offset = max(0, int(start / Fraction(1, av.time_base)))
    reader.seek(offset, backward=True)
    pictures, done = 0, False
    for frame in reader.decode(*streams):
        if frame.pts is None or frame.time_base is None:
            continue
        now = frame.pts * frame.time_base
        if isinstance(frame, VideoFrame):
            done = now >= end
            if start <= now < end:
                fitted = frame.reformat(*even, format="yuv420p")
                fitted.pts = frame.pts - int(start / frame.time_base)
                fitted.time_base = frame.time_base
                fitted.pict_type = 0  # let the encoder choose, not the old stream
                writer.mux(picture_out.encode(fitted))
                pictures += 1
        elif isinstance(frame, AudioFrame) and sound_out is not None and start <= now < end:
            frame.pts = frame.pts - int(start / frame.time_base)
            writer.mux(sound_out.encode(frame))
        if done:
            break
    writer.mux(picture_out.encode(None))
    if sound_out is not None:
        writer.mux(sound_out.encode(None))
    return pictures


def play(source: Path, span: Span) -> None:
    """Open mpv on a video at the first second of a span; it does not wait for the player.

    Raises:
        TempoEdgeError: mpv is not installed.
    """
    player = shutil.which("mpv")
    if player is None:
        raise TempoEdgeError("mpv is not installed: install it, or leave out --play")
    subprocess.Popen(
        [player, "--really-quiet", f"--start={span.start_seconds:.3f}", "--", str(source)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
