"""Packets of a video stream: the table of all of them, and those that a run needs."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeVar

import av
import numpy as np
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream
from numpy.typing import NDArray

from tempo_edge.errors import MediaError
from tempo_edge.media._clock import Clock, holes
from tempo_edge.media._evidence import Evidence
from tempo_edge.media._intact import Check
from tempo_edge.media._keys import is_told
from tempo_edge.media._types import PacketTable, Part
from tempo_edge.media.container import reason

__all__ = ["contradicts", "on_one_clock", "packet_table", "stamp_of", "starts", "until"]

_Any = TypeVar("_Any", bound=Stream)

# Restarts of a clock that are told one by one.
_TOLD = 3


def stamp_of(packet: Packet[VideoStream]) -> int | None:
    """When a packet's picture is shown; AVI and kin only know when it is decoded."""
    return packet.pts if packet.pts is not None else packet.dts


def until(
    first: int, last: int, packets: Iterable[Packet[VideoStream]], place: int | None = None
) -> Iterator[Packet[VideoStream] | None]:
    """The packets that [first, last] needs, then None to get what the decoder still holds.

    Args:
        first, last: ticks.
        packets: those from the key frame on.
        place: byte at which the last of them begins, where that is known.
    """
    for packet in packets:
        # No picture is shown before it is decoded: past this point none belongs here.
        if packet.dts is not None and packet.dts > last:
            break
        yield packet
        if place is not None and packet.pos is not None and packet.pos >= place:
            break  # the next one would be read for nothing
        if first == last and packet.is_keyframe and stamp_of(packet) == last:
            break  # a key frame alone needs nothing else
    yield None


def starts(packet: Packet[VideoStream], key: int) -> bool:
    """Whether decoding may begin here: at the key frame, one after it, or one that is hidden."""
    stamp = stamp_of(packet)
    return packet.is_keyframe and stamp is not None and (packet.is_discard or stamp >= key)


def contradicts(packet: Packet[VideoStream], table: PacketTable, is_intact: Check) -> bool:
    """Whether a packet is another than a table says that was made from its container's index."""
    stamp = stamp_of(packet)
    if stamp is None or packet.is_discard or not table.pts[0] <= stamp <= table.pts[-1]:
        return False  # before the start, say: the index told of it, the table doesn't
    row = int(np.searchsorted(table.pts, stamp))
    if table.pts[row] != stamp:
        return True
    # Decoding may start behind a key frame that an edit list hides: the first picture then is none.
    is_other_key = is_told(packet.stream.codec_context.name) and (
        packet.is_keyframe != table.keys[row] and row > 0
    )
    return packet.size != table.sizes[row] or is_other_key or not is_intact(packet)


def on_one_clock(
    packets: Iterable[Packet[_Any]], parts: Sequence[Part], time_base: Fraction
) -> Iterator[Packet[_Any]]:
    """Packets of a file whose clock starts again, with time stamps that count on.

    Args:
        parts: those of the file's table; ``time_base``: seconds a tick of their shifts.
    """
    begins = [part.position for part in parts]
    shift = None
    for packet in packets:
        if shift is None or (packet.pos is not None and packet.pos >= 0):
            ticks = parts[max(0, bisect_right(begins, packet.pos or 0) - 1)].shift
            shift = round(ticks * time_base / packet.time_base)
        if packet.pts is not None:
            packet.pts += shift
        if packet.dts is not None:
            packet.dts += shift
        yield packet


@dataclass
class _Columns:
    """What was read of a stream's packets, in the order in which they are decoded."""

    # A long film has millions of pictures: 41 bytes each here, hundreds in lists.
    shown: array[int] = field(default_factory=lambda: array("q"))
    decoded: array[int] = field(default_factory=lambda: array("q"))
    lengths: array[int] = field(default_factory=lambda: array("q"))
    sizes: array[int] = field(default_factory=lambda: array("q"))
    positions: array[int] = field(default_factory=lambda: array("q"))
    keys: bytearray = field(default_factory=bytearray)

    def add(self, packet: Packet[VideoStream], stamp: int) -> None:
        self.shown.append(stamp)
        self.decoded.append(stamp if packet.dts is None else packet.dts)
        # Damaged files have pictures that are over before they begin: nobody knows how long.
        self.lengths.append(max(packet.duration or 0, 0))
        self.sizes.append(packet.size)
        # What has no place of its own lies in the packet before it.
        before = self.positions[-1] if self.positions else 0
        self.positions.append(before if packet.pos is None or packet.pos < 0 else packet.pos)
        self.keys.append(packet.is_keyframe)


