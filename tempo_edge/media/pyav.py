"""The default decoder: PyAV over FFmpeg's libraries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain, dropwhile
from pathlib import Path

import av
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from tempo_edge.errors import MediaError
from tempo_edge.media._counting import counted, is_told_by_packets
from tempo_edge.media._decoding import Damage, IndexLiesError, decode, lead_to, times_rise
from tempo_edge.media._frame import PyAVFrame
from tempo_edge.media._keys import (
    has_no_times,
    has_palette_apart,
    may_hold_decode_times,
    rests_on_none,
)
from tempo_edge.media._packets import starts, until
from tempo_edge.media._reader import StreamReader
from tempo_edge.media._record import is_as_told
from tempo_edge.media._straight import StraightDecode, by_order, rising
from tempo_edge.media._types import DecodeRange, PacketTable
from tempo_edge.media.container import reason

__all__ = ["PyAVVideo"]

# The loop filter only smooths block edges: a picture that is about to be shrunk to a thumbnail does
# without it, and decoding is a quarter faster.
_FAST_OPTIONS = {"skip_loop_filter": "all", "flags2": "+fast"}


# Every packet of these gives a picture; of one that it can't decode, a decoder may say nothing.
_GIVES_ALL = frozenset({"hevc", "av1", "libdav1d"})


class PyAVVideo(StreamReader):
    """A video stream opened with PyAV. Decodes on the calling thread only.

    Args:
        path: the file.
        fast: leave out the loop filter: for thumbnails and differences, not for people.
        table: the packets of the file, where they are known already.
        whole: list all packets by reading them, whatever the container's index says.
        unseen: take the container's word for the size and the depth of pictures, and decode none
            to find out.
    """

    def __init__(
        self,
        path: Path,
        *,
        fast: bool = True,
        table: PacketTable | None = None,
        whole: bool = False,
        unseen: bool = False,
    ) -> None:
        options = _FAST_OPTIONS if fast else {}
        super().__init__(path, options, table, whole=whole, unseen=unseen)
        self.damaged = 0
        self._beginning: PyAVVideo | None = None
        self._straight: StraightDecode | None = None
        self._decoder_tells = True  # whether a picture leans on others
        self._scaler = VideoReformatter()

    def check(self) -> None:
        """Nothing to find out: whatever this decoder can't decode is damaged."""

    def frames(self, run: DecodeRange) -> Iterator[PyAVFrame]:
        before, told = self.damaged, 0
        is_first = self._is_told and self._is_first(run)

        def wrapped(frame: VideoFrame) -> PyAVFrame:
            nonlocal told
            if is_first and not told:
                self.contradicted |= not is_as_told(frame, self.info)
            told += 1
            return PyAVFrame(frame, self._scaler)

        is_whole = False
        try:
            # By `map`, which holds on to no picture that the caller has let go of.
            yield from map(wrapped, self._shown(run.key, run.last, from_key=True))
            swallowed = self._expected(run) - told
            self.damaged = max(self.damaged, before + swallowed)
            is_whole = not self.damaged
        except GeneratorExit:
            is_whole = not self.damaged
            raise
        finally:
            if not is_whole and self._table is not None:
                self.contradicted |= self._table.from_index

    def _is_first(self, run: DecodeRange) -> bool:
        """Whether a run begins where decoding of the film does."""
        table = self._table
        return table is not None and bool(table.keys.any()) and run.key <= table.pts[table.keys][0]

    def _expected(self, run: DecodeRange) -> int:
        """Pictures that a decoder must give for a run, as far as is known; it may hide them."""
        table = self._table
        if table is None or table.parts or self.codec_context.name not in _GIVES_ALL:
            return 0
        first, end = np.searchsorted(table.pts, [run.key, run.last + 1])
        return int(end - first)

    def pictures(self, first: int, last: int) -> Iterator[VideoFrame]:
        """Every picture within ``[first, last]`` ticks, decoded from the key frame before them.

        Raises:
            MediaError: the stretch can't be decoded.
        """
        yield from self._shown(first, last, from_key=False)

    def _shown(self, first: int, last: int, *, from_key: bool) -> Iterator[VideoFrame]:
        """The pictures within [first, last], by the quickest way that leads to the right ones.

        Where the index lies, a packet flagged as a key frame is none, or not the one it is said to
        be. What the decoder makes of it tells: its first picture must lean on no other, and the
        first of a run must be that of its key. Else decoding starts at the key frame before, and if
        that is none either, at the beginning of the file.
        """
        error: BaseException | None = None
        for packets in () if self._needs_all else self._ways_to(first, from_key):
            try:
                yield from self._decode(packets, first, last, from_key)
                return
            except IndexLiesError as lie:
                error = error or lie.__cause__
            if error is not None and self.codec_context.codec.intra_only:
                self.damaged += 1
                raise MediaError(f"can't be decoded: {reason(error)}")  # no other picture helps
        yield from self._decode_straight(first, last, from_key, error)

    def _decode_straight(
        self, first: int, last: int, from_key: bool, error: BaseException | None
    ) -> Iterator[VideoFrame]:
        """The pictures within [first, last] by a decode from the beginning of the file.

        Args:
            error: the first one on other ways, if there was any.
        """
        straight = self._straight_from(first)
        before, seen = straight.damage.count, False
        try:
            for frame in straight.between(first, last):
                seen = True
                self._decoder_tells = straight.opens_with_key
                if from_key and frame.pts == first and straight.passed > 1:
                    self._needs_all = True  # there it is, and the index didn't lead to it
                straight.damage.count += frame.is_corrupt
                yield frame
                del frame
        finally:
            self.damaged += straight.damage.count - before
            self.contradicted |= self._beginning is not None and self._beginning.contradicted
        error = error or straight.damage.first
        if error is not None and not seen:
            raise MediaError(f"can't be decoded: {reason(error)}") from error

    def _ways_to(self, first: int, from_key: bool) -> Iterator[Iterator[Packet[VideoStream]]]:
        """Packets to decode for what is shown from ``first`` on, the fewest first."""
        packets = self._packets_from(first)
        if from_key:
            # Leading pictures of an open GOP lean on frames that are not decoded, and are dropped.
            yield dropwhile(lambda packet: not starts(packet, first), packets)
            yield self._packets_from(first - 1)
        else:
            yield packets

    def _decode(
        self, packets: Iterator[Packet[VideoStream]], first: int, last: int, from_key: bool
    ) -> Iterator[VideoFrame]:
        """The pictures within [first, last]; no packet beyond what they need is decoded."""
        damage = Damage()
        place = self._expect(first, last)
        try:
            head = next(packets, None)
        except av.error.FFmpegError as error:
            raise IndexLiesError from error
        led = chain([head] if head else [], packets)
        # Where a clock starts again, FFmpeg's times of decoding are off by some pictures.
        needed = chain(led, [None]) if self.joined() else until(first, last, led, place)
        # A key frame that an edit list hides is decoded, and not given.
        is_hidden = head is not None and head.is_discard
        tells = self._decoder_tells and not is_hidden and not rests_on_none(self.codec_context)
        frames = rising(self._decoded(needed, damage))
        try:
            yield from lead_to(frames, first, last, from_key=from_key, tells=tells, damage=damage)
        except IndexLiesError:
            damage.count = 0  # the file may be whole
            raise
        finally:
            self.damaged += damage.count

    def _decoded(
        self, packets: Iterable[Packet[VideoStream] | None], damage: Damage
    ) -> Iterator[VideoFrame]:
        told = is_told_by_packets(self.codec_context.name)
        frames = decode(self.codec_context, packets, damage, None if told else self._interval)
        return map(self._on_time_base, frames)

    def _on_time_base(self, frame: VideoFrame) -> VideoFrame:
        frame.time_base = self.info.time_base  # unset in what was held back
        return frame

    def _straight_from(self, first: int) -> StraightDecode:
        """A decode from the beginning of the file that has not passed ``first`` yet."""
        if self._straight is None or self._straight.is_past(first):
            if self._beginning is not None:
                self._beginning.close()
            self._beginning = type(self)(self._path, fast=bool(self._options), table=self._table)
            self._straight = self._beginning._all()
        return self._straight

    def _all(self) -> StraightDecode:
        """Every picture of the file, in the order in which it is shown."""
        shuffled = self._is_in_decoding_order
        self._rewind()
        packets, damage = self._demux(), Damage()
        if self._interval is not None:
            packets = counted(packets, 0, self._interval)
        frames = self._decoded(chain(packets, [None]), damage)
        return StraightDecode(rising(by_order(frames) if shuffled else frames), damage)

    @cached_property
    def _is_in_decoding_order(self) -> bool:
        """Whether the container only knows when packets are decoded, not when they are shown."""
        if self._interval is not None:
            return False
        if has_no_times(self._container):
            return True
        if not may_hold_decode_times(self.format_names, self.codec_context):
            return False
        self._rewind()
        return not times_rise(self._decoded(self._demux(), Damage()))

    @cached_property
    def _needs_all(self) -> bool:
        """Whether only a straight decode leads to the right pictures, as far as is known."""
        return has_palette_apart(self.codec_context) or self._is_in_decoding_order

    def close(self) -> None:
        super().close()
        if self._beginning is not None:
            self._beginning.close()
