"""Packets of a video stream: the table of all of them, and those that a run needs."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

import av
import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream

from tempo_edge.errors import MediaError
from tempo_edge.media._container import reason
from tempo_edge.media._types import PacketTable

__all__ = ["packet_table", "stamp_of", "starts", "until"]


def stamp_of(packet: Packet[VideoStream]) -> int | None:
    """When a packet's picture is shown; AVI and kin only know when it is decoded."""
    return packet.pts if packet.pts is not None else packet.dts


def until(
    first: int, last: int, packets: Iterable[Packet[VideoStream]]
) -> Iterator[Packet[VideoStream] | None]:
    """The packets that [first, last] needs, then None to get what the decoder still holds."""
    for packet in packets:
        # No picture is shown before it is decoded: past this point none belongs here.
        if packet.dts is not None and packet.dts > last:
            break
        yield packet
        if first == last and packet.is_keyframe and stamp_of(packet) == last:
            break  # a key frame alone needs nothing else
    yield None


def starts(packet: Packet[VideoStream], key: int) -> bool:
    """Whether decoding may begin here: at the key frame, one after it, or one that is hidden."""
    stamp = stamp_of(packet)
    return packet.is_keyframe and stamp is not None and (packet.is_discard or stamp >= key)


def packet_table(packets: Iterable[Packet[VideoStream]]) -> PacketTable:
    """The table of a stream, from its packets in the order in which they are decoded.

    Raises:
        MediaError: none of them has a time stamp.
    """
    # A long film has millions of pictures: 17 bytes each here, a hundred in lists.
    pts, sizes, keys = array("q"), array("q"), bytearray()
    entry: list[int] = []  # rows that lean on a key frame which an edit list hides
    hidden = False
    try:
        for packet in packets:
            stamp = stamp_of(packet)
            if stamp is None or not packet.size:
                continue
            if packet.is_keyframe:
                hidden = packet.is_discard
                _enter(pts, keys, entry)
            if packet.is_discard:
                continue
            if hidden:
                entry.append(len(pts))
            pts.append(stamp)
            sizes.append(packet.size)
            keys.append(packet.is_keyframe)
    except av.error.FFmpegError as error:
        # What was read before the break is still footage: a download cut short, say.
        if not pts:
            raise MediaError(f"can't be demuxed: {reason(error)}") from error
    _enter(pts, keys, entry)
    if not pts:
        raise MediaError("holds no picture with a time stamp")
    stamps, order = np.unique(np.frombuffer(pts, dtype=np.int64), return_index=True)
    return PacketTable(
        stamps,
        np.frombuffer(sizes, dtype=np.int64)[order],
        np.frombuffer(keys, dtype=np.bool_)[order],
    )


def _enter(pts: array[int], keys: bytearray, entry: list[int]) -> None:
    """Where a key frame is hidden, decoding can start at the first picture that is shown."""
    if entry:
        keys[min(entry, key=pts.__getitem__)] = True
        entry.clear()