def packet_table(
    packets: Iterable[Packet[VideoStream]],
    second: float,
    resets: bool,
    evidence: Evidence | None = None,
) -> PacketTable:
    """The table of a stream, from its packets in the order in which they are decoded.

    Args:
        second: ticks a second.
        resets: whether clocks that start again are usual in the container.
        evidence: looks at each packet for damage; what it finds lost is a hole.

    Raises:
        MediaError: none of them has a time stamp.
    """
    read = _Columns()
    entry: list[int] = []  # rows that lean on a key frame which an edit list hides
    hidden = False
    try:
        for packet in packets:
            stamp = stamp_of(packet)
            if stamp is not None and packet.size and packet.is_keyframe:
                hidden = packet.is_discard
                _enter(read, entry)
            if stamp is None or not packet.size or packet.is_discard:
                if evidence is not None:
                    evidence.pass_over(packet)
                continue
            if hidden:
                entry.append(len(read.shown))
            read.add(packet, stamp)
            if evidence is not None:
                evidence.add(packet)
    except av.error.FFmpegError as error:
        # What was read before the break is still footage: a download cut short, say.
        if not read.shown:
            raise MediaError(f"can't be demuxed: {reason(error)}") from error
        if evidence is not None:
            evidence.error = error
    _enter(read, entry)
    if not read.shown:
        raise MediaError("holds no picture with a time stamp")
    return _in_order(read, second, resets, evidence)


def _enter(read: _Columns, entry: list[int]) -> None:
    """Where a key frame is hidden, decoding can start at the first picture that is shown."""
    if entry:
        read.keys[min(entry, key=read.shown.__getitem__)] = True
        entry.clear()


def _in_order(
    read: _Columns, second: float, resets: bool, evidence: Evidence | None
) -> PacketTable:
    """Packets in the order in which they are shown, on one clock."""
    shown, decoded, lengths, sizes, positions = (
        np.frombuffer(column, dtype=np.int64)
        for column in (read.shown, read.decoded, read.lengths, read.sizes, read.positions)
    )
    keys = np.frombuffer(read.keys, dtype=np.bool_)
    in_file_order = bool((np.diff(positions) > 0).all())
    clock = Clock.of(decoded, shown, second, resets)
    good, times = clock.good, clock.rising(shown)
    remarks = _remarks(clock, times, second)
    if len(clock.starts) > 1 and (np.diff(positions) < 0).any():
        # Packets that don't lie in order can't be sought by where they lie.
        good = good & (np.arange(len(good)) < clock.starts[1])
        clock = Clock(good, clock.starts[:1], clock.shifts[:1])
        remarks += (f"{int((~good).sum())} pictures after that can't be sought, and are left out",)
    rows = np.flatnonzero(good)
    stamps, order = np.unique(times[rows], return_index=True)
    rows = rows[order]
    lost = None
    if evidence is not None:
        layout = (positions, sizes, keys)
        lost = evidence.weigh(stamps, rows, layout, second, clock.starts)
    parts = tuple(
        Part(int(positions[start]), int(shift))
        for start, shift in zip(clock.starts, clock.shifts, strict=True)
    )
    lengths = lengths[rows]
    gaps = np.diff(stamps)
    typical = int(np.median(gaps)) if len(gaps) else 0
    return PacketTable(
        stamps,
        sizes[rows],
        keys[rows],
        remarks,
        end=int(stamps[-1]) + (int(lengths[-1]) or typical),
        holes=holes(stamps, lengths, second, resets, lost),
        positions=positions[rows],
        parts=parts if len(parts) > 1 else (),
        in_file_order=in_file_order,
    )


def _remarks(clock: Clock, times: NDArray[np.int64], second: float) -> tuple[str, ...]:
    """What the owner of a file should know of its clock."""
    remarks: list[str] = []
    if len(clock.starts) > 1:
        parts = np.split(np.where(clock.good, times, np.iinfo(np.int64).max), clock.starts[1:])
        begins = [float(part.min() - parts[0].min()) / second for part in parts[1:]]
        told = [f"{seconds:.1f}" for seconds in begins[:_TOLD]]
        if len(begins) > _TOLD:
            remarks.append(f"its clock starts again {len(begins)} times, first at {told[0]} s")
        else:
            listed = " and ".join([", ".join(told[:-1])] * (len(told) > 1) + told[-1:])
            remarks.append(f"its clock starts again at {listed} s")
    lost = int((~clock.good).sum())
    if lost:
        pictures = f"{lost} pictures are" if lost > 1 else "1 picture is"
        remarks.append(f"{pictures} left out, whose time stamps are damaged")
    return tuple(remarks)
