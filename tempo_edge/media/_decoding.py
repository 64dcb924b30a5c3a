"""Packets to pictures: what a decoder makes of them, and whether it is what was asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tempo_edge.media._bounds import check_picture

__all__ = ["Damage", "IndexLiesError", "decode", "lead_to", "times_rise"]

# Pictures at the start of a file that show whether times and pictures come in the same order.
_OPENING = 24


class IndexLiesError(Exception):
    """Packets that were said to lead to a picture don't; the cause is the damage met, if any."""


@dataclass
class Damage:
    """What a decoder could not make anything of.

    Attributes:
        first: the first error.
        count: packets that gave one, and pictures that are not whole.
    """

    first: BaseException | None = None
    count: int = 0

    def note(self, error: BaseException) -> None:
        """Count an error."""
        self.first = self.first or error
        self.count += 1


def decode(
    context: VideoCodecContext,
    packets: Iterable[Packet[VideoStream] | None],
    damage: Damage,
    interval: int | None = None,
) -> Iterator[VideoFrame]:
    """What a decoder makes of packets, in the order in which it is shown.

    Args:
        context: the decoder.
        packets: those to decode; None gets what the decoder still holds.
        damage: where errors are noted; the pictures after one may still be whole.
        interval: ticks from picture to picture, where the packets' times only count them: then
            the pictures are counted, from the number of the first packet on.

    Raises:
        MediaError: a picture is larger than any that is decoded.
    """
    count: int | None = None
    try:
        for packet in packets:
            if count is None and packet is not None:
                count = packet.pts
            try:
                frames = context.decode(packet)
            except av.error.InvalidDataError as error:
                damage.note(error)
                continue
            frames.reverse()
            while frames:  # so that nothing here holds on to what the caller lets go of
                frame = frames.pop()
                check_picture(frame.width, frame.height, frame.format)
                if interval is not None and count is not None:
                    frame.pts, count = count, count + interval
                yield frame
                del frame
    except av.error.FFmpegError as error:
        damage.first = damage.first or error


def lead_to(
    frames: Iterable[VideoFrame],
    first: int,
    last: int,
    *,
    from_key: bool,
    tells: bool,
    damage: Damage,
) -> Iterator[VideoFrame]:
    """The pictures within ``[first, last]`` ticks, if those decoded so far lead to them.

    Args:
        frames: what a decoder gives; their times rise.
        from_key: the picture at ``first`` is a key frame, which must be there unless it is damaged.
        tells: the decoder says of a picture whether it leans on others; the first must not.
        damage: where the decoder notes errors, and pictures given that are not whole are counted.

    Raises:
        IndexLiesError: before any is given, where they don't.
    """
    opened = seen = False
    for frame in frames:
        if tells and not (opened or frame.key_frame):
            break
        opened = True
        pts = frame.pts
        if pts is None or pts < first:
            continue
        if from_key and not (seen or pts == first or damage.first):
            break
        if pts <= last:
            seen = True
            damage.count += frame.is_corrupt
            yield frame
        del frame
        if pts >= last:
            break
    if not seen:
        raise IndexLiesError from damage.first


def times_rise(frames: Iterable[VideoFrame]) -> bool:
    """Whether the first pictures of a file have times in the order in which they are shown."""
    stamps = [frame.pts for frame in islice(frames, _OPENING)]
    known = [stamp for stamp in stamps if stamp is not None]
    return all(before <= after for before, after in pairwise(known))
