"""Text that a container carries beside its pictures, and files of the same text beside it.

FFmpeg reads both, and gives every line as one of ASS, whatever it was written as. Of a film only
the packets of text are read, as far as its container tells where they lie.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle

from tempo_edge.errors import MediaError
from tempo_edge.media._blocks import BlockFile
from tempo_edge.media._bounds import bounded
from tempo_edge.media._payload import open_hollow
from tempo_edge.media._streams import format_names
from tempo_edge.media.container import demux, discard_all_but, open_container, reason

__all__ = ["TEXT_FORMATS", "ContainerText", "Cue", "TextTrack", "cues_of_text", "text_of_container"]

#: By suffix, FFmpeg's name of each format of subtitle files that is read.
TEXT_FORMATS = {".srt": "srt", ".vtt": "webvtt", ".ass": "ass", ".ssa": "ass", ".lrc": "lrc"}

# FFmpeg's names of the decoders that give text; others give pictures of it.
_TEXT_CODECS = frozenset({"mov_text", "srt", "subrip", "ass", "ssa", "webvtt", "text"})

# All that is asked of a film at first lies in its head and its index.
_HEAD_ONLY = {"probesize": "32", "analyzeduration": "1", "fpsprobesize": "0"}

# What is read of a track, of a line and of all lines of a file: a film has a thousand short ones.
_MOST_CUES = 100_000
_MOST_LETTERS = 20_000
_MOST_TEXT = 1 << 26

_MOST_CHAPTERS = 10_000
_MOST_TRACKS = 64

# Of a line of ASS, what stands before its text: order, layer, style, name, margins, effect.
_FIELDS = 8


@dataclass(frozen=True)
class Cue:
    """A line of text and when it is shown.

    Attributes:
        start: seconds from what players call zero.
        end: likewise; None where that is not said.
        text: as ASS has it, with overrides in braces.
    """

    start: Fraction
    end: Fraction | None
    text: str


@dataclass(frozen=True)
class TextTrack:
    """A track of text.

    Attributes:
        name: which one, ``stream 2`` say.
        language: as the container names it, or empty.
        cues: its lines in the order in which they lie there.
        fault: why there may be more of them, or empty.
    """

    name: str
    language: str
    cues: tuple[Cue, ...]
    fault: str = ""


@dataclass(frozen=True)
class ContainerText:
    """All text of a container.

    Attributes:
        title: as its tags have it, or empty.
        chapters: their titles.
        tracks: its streams of text.
    """

    title: str
    chapters: tuple[Cue, ...]
    tracks: tuple[TextTrack, ...]


def text_of_container(path: Path, zero: Fraction) -> ContainerText:
    """The text that a media file carries.

    Args:
        path: the file.
        zero: instant of the container that players call zero, in seconds;
            :attr:`tempo_edge.media.VideoInfo.start_time`.

    Raises:
        MediaError: the file can't be opened.
    """
    try:
        with ExitStack() as stack:
            file = BlockFile(path)
            stack.callback(file.close)
            container = open_container(path, _HEAD_ONLY, file, decodes=False)
            stack.callback(container.close)
            title = container.metadata.get("title", "")
            chapters = tuple(_chapters(container, zero))
            if not _text_streams(container):
                return ContainerText(title, chapters, ())
            names = format_names(container)
            tracks = None if "mov" in names else _tracks_alone(path, names, zero)
            # In a damaged file others' packets may have to be read to find those of text.
            return ContainerText(title, chapters, tracks or _tracks(container, path, zero)[0])
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise MediaError(f"its text can't be read: {reason(error)}") from error


def _chapters(container: InputContainer, zero: Fraction) -> Iterator[Cue]:
    for chapter in container.chapters()[:_MOST_CHAPTERS]:
        base, title = chapter["time_base"], chapter["metadata"].get("title", "")
        if base and title:
            start, end = (Fraction(chapter[at]) * base - zero for at in ("start", "end"))
            yield Cue(start, end if end > start else None, title[:_MOST_LETTERS])


def _text_streams(container: InputContainer) -> list[SubtitleStream]:
    texts = [
        stream
        for stream in container.streams.subtitles
        if stream.codec_context is not None and stream.codec_context.name in _TEXT_CODECS
    ]
    return texts[:_MOST_TRACKS]


def _tracks_alone(
    path: Path, names: frozenset[str], zero: Fraction
) -> tuple[TextTrack, ...] | None:
    """The tracks of a file of which no pictures are read; None where that does not do."""
    try:
        opened = open_hollow(path, names)
        if opened is None:
            return None
        container, file = opened
        try:
            tracks, broken = _tracks(container, path, zero)
        finally:
            container.close()
            file.close()
    except (av.error.FFmpegError, OSError, ValueError):
        return None
    return None if broken else tracks


def _tracks(
    container: InputContainer, path: Path, zero: Fraction
) -> tuple[tuple[TextTrack, ...], bool]:
    """(the tracks of text, whether reading them broke off)."""
    streams = {stream.index: stream for stream in _text_streams(container)}
    discard_all_but(container, *streams.values())
    packets = bounded(demux(container, *streams.values()), path.stat().st_size)
    cues, broken = _cues(packets, streams, zero)
    tracks = tuple(
        _track(f"stream {index}", stream.metadata.get("language", ""), cues[index], broken)
        for index, stream in streams.items()
    )
    return tracks, bool(broken)


def _track(name: str, language: str, cues: list[Cue], broken: str) -> TextTrack:
    more = f"holds more than {_MOST_CUES:,} lines" if len(cues) > _MOST_CUES else ""
    return TextTrack(name, language, tuple(cues[:_MOST_CUES]), broken or more)


def cues_of_text(text: str, form: str) -> TextTrack:
    """The lines of a subtitle file.

    Args:
        text: all of it.
        form: one of the values of :data:`TEXT_FORMATS`.

    Raises:
        MediaError: nothing of it can be read.
    """
    try:
        with av.open(BytesIO(text.encode("utf-8", "replace")), format=form) as container:
            assert isinstance(container, InputContainer)
            stream = container.streams.subtitles[0]
            read, broken = _cues(demux(container, stream), {stream.index: stream}, Fraction(0))
    except (av.error.FFmpegError, OSError, ValueError, IndexError) as error:
        raise MediaError(f"can't be read: {reason(error)}") from error
    (cues,) = read.values()
    return _track("", "", cues, broken)


def _cues(
    packets: Iterator[Packet[SubtitleStream]], streams: dict[int, SubtitleStream], zero: Fraction
) -> tuple[dict[int, list[Cue]], str]:
    """(the lines of streams by their places, one more than the most; why reading broke off)."""
    cues: dict[int, list[Cue]] = {index: [] for index in streams}
    room = _MOST_TEXT
    try:
        for packet in packets:
            taken = cues.get(packet.stream_index)
            if taken is None or len(taken) > _MOST_CUES or not packet.size:
                continue
            text = _text(streams[packet.stream_index], packet)
            if not text or packet.pts is None or not packet.time_base:
                continue
            room -= len(text)
            if room < 0:
                return cues, f"holds more than {_MOST_TEXT:,} letters"
            start = packet.pts * packet.time_base - zero
            length = packet.duration or 0
            end = start + length * packet.time_base if length > 0 else None
            taken.append(Cue(start, end, text))
    except MediaError as error:
        return cues, str(error)
    except av.error.FFmpegError as error:
        return cues, f"breaks off: {reason(error)}"
    return cues, ""


def _text(stream: SubtitleStream, packet: Packet[SubtitleStream]) -> str:
    """The text of a packet, one line for each that it holds; nothing where it is damaged."""
    try:
        shown = stream.decode2(packet)
    except av.error.FFmpegError:
        return ""
    lines = []
    for rect in shown or ():
        if isinstance(rect, AssSubtitle):
            line = rect.ass.decode("utf-8", "replace")
            lines.append(line.split(",", _FIELDS)[-1][:_MOST_LETTERS])
    return "\n".join(lines)[:_MOST_LETTERS]
