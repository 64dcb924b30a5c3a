"""The packet table of a film: from its container's index alone, or from all of its packets."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from tempo_edge.errors import MediaError
from tempo_edge.media._bounds import bounded
from tempo_edge.media._clock import longest_picture
from tempo_edge.media._counting import counted
from tempo_edge.media._ending import Sound, promised_end
from tempo_edge.media._evidence import Evidence
from tempo_edge.media._intact import Check, check_for
from tempo_edge.media._keys import believe, container_tells
from tempo_edge.media._packets import packet_table
from tempo_edge.media._payload import may_tell_payload, open_hollow
from tempo_edge.media._restarts import resets_are_usual
from tempo_edge.media._signature import Signature
from tempo_edge.media._streams import format_names
from tempo_edge.media._truncation import lacks_fragments, promise
from tempo_edge.media._types import DAMAGED, PacketTable, VideoInfo
from tempo_edge.media.container import demux

__all__ = ["Film", "listed", "listed_from_index"]

# What a file lacks of its promised length is worth telling from here on, in seconds.
_MISSED = Fraction(1, 2)

# Lengths are written in milliseconds, and so are the times of what they are the sum of.
_ROUNDED = Fraction(2, 1000)

# Containers whose length is written down, not guessed by FFmpeg from what is there.
_TELLING = frozenset({"mov", "matroska"})

# How a remark on a file that breaks off begins.
_CUT_SHORT = "cut short: "

# A file of so few bytes is read sooner than it is sought through.
_SMALL = 1 << 22


@dataclass(frozen=True)
class Film:
    """The stream of an open container that is listed.

    Attributes:
        path: the file.
        container: the file, open.
        stream: the pictures.
        info: what the container says about them.
        interval: ticks from picture to picture where the file has no time stamps; None elsewhere.
    """

    path: Path
    container: InputContainer
    stream: VideoStream
    info: VideoInfo
    interval: int | None


def may_be_listed_from_index(path: Path) -> bool:
    """Whether a file is worth an attempt at :func:`listed_from_index`, by its size and its head.

    Raises:
        OSError: the file can't be read.
    """
    return path.stat().st_size >= _SMALL and may_tell_payload(path)


def listed(film: Film, signature: Signature) -> PacketTable:
    """The table of a film, all of whose packets are read and looked at for damage.

    Args:
        film: its container stands at the beginning.
        signature: that of its encoder, which is seen on the way.

    Raises:
        MediaError: there is no packet with a time stamp.
    """
    table, _ = _listed(film, film, check_for(film.stream.codec_context), signature)
    return table


def listed_from_index(film: Film) -> PacketTable | None:
    """The table of a film from what its container says of its packets, which are not read.

    Damage that lies within them does not show. None where the container does not tell, where it
    contradicts itself.

    Args:
        film: its container may stand anywhere, and is left there.
    """
    formats = format_names(film.container)
    if film.interval is not None or not container_tells(formats, film.stream.codec_context):
        return None
    try:
        opened = open_hollow(film.path, formats)
        if opened is None:
            return None
        container, file = opened
        try:
            stream = container.streams[film.stream.index]
            if not isinstance(stream, VideoStream) or stream.time_base != film.info.time_base:
                return None
            read = replace(film, container=container, stream=stream)
            table, is_whole = _listed(film, read, _any, None)
        finally:
            container.close()
            file.close()
    except (av.error.FFmpegError, IndexError, OSError, ValueError, MediaError):
        return None
    # Without an index of its own, FFmpeg takes every packet of an AVI for a key frame.
    listed_there = len(getattr(film.stream, "index_entries", ()))
    if not is_whole or ("avi" in formats and listed_there < len(table)):
        return None
    return replace(table, from_index=True)


def _any(packet: Packet[VideoStream]) -> bool:
    """Whatever a packet holds: nobody looked."""
    return True


def _listed(
    film: Film, read: Film, check: Check, signature: Signature | None
) -> tuple[PacketTable, bool]:
    """(the table of a film, whether nothing in it tells of damage).

    Args:
        film: the film, as it is shown.
        read: the same, as its packets are read.
        check: whether a packet can be whole.
        signature: that of the encoder, where packets are read as they are.
    """
    second = float(1 / film.info.time_base)
    sound, resets = Sound(read.stream), resets_are_usual(film.container)
    evidence = Evidence(film.path, format_names(film.container), check, sound)
    held = bounded(demux(read.container), film.path.stat().st_size)
    pictures = sound.without(held)
    if signature is not None:
        pictures = signature.seen(pictures)
    if film.interval is not None:
        pictures = counted(pictures, 0, film.interval)
    table = packet_table(pictures, second, resets, evidence)
    table = _placed(film, table, sound, evidence)
    told = any(remark.startswith((DAMAGED, _CUT_SHORT)) for remark in table.remarks)
    return believe(table, film.stream.codec_context), not told and evidence.error is None


def _placed(film: Film, table: PacketTable, sound: Sound, evidence: Evidence) -> PacketTable:
    """A table with what is known of its container: its stream, and where footage ends."""
    info, end, gaps = film.info, table.end, table.holes
    assert end is not None
    limit = longest_picture(resets_are_usual(film.container)) / info.time_base
    zero = math.floor(info.start_time / info.time_base)
    if not table.parts:
        table = table.since(zero)
        if not len(table):
            raise MediaError("holds no picture after its start")
    first = int(table.pts[0])
    if first - zero > limit:
        gaps = ((zero, first), *gaps)
    over, promised = sound.end, promised_end(film.path, film.container)
    read = max(end * info.time_base, over or 0)
    stops = "mov" in format_names(film.container) and lacks_fragments(film.path)
    if promised is not None and evidence.lacks(float(promised - read), float(read)):
        stops = True
    elif over is None and not table.remarks:
        over = promised
    if over is not None and not table.parts:
        last = int(over / info.time_base)
        end = last if end < last <= end + limit else end
    cut = _cut_short(film, end, sound.end)
    assert table.end is not None
    damage = evidence.remarks(info, table.end, is_cut=bool(cut), stops=stops)
    remarks = table.remarks + cut + damage
    return replace(table, remarks=remarks, stream=film.stream.index, end=end, holes=gaps)


def _cut_short(film: Film, end: int, over: Fraction | None) -> tuple[str, ...]:
    """A remark on a file that breaks off.

    Other containers may go on with sound alone: it is bytes that must be missing. Where these
    may be those of an index, something that is seen or heard must be missing as well.

    Args:
        film: the film, as it is shown.
        end: where its last picture is over, in ticks.
        over: seconds of the container at which its last sound is.
    """
    told, size = promise(film.path), film.path.stat().st_size
    if size >= max(told.end, told.data_end):
        return ()
    seconds = told.seconds
    if seconds is None and format_names(film.container) & _TELLING:
        seconds = film.info.duration
    last = film.info.time_of(end)
    lasts = last if over is None else max(last, over - film.info.start_time)
    is_there = told.data_end > 0 if seconds is None else seconds <= lasts + _ROUNDED
    if told.data_end <= size and is_there:
        return ()
    more = seconds is not None and seconds >= last + _MISSED
    added = f", its container promises {float(seconds or 0):.1f} s" if more else ""
    return (f"{_CUT_SHORT}it ends at {float(last):.1f} s{added}",)
