"""The default decoder: PyAV over FFmpeg's libraries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import dropwhile
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from tempo_edge.errors import MediaError
from tempo_edge.media._container import open_container
from tempo_edge.media._types import PacketTable, Run, VideoInfo

__all__ = ["PyAVFrame", "PyAVVideo", "quarter_turns", "reason", "squeeze"]

# The loop filter only smooths block edges: a picture that is about to be shrunk to a thumbnail does
# without it, and decoding is a quarter faster.
_FAST_OPTIONS = {"skip_loop_filter": "all", "flags2": "+fast"}

# One thread a decoder: from PyAV 17 on, a scaler takes every core unless told otherwise.
_SCALER_OPTIONS: dict[str, Any] = {"threads": 1} if int(av.__version__.split(".")[0]) >= 17 else {}

# Demuxers of text files (FFmpeg would draw them as ANSI art) and of pictures that have no "_pipe".
_TEXT_FORMATS = frozenset({"tty", "bin", "xbin", "adf", "idf"})
_PICTURE_FORMATS = frozenset({"image2", "ico", "apng", "jpegxl_anim"})

# How far before a key frame to look for it, in seconds, where the seek itself missed it: MPEG-TS
# is sought by decoding time, which lies a few pictures before the time of presentation.
_STEPS_BACK = (0, 1, 10)


def reason(error: BaseException) -> str:
    """FFmpeg's own words without the error number and the path that PyAV puts around them."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text[0].lower() + text[1:]


