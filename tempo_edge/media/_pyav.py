"""The default decoder: PyAV over FFmpeg's libraries."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from tempo_edge.errors import MediaError
from tempo_edge.media._types import PacketTable, Run, VideoInfo

__all__ = ["PyAVFrame", "PyAVVideo"]

# The loop filter only smooths block edges: a picture that is about to be shrunk to a thumbnail does
# without it, and decoding is a quarter faster.
_CODEC_OPTIONS = {"skip_loop_filter": "all", "flags2": "+fast"}

# A file that holds one of these is a picture or a cover, whatever its extension says.
_PICTURE_FORMATS = frozenset({"image2", "png_pipe", "jpeg_pipe", "webp_pipe", "bmp_pipe", "tiff_pipe",
                              "gif_pipe", "svg_pipe", "tty"})


def _reason(error: BaseException) -> str:
    """FFmpeg's own words without the error number and the path that PyAV puts around them."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text[0].lower() + text[1:]


class PyAVFrame:
    """A decoded picture; its planes stay where FFmpeg put them."""

    def __init__(self, frame: VideoFrame, rotation_degrees: int, scaler: VideoReformatter) -> None:
        self._frame = frame
        self._rotation_degrees = rotation_degrees
        self._scaler = scaler
        assert frame.pts is not None
        self.pts: int = frame.pts
        luma = frame.format.components[0]
        planar = frame.format.is_planar or len(frame.format.components) == 1
        self._direct = planar and not frame.format.has_palette and luma.bits in (8, 9, 10, 12, 16)
        self.bit_depth: int = luma.bits if self._direct else 8
        if self._direct and frame.format.name.startswith("p0"):
            self.bit_depth = 16  # P010 and kin keep their ten bits at the top of sixteen

    def luma(self) -> NDArray[np.unsignedinteger]:
        frame = self._frame
        if not self._direct:
            frame = self._scaler.reformat(frame, format="gray")
        plane = frame.planes[0]
        dtype = np.uint8 if self.bit_depth == 8 else np.uint16
        samples: NDArray[np.unsignedinteger] = np.frombuffer(plane, dtype=dtype)  # type: ignore[arg-type]
        stride = plane.line_size // samples.itemsize
        return samples[: frame.height * stride].reshape(frame.height, stride)[:, : frame.width]

    def upright(self, grid: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.rot90(grid, self._rotation_degrees // 90)

    def thumbnail(self, size: int) -> NDArray[np.uint8]:
        small = self._scaler.reformat(self._frame, size, size, "rgb24", interpolation="AREA")
        picture: NDArray[np.uint8] = small.to_ndarray()
        return np.ascontiguousarray(np.rot90(picture, self._rotation_degrees // 90))


class PyAVVideo:
    """A video stream opened with PyAV. Decodes on the calling thread only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._container: InputContainer = av.open(
                str(path), mode="r", metadata_errors="replace", options={"probesize": "10000000"}
            )
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise MediaError(f"can't be opened: {_reason(error)}") from error
        try:
            self._stream = self._pick_stream()
            self.info = self._describe()
        except BaseException:
            self._container.close()
            raise
        self._scaler = VideoReformatter()

    def _pick_stream(self) -> VideoStream:
        if _PICTURE_FORMATS & set(self._container.format.name.split(",")):
            raise MediaError("is a picture, not a video")
        covers = av.stream.Disposition.attached_pic
        videos = [s for s in self._container.streams.video if not s.disposition & covers]
        if not videos:
            kinds = sorted({stream.type for stream in self._container.streams})
            only = " and ".join(kinds)
            raise MediaError(f"holds no video, only {only}" if kinds else "holds no streams")
        stream = videos[0]
        if stream.codec_context is None or not stream.codec_context.width:
            raise MediaError("holds a video stream whose codec or size is unknown")
        stream.codec_context.thread_count = 1
        stream.codec_context.options = dict(_CODEC_OPTIONS)
        return stream

    def _describe(self) -> VideoInfo:
        stream, context = self._stream, self._stream.codec_context
        if stream.time_base is None:
            raise MediaError("holds a video stream without a time base")
        starts = [
            s.start_time * s.time_base
            for s in self._container.streams
            if s.start_time is not None and s.time_base is not None and s.type in ("video", "audio")
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
            rotation_degrees=0,
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
        try:
            self._container.seek(0, backward=True)
        except av.error.FFmpegError:
            pass  # a freshly opened pipe-like container stands at its start already
        try:
            for packet in self._container.demux(self._stream):
                stamp = packet.pts if packet.pts is not None else packet.dts
                if stamp is None or packet.is_discard or not packet.size:
                    continue
                pts.append(stamp)
                sizes.append(packet.size)
                keys.append(packet.is_keyframe)
        except av.error.FFmpegError as error:
            # What was read before the break is still footage: a download cut short, say.
            if not pts:
                raise MediaError(f"can't be demuxed: {_reason(error)}") from error
        if not pts:
            raise MediaError("holds no picture with a time stamp")
        order = np.argsort(np.asarray(pts, dtype=np.int64), kind="stable")
        return PacketTable(
            np.asarray(pts, dtype=np.int64)[order],
            np.asarray(sizes, dtype=np.int64)[order],
            np.asarray(keys, dtype=np.bool_)[order],
        )

    def frames(self, run: Run) -> Iterator[PyAVFrame]:
        seen = False
        try:
            for frame in self._decode_from(run):
                # Leading pictures of an open GOP lean on frames that were not decoded.
                if frame.pts is None or frame.pts < run.key:
                    continue
                if frame.pts > run.last:
                    break
                seen = True
                yield PyAVFrame(frame, frame.rotation % 360, self._scaler)
        except av.error.FFmpegError as error:
            if not seen:
                raise MediaError(f"can't be decoded: {_reason(error)}") from error

    def _decode_from(self, run: Run) -> Iterator[VideoFrame]:
        """Seek to the run's key frame and decode, feeding no packet beyond what the run needs."""
        self._container.seek(run.key, stream=self._stream, backward=True)
        started = False
        for packet in self._container.demux(self._stream):
            stamp = packet.pts if packet.pts is not None else packet.dts
            if stamp is not None and not started:
                if packet.is_keyframe and stamp > run.key:
                    # An index can lie; start over and read up to the key frame.
                    self._container.seek(0, backward=True)
                    yield from self._decode_linearly(run)
                    return
                if not packet.is_keyframe or stamp < run.key:
                    continue
            started = True
            # No picture is presented before it is decoded: past this point none belongs here.
            if packet.dts is not None and packet.dts > run.last:
                break
            yield from packet.decode()
            if run.key == run.last:
                break
        yield from self._stream.codec_context.decode(None)

    def _decode_linearly(self, run: Run) -> Iterator[VideoFrame]:
        for frame in self._container.decode(self._stream):
            yield frame
            if frame.pts is not None and frame.pts >= run.last:
                return

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
