"""A container's video stream, packet by packet: opened, sought, and listed in a table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from itertools import chain, dropwhile
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from tempo_edge._closing import Closing
from tempo_edge.errors import MediaError
from tempo_edge.media._blocks import BlockFile
from tempo_edge.media._bounds import decoder_pixels
from tempo_edge.media._counting import counted, interval_of
from tempo_edge.media._intact import check_for
from tempo_edge.media._keys import has_no_times
from tempo_edge.media._listing import Film, listed, listed_from_index, may_be_listed_from_index
from tempo_edge.media._packets import contradicts, on_one_clock, stamp_of
from tempo_edge.media._record import tell_format
from tempo_edge.media._restarts import may_restart, resets_are_usual
from tempo_edge.media._signature import Signature
from tempo_edge.media._streams import describe, films, first_that_moves, format_names
from tempo_edge.media._types import PacketTable
from tempo_edge.media.container import demux, discard_all_but, open_container, reason

__all__ = ["StreamReader"]

# How far before a key frame to look for it, in seconds, where the seek itself missed it: MPEG-TS
# is sought by decoding time, which lies a few pictures before the time of presentation.
_STEPS_BACK = (0, 1, 10)

# How many packets before a key frame to start reading where it is sought by its place in the file:
# in a program stream, what follows a seek is the rest of a picture, with the time of the next.
_PLACES_BACK = 2


class StreamReader(Closing):
    """The video stream of a file, for whoever decodes its packets on the same thread.

    Args:
        path: the file.
        options: FFmpeg's options of the decoder.
        table: the packets of the file, where they are known already.
        whole: list all packets by reading them, whatever the container's index says.
        unseen: take the container's word for the size and the depth of pictures, where it gives
            it, and decode none to find out.

    Attributes:
        contradicted: whether a packet or a picture was found to be another than the container says.

    Raises:
        MediaError: the file can't be opened or holds no film.
    """

    def __init__(
        self,
        path: Path,
        options: dict[str, str],
        table: PacketTable | None,
        *,
        whole: bool,
        unseen: bool,
    ) -> None:
        self._path = path
        self._options = options
        self._table = table
        self._whole = whole
        self._unseen = unseen
        self._looked = False
        self._file: BlockFile | None = None
        self._is_told = False  # by the codec's record alone: no picture was decoded for it
        self.contradicted = False
        self._open()
        try:
            self._use(self._film())
            self._signature = Signature(self.codec_context)
            self.info = describe(self._container, self._stream)
            self._interval = interval_of(self._container, self._stream)
            if self._interval is not None:
                self.info = replace(self.info, rate=1 / (self._interval * self.info.time_base))
            if has_no_times(self._container) and self.info.rate:
                rate = f"{float(self.info.rate):g} pictures a second"
                remark = f"holds no time stamps: times are counted at {rate}"
                self.info = replace(self.info, remarks=(*self.info.remarks, remark))
        except BaseException:
            self._release()
            raise

    def _open(self) -> None:
        try:
            self._file = BlockFile(self._path) if self._is_indexed() else None
            accel = self._accel()
            self._is_told = self._unseen and self._file is not None and accel is None
            self._container = self._opened(accel)
            if self._is_told and not tell_format(self._container):
                self._container.close()
                self._is_told = False
                self._container = self._opened(accel)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            if self._file is not None:
                self._file.close()
            raise MediaError(f"can't be opened: {reason(error)}") from error
        self._fresh = True  # nothing has been read since, and nothing sought
        self._is_acquainted = False  # the decoder, with whoever encoded what it decodes

    def _opened(self, accel: HWAccel | None) -> InputContainer:
        if self._file is not None:
            self._file.seek(0)
        options = {"probesize": "10000000"}
        decodes = not self._is_told
        return open_container(self._path, options, self._file, accel, decodes=decodes)

    def _accel(self) -> HWAccel | None:
        """The device that decodes, if any does."""
        return None

    def _is_indexed(self) -> bool:
        """Whether single groups of pictures are going to be read of a file."""
        if self._table is not None:
            return self._table.from_index
        return not self._whole and may_be_listed_from_index(self._path)

    def _film(self) -> VideoStream:
        candidates = films(self._container)
        known = None if self._table is None else self._table.stream
        for stream in candidates:
            if stream.index == known or len(candidates) == 1:
                return stream
        self._fresh = False
        return first_that_moves(candidates, demux(self._container, *candidates))

    def _use(self, stream: VideoStream) -> None:
        self._stream = stream
        self._is_intact = check_for(stream.codec_context)
        stream.codec_context.thread_count = 1
        most = decoder_pixels(stream.codec_context)
        stream.codec_context.options = {**self._options, "max_pixels": str(most)}

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a coded sample to its height: not 1 for anamorphic DVDs and tapes."""
        return self._stream.sample_aspect_ratio or Fraction(1)

    @property
    def stream_index(self) -> int:
        """The video stream's place among those of the container."""
        return self._stream.index

    @property
    def video_index(self) -> int:
        """The video stream's place among those of type video, covers counted: ``0:v:N``."""
        return [stream.index for stream in self._container.streams.video].index(self.stream_index)

    @property
    def is_only_film(self) -> bool:
        """Whether no other video stream could have been meant."""
        return len(films(self._container)) == 1

    @property
    def is_counted(self) -> bool:
        """Whether the file has no time stamps, and its pictures are counted."""
        return self._interval is not None

    @property
    def codec_context(self) -> VideoCodecContext:
        """What FFmpeg knows of the stream, for whoever encodes its pictures again."""
        return self._stream.codec_context

    @property
    def format_names(self) -> frozenset[str]:
        """FFmpeg's names of the container."""
        return format_names(self._container)

    def packets(self) -> PacketTable:
        if self._table is None:
            film = Film(self._path, self._container, self._stream, self.info, self._interval)
            table = None if self._file is None else listed_from_index(film)
            if table is None:
                self._rewind()
                self._fresh = False
                film = replace(film, container=self._container, stream=self._stream)
                table = listed(film, self._signature)
            self._table = table
        return self._table

    def _packets_from(self, stamp: int) -> Iterator[Packet[VideoStream]]:
        """Packets from a key frame at or before ``stamp`` on, wherever the index points."""
        self._acquaint()
        if self._interval is not None:
            yield from self._packets_by_number(self.packets(), stamp, self._interval)
            return
        joined = self.joined()
        if self._table is not None and self._table.from_index and "flv" in self.format_names:
            joined = self._table  # which knows no other way than to read up to there
        if joined is not None:
            yield from self._packets_by_place(joined, stamp)
            return
        # In a program stream, what follows a seek is the rest of a picture, with the time of the
        # next.
        for seconds in _STEPS_BACK[bool(self.format_names & {"mpeg"}) :]:
            back = int(seconds / self.info.time_base)
            self._fresh = False
            try:
                self._container.seek(stamp - back, stream=self._stream, backward=True)
            except av.error.FFmpegError:
                break  # before the first entry of an index, or no index at all
            packets = self._demux()
            first = next((packet for packet in packets if packet.is_keyframe), None)
            if first is not None and (stamp_of(first) or 0) <= stamp:
                yield first
                yield from packets
                return
        self._rewind()
        yield from self._demux()

    @property
    def is_signed(self) -> bool:
        """Whether a decoder must have come past the first packet to be right about later ones."""
        if not self._signature.is_known:
            self._rewind()
            self._fresh = False
            with suppress(av.error.FFmpegError):
                next(self._signature.seen(demux(self._container, self._stream)), None)
            self._signature.is_known = True
        return bool(self._signature.packet)

    def _acquaint(self) -> None:
        """Have the decoder come past the encoder's signature, wherever it is going to begin."""
        if self.is_signed and not self._is_acquainted:
            with suppress(av.error.InvalidDataError):
                self.codec_context.decode(Packet(self._signature.packet))
            self.codec_context.flush_buffers()
            self._is_acquainted = True

    def joined(self) -> PacketTable | None:
        """The table of a file whose clock starts again: by nothing else can such a file be sought.

        Reading all packets to find out would take long: where they are not known, a few are read.
        """
        if self._table is None and not self._looked and resets_are_usual(self._container):
            self._looked, self._fresh = True, False
            if may_restart(self._container, self._stream):
                self.packets()
        return self._table if self._table is not None and self._table.parts else None

    def packets_beside(
        self, container: InputContainer, sound: AudioStream, start: Fraction
    ) -> Iterator[Packet[AudioStream]]:
        """Packets of a sound track from a little before a time of the pictures' clock on.

        Args:
            container: the same file, opened once more; ``sound``: one of its streams.
            start: seconds of the container.
        """
        # From a second earlier, because some containers seek behind the place asked for; where
        # that fails altogether, reading begins at the beginning.
        early, joined = start - 1, self.joined()
        assert sound.time_base is not None
        with suppress(av.error.FFmpegError):
            if joined is None or joined.positions is None:
                ticks = int(early / sound.time_base)
                container.seek(ticks, stream=sound, backward=True)
            else:
                row = np.searchsorted(joined.pts, int(early / self.info.time_base), side="right")
                place = int(joined.positions[max(0, int(row) - 1)])
                container.seek(place, stream=sound, unsupported_byte_offset=True)
        packets = demux(container, sound)
        yield from on_one_clock(packets, joined.parts, self.info.time_base) if joined else packets

    def _packets_by_place(self, table: PacketTable, stamp: int) -> Iterator[Packet[VideoStream]]:
        """Packets from the key frame at or before ``stamp`` on, sought by where it lies."""
        assert table.positions is not None
        before = np.flatnonzero(table.keys & (table.pts <= stamp))
        row = before[-1] if len(before) else 0
        key, position = int(table.pts[row]), int(table.positions[row])
        places = np.unique(table.positions)
        earlier = int(np.searchsorted(places, position)) - _PLACES_BACK
        if earlier >= 0 and self._seek_place(int(places[earlier])):
            packets = self._demux()
            for packet in packets:
                if packet.is_keyframe and stamp_of(packet) == key:
                    yield packet
                    yield from packets
                    return
                if packet.pos is not None and packet.pos > position:
                    break  # it came with another time, or not at all
        self._rewind()
        yield from dropwhile(lambda packet: stamp_of(packet) != key, self._demux())

    def _packets_by_number(
        self, table: PacketTable, stamp: int, interval: int
    ) -> Iterator[Packet[VideoStream]]:
        """Packets from the key frame at or before ``stamp`` on, where they are only counted."""
        assert table.positions is not None
        before = np.flatnonzero(table.keys & (table.pts <= stamp))
        row = int(before[-1]) if len(before) else 0
        place = int(table.positions[row])
        number = int((table.positions < place).sum())
        if number and self._seek_place(place):
            packets = demux(self._container, self._stream)
            first = next(packets, None)
            if first is not None and first.pos == place:
                yield from counted(chain([first], packets), number, interval)
                return
        self._rewind()
        self._fresh = False
        linear = counted(demux(self._container, self._stream), 0, interval)
        yield from dropwhile(lambda packet: stamp_of(packet) != table.pts[row], linear)

    def _seek_place(self, position: int) -> bool:
        """Stand at a byte of the file; False where the container can't be sought like that."""
        self._fresh = False
        try:
            self._container.seek(position, stream=self._stream, unsupported_byte_offset=True)
        except av.error.FFmpegError:
            return False
        return True

    def _demux(self) -> Iterator[Packet[VideoStream]]:
        """Packets that hold something, from where the container stands, on the table's clock."""
        self._fresh = False
        packets = (packet for packet in demux(self._container, self._stream) if packet.size)
        table = self._table
        if table is not None and table.from_index:
            discard_all_but(self._container, self._stream)
            return map(self._compared, packets)
        parts = table.parts if table is not None else ()
        return on_one_clock(packets, parts, self.info.time_base) if parts else packets

    def _compared(self, packet: Packet[VideoStream]) -> Packet[VideoStream]:
        """A packet, once it was seen whether it is the one that the container's index told of."""
        assert self._table is not None
        self.contradicted |= contradicts(packet, self._table, self._is_intact)
        return packet

    def _expect(self, first: int, last: int) -> int | None:
        """Prepare to read what ``[first, last]`` ticks need, and no more.

        Returns:
            The byte at which the last packet of them begins; None where that is not known.
        """
        table = self._table
        stretch = None if table is None or not table.from_index else table.stretch(first, last)
        if stretch is None or self._file is None:
            return None
        self._file.expect(stretch.start, stretch.end)
        return stretch.last

    def _rewind(self) -> None:
        """Stand at the start of the file, where nothing has been read yet."""
        if self._fresh:
            return
        # Seeking there is no way: some containers can't, and lose what was read ahead in trying,
        # others skip to a key frame of the wrong stream.
        index = self._stream.index
        self._release()
        self._open()
        stream = self._container.streams[index]
        assert isinstance(stream, VideoStream)
        self._use(stream)

    def close(self) -> None:
        """Release the file."""
        self._release()

    def _release(self) -> None:
        self._container.close()
        if self._file is not None:
            self._file.close()