class PyAVFrame:
    """A decoded picture; its planes stay where FFmpeg put them."""

    def __init__(self, frame: VideoFrame, scaler: VideoReformatter) -> None:
        self._frame = frame
        self._quarters = quarter_turns(frame)
        self._scaler = scaler
        assert frame.pts is not None
        self.pts: int = frame.pts
        self._direct = _has_luma_plane(frame)
        self.bit_depth: int = frame.format.components[0].bits if self._direct else 8
        if self._direct and _TOP_ALIGNED.match(frame.format.name):
            self.bit_depth = 16
        self._grey = frame if self._direct else None

    def luma(self) -> NDArray[np.unsignedinteger]:
        if self._grey is None:
            # Not by the shared scaler: a neighbour's thread may ask for this plane.
            self._grey = self._frame.reformat(format="gray", **_SCALER_OPTIONS)
        frame = self._grey
        plane: Any = frame.planes[0]  # it has the buffer protocol, which its stub leaves out
        dtype: Any = np.uint8 if self.bit_depth == 8 else np.uint16
        samples: NDArray[np.unsignedinteger] = np.frombuffer(plane, dtype=dtype)
        stride = plane.line_size // samples.itemsize
        return samples[: frame.height * stride].reshape(frame.height, stride)[:, : frame.width]

    def upright(self, grid: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.rot90(grid, self._quarters)

    def thumbnail(self, size: int) -> NDArray[np.uint8]:
        return np.ascontiguousarray(
            np.rot90(squeeze(self._frame, size, self._scaler), self._quarters)
        )


def squeeze(frame: VideoFrame, size: int, scaler: VideoReformatter) -> NDArray[np.uint8]:
    """The picture as ``[size, size, 3]`` RGB, each sample the mean of those that it replaces."""
    small = scaler.reformat(
        frame,
        size,
        size,
        "rgb24",
        interpolation="AREA",
        src_color_range=frame.color_range or None,  # which PyAV would leave out of account
        **_SCALER_OPTIONS,
    )
    return np.asarray(small.to_ndarray(), dtype=np.uint8)


def quarter_turns(frame: VideoFrame) -> int:
    """How often a picture must be turned by 90 degrees, counter-clockwise, to stand upright."""
    return round(frame.rotation / 90) % 4


def _has_luma_plane(frame: VideoFrame) -> bool:
    """Whether the first plane holds luma samples that NumPy can read where they lie."""
    form = frame.format
    return (
        (form.is_planar or len(form.components) == 1)
        and not (form.is_rgb or form.has_palette or form.is_bit_stream or form.is_big_endian)
        and form.components[0].bits in (8, 9, 10, 12, 14, 16)
        and frame.planes[0].line_size > 0  # pictures stored bottom up have a negative one
    )


# P010, P412 and kin keep their ten or twelve bits at the top of sixteen.
_TOP_ALIGNED = re.compile(r"p[024]1[026]|.*msb")


def _stamp(packet: Packet[VideoStream]) -> int | None:
    """When a packet's picture is shown; AVI and kin only know when it is decoded."""
    return packet.pts if packet.pts is not None else packet.dts


def _until(
    first: int, last: int, packets: Iterable[Packet[VideoStream]]
) -> Iterator[Packet[VideoStream] | None]:
    """The packets that [first, last] needs, then None to get what the decoder still holds."""
    for packet in packets:
        # No picture is shown before it is decoded: past this point none belongs here.
        if packet.dts is not None and packet.dts > last:
            break
        yield packet
        if first == last and packet.is_keyframe and _stamp(packet) == last:
            break  # a key frame alone needs nothing else
    yield None


def _starts(packet: Packet[VideoStream], key: int) -> bool:
    """Whether decoding may begin here: at the key frame, one after it, or one that is hidden."""
    stamp = _stamp(packet)
    return packet.is_keyframe and stamp is not None and (packet.is_discard or stamp >= key)


class PyAVVideo:
    """A video stream opened with PyAV. Decodes on the calling thread only.

    Args:
        path: the file.
        fast: leave out the loop filter: for thumbnails and differences, not for people.
    """

    def __init__(self, path: Path, *, fast: bool = True) -> None:
        self._options = _FAST_OPTIONS if fast else {}
        try:
            self._container = open_container(path, {"probesize": "10000000"})
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise MediaError(f"can't be opened: {reason(error)}") from error
        try:
            self._stream = self._pick_stream()
            self.info = self._describe()
        except BaseException:
            self._container.close()
            raise
        self._scaler = VideoReformatter()

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a coded sample to its height: not 1 for anamorphic DVDs and tapes."""
        return self._stream.sample_aspect_ratio or Fraction(1)

    @property
    def stream_index(self) -> int:
        """The video stream's place among those of the container."""
        return self._stream.index

    @property
    def codec_context(self) -> VideoCodecContext:
        """What FFmpeg knows of the stream, for whoever encodes its pictures again."""
        return self._stream.codec_context

    @property
    def format_names(self) -> frozenset[str]:
        """FFmpeg's names of the container."""
        return frozenset(self._container.format.name.split(","))

    def _pick_stream(self) -> VideoStream:
        names = self.format_names
        if _TEXT_FORMATS & names:
            raise MediaError("is text, not a video")
        if _PICTURE_FORMATS & names or any(name.endswith("_pipe") for name in names):
            raise MediaError("is a picture, not a video")
        covers = av.stream.Disposition.attached_pic
        videos = [s for s in self._container.streams.video if not s.disposition & covers]
        if not videos:
            # A cover is a stream of type "video" to FFmpeg, not to the reader of this line.
            kinds = sorted({stream.type for stream in self._container.streams} - {"video"})
            only = " and ".join(kinds)
            raise MediaError(f"holds no video, only {only}" if kinds else "holds no streams")
        stream = videos[0]
        if stream.codec_context is None or not stream.codec_context.width:
            raise MediaError("holds a video stream whose codec or size is unknown")
        stream.codec_context.thread_count = 1
        stream.codec_context.options = dict(self._options)
        return stream

    def _describe(self) -> VideoInfo:
        stream, context = self._stream, self._stream.codec_context
        if stream.time_base is None:
            raise MediaError("holds a video stream without a time base")
        starts = [
            s.start_time * s.time_base
            for s in (stream, *self._container.streams.audio)
            if s.start_time is not None and s.time_base is not None
        ]
        if stream.duration is not None:
            duration = stream.duration * stream.time_base
        else:
            duration = Fraction(self._container.duration or 0, av.time_base)
        components = context.format.components if context.format is not None else ()
        return VideoInfo(
            codec=context.name,
            width=context.width,
            height=context.height,
            time_base=stream.time_base,
            start_time=min(starts, default=Fraction(0)),
            duration=max(duration, Fraction(0)),
            rate=stream.average_rate or stream.guessed_rate,
            bit_depth=components[0].bits if components else 8,
        )

    def packets(self) -> PacketTable:
        pts: list[int] = []
        sizes: list[int] = []
        keys: list[bool] = []
        entry: list[int] = []  # rows that lean on a key frame which an edit list hides
        hidden = False
        try:
            self._rewind()
            for packet in self._container.demux(self._stream):
                stamp = _stamp(packet)
                if stamp is None or not packet.size:
                    continue
                if packet.is_keyframe:
                    hidden = packet.is_discard
                    self._enter(pts, keys, entry)
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
        self._enter(pts, keys, entry)
        if not pts:
            raise MediaError("holds no picture with a time stamp")
        stamps, order = np.unique(np.asarray(pts, dtype=np.int64), return_index=True)
        return PacketTable(
            stamps,
            np.asarray(sizes, dtype=np.int64)[order],
            np.asarray(keys, dtype=np.bool_)[order],
        )

    @staticmethod
    def _enter(pts: list[int], keys: list[bool], entry: list[int]) -> None:
        """Where a key frame is hidden, decoding can start at the first picture that is shown."""
        if entry:
            keys[min(entry, key=pts.__getitem__)] = True
            entry.clear()

    def frames(self, run: Run) -> Iterator[PyAVFrame]:
        # Leading pictures of an open GOP lean on frames that are not decoded, and are dropped.
        packets = dropwhile(
            lambda packet: not _starts(packet, run.key), self._packets_from(run.key)
        )
        for frame in self._decode(packets, run.key, run.last):
            yield PyAVFrame(frame, self._scaler)

    def pictures(self, first: int, last: int) -> Iterator[VideoFrame]:
        """Every picture within ``[first, last]`` ticks, decoded from the key frame before them.

        Raises:
            MediaError: the stretch can't be decoded.
        """
        yield from self._decode(self._packets_from(first), first, last)

    def _decode(
        self, packets: Iterable[Packet[VideoStream]], first: int, last: int
    ) -> Iterator[VideoFrame]:
        """The pictures within [first, last]; no packet beyond what they need is decoded."""
        seen = False
        damage: BaseException | None = None
        try:
            for packet in _until(first, last, packets):
                try:
                    frames = self._stream.codec_context.decode(packet)
                except av.error.InvalidDataError as error:
                    damage = error  # the pictures after it may still be whole
                    continue
                for frame in frames:
                    if frame.pts is None or frame.pts < first:
                        continue
                    if frame.pts <= last:
                        seen = True
                        frame.time_base = self.info.time_base  # unset in what was held back
                        yield frame
                    if frame.pts >= last:
                        return
        except av.error.FFmpegError as error:
            damage = error
        if damage is not None and not seen:
            raise MediaError(f"can't be decoded: {reason(damage)}") from damage

    def _packets_from(self, stamp: int) -> Iterator[Packet[VideoStream]]:
        """Packets from a key frame at or before ``stamp`` on, wherever the index points."""
        for seconds in _STEPS_BACK:
            back = int(seconds / self.info.time_base)
            try:
                self._container.seek(stamp - back, stream=self._stream, backward=True)
            except av.error.FFmpegError:
                break  # before the first entry of an index, or no index at all
            packets = self._demux()
            first = next((packet for packet in packets if packet.is_keyframe), None)
            if first is not None and (_stamp(first) or 0) <= stamp:
                yield first
                yield from packets
                return
        self._rewind()
        yield from self._demux()

    def _demux(self) -> Iterator[Packet[VideoStream]]:
        """Packets that hold something, from where the container stands."""
        return (packet for packet in self._container.demux(self._stream) if packet.size)

    def _rewind(self) -> None:
        # Not to zero: time stamps may be negative.
        start = min(self._container.start_time or 0, 0)
        # Some containers can't; those that were just opened stand at their start.
        with suppress(av.error.FFmpegError):
            self._container.seek(start, backward=True)

    def close(self) -> None:
        self._container.close()

    def __enter__(self) -> PyAVVideo:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
