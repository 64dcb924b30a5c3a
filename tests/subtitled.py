"""Films that carry text, written with PyAV; and subtitles in the formats that people have."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle, SubtitleSet

__all__ = ["Spoken", "ass", "lrc", "srt", "vtt", "with_text"]

Spoken = tuple[float, float, str]
"""(start, end, text) of a line, in seconds."""

_MS = Fraction(1, 1000)


def srt(lines: Sequence[Spoken]) -> str:
    """A SubRip file."""
    blocks = [
        f"{number}\n{_clock(start, ',')} --> {_clock(end, ',')}\n{text}\n"
        for number, (start, end, text) in enumerate(lines, start=1)
    ]
    return "\n".join(blocks)


def vtt(lines: Sequence[Spoken]) -> str:
    """A WebVTT file."""
    blocks = [
        f"{_clock(start, '.')} --> {_clock(end, '.')}\n{text}\n" for start, end, text in lines
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def ass(lines: Sequence[Spoken]) -> str:
    """A file of Advanced SubStation Alpha."""
    events = [
        f"Dialogue: 0,{_clock(start, '.')[1:-1]},{_clock(end, '.')[1:-1]},Default,,0,0,0,,{text}"
        for start, end, text in lines
    ]
    head = (
        "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\n"
        "Style: Default,Arial,20\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, "
        "MarginR, MarginV, Effect, Text\n"
    )
    return head + "\n".join(events) + "\n"


def lrc(lines: Sequence[tuple[float, str]]) -> str:
    """A file of lyrics: when each line begins."""
    stamps = [f"[{int(at // 60):02d}:{at % 60:05.2f}]{text}" for at, text in lines]
    return "\n".join(["[ti:A song]", *stamps, ""])


def with_text(
    source: Path,
    path: Path,
    tracks: Sequence[tuple[str, str, str]] = (),
    *,
    title: str = "",
    chapters: Sequence[Spoken] = (),
) -> Path:
    """The pictures of a film, and with them text.

    Args:
        source: the film.
        path: the file to write; the container follows from the suffix.
        tracks: (FFmpeg's name of the format, a file of that, its language) of each; an MP4 or MOV
            has it as its own kind of text. Times count from what the container's clock has at 0.
        title: of the whole.
        chapters: from when to when, and what each is called.
    """
    with av.open(str(source)) as film, av.open(str(path), "w") as out:
        pictures = film.streams.video[0]
        stream = out.add_stream_from_template(pictures)
        if title:
            out.metadata["title"] = title
        out.set_chapters(
            [
                {
                    "id": number,
                    "start": round(start * 1000),
                    "end": round(end * 1000),
                    "time_base": _MS,
                    "metadata": {"title": name},
                }
                for number, (start, end, name) in enumerate(chapters, start=1)
            ]
        )
        packets = []
        is_mp4 = path.suffix in (".mp4", ".mov")
        for form, text, language in tracks:
            with av.open(BytesIO(text.encode()), format=form) as written:
                lines = written.streams.subtitles[0]
                if is_mp4:
                    track = out.add_stream("mov_text")
                    track.codec_context.subtitle_header = b"[Script Info]\n"
                    track.codec_context.time_base = _MS
                else:
                    track = out.add_stream_from_template(lines)
                assert isinstance(track, SubtitleStream)
                track.metadata["language"] = language
                for packet in written.demux(lines):
                    if packet.size and packet.pts is not None and packet.time_base:
                        made = _recoded(lines, track, packet) if is_mp4 else packet
                        made.stream = track
                        packets.append((packet.pts * packet.time_base, made))
        for packet in film.demux(pictures):
            if packet.dts is not None:
                packet.stream = stream
                packets.append((packet.dts * packet.time_base, packet))
        for _, packet in sorted(packets, key=lambda each: each[0]):
            out.mux(packet)
    return path


def _recoded(lines: SubtitleStream, track: SubtitleStream, packet: av.Packet) -> av.Packet:
    """A line as the codec of another track has it."""
    shown = lines.decode2(packet)
    assert shown is not None and packet.duration is not None
    (rect,) = shown.rects
    assert isinstance(rect, AssSubtitle)
    text = SubtitleSet.create(text=rect.ass, start=0, end=packet.duration, pts=packet.pts)
    made = track.codec_context.encode_subtitle(text)
    made.pts = made.dts = packet.pts
    made.duration, made.time_base = packet.duration, packet.time_base
    return made


def _clock(seconds: float, point: str) -> str:
    whole, ms = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}{point}{ms:03d}"
