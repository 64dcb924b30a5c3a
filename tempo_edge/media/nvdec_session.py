"""NVDEC by NVIDIA's own library: coded packets in, pictures in the memory of the card out.

PyNvVideoCodec decodes; what leads to a picture, and when it is shown, is known by our own reader.
What it lends is copied on the card at once, for it is lent until the next packet only.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import logging
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from av.bitstream import BitStreamFilterContext
from av.packet import Packet
from av.video.stream import VideoStream

from tempo_edge._extras import lacking
from tempo_edge.media.container import reason

if TYPE_CHECKING:
    from tempo_kernels.surface import Surface

__all__ = ["CODECS", "MODULE", "NvdecSession", "SurfaceError", "is_installed", "why_none"]

#: The module of NVIDIA's library.
MODULE = "PyNvVideoCodec"

#: Codecs that are given to it, by FFmpeg's names: its own, and the filter that packets go through.
CODECS = {
    "h264": ("H264", "h264_mp4toannexb"),
    "hevc": ("HEVC", "hevc_mp4toannexb"),
    "av1": ("AV1", ""),
    "libdav1d": ("AV1", ""),
    "vp9": ("VP9", ""),
}

# How its formats keep a sample: bytes of it.
_FORMATS = {"NV12": 1, "P016": 2}

# Times that it is asked for what it still holds, at most.
_LAST_ASKED = 64


class SurfaceError(Exception):
    """The card gives no picture, or another than was asked for; the text says why."""


def is_installed() -> bool:
    """Whether the library is here; nothing of it is read."""
    return importlib.util.find_spec(MODULE) is not None


@cache
def why_none() -> str:
    """Why no picture can be decoded into memory of a card here, in one clause; empty if one can.

    To import the library is to load that of the driver: it is not done where there is none.
    """
    from tempo_edge._system.nvidia import why_no_nvidia

    if not is_installed():
        return lacking(MODULE)
    if why := why_no_nvidia():
        return why
    try:
        _library()
        from tempo_kernels import gpu

        if not gpu.usable():
            return "Numba finds no CUDA"
        gpu.enter()
    except Exception as error:  # whatever a driver or a library may say
        return f"{MODULE} can't be used: {_line(error)}"
    return ""


def _library() -> Any:
    logging.getLogger(MODULE).disabled = True  # it would print what it then raises
    return importlib.import_module(MODULE)


class NvdecSession:
    """A decoder of one stream, used by one thread at a time.

    Args:
        codec: one of :data:`CODECS`.
        bit_depth: significant bits of its samples.

    Raises:
        SurfaceError: there can be none.
    """

    def __init__(self, codec: str, bit_depth: int) -> None:
        from tempo_kernels import gpu

        self._bit_depth = bit_depth
        name, self._filter_name = CODECS[codec]

        def made() -> Any:
            self._nvc = _library()
            return self._nvc.CreateDecoder(
                gpuid=0,
                codec=getattr(self._nvc.cudaVideoCodec, name),
                cudacontext=gpu.enter(),
                cudastream=0,
                usedevicememory=True,
                outputColorType=self._nvc.OutputColorType.NATIVE,
            )

        self._decoder = _tried(made)

    def decode(
        self, packets: Iterable[Packet[VideoStream]]
    ) -> Generator[tuple[int, Surface], None, None]:
        """(time stamp, picture) of each picture that packets lead to, in the order of showing.

        Args:
            packets: from a key frame on, each with a time stamp.

        Raises:
            SurfaceError: the library or the card refuses.
        """
        from tempo_kernels import gpu

        _tried(gpu.enter)
        annexed: BitStreamFilterContext | None = None
        is_over = False
        try:
            for packet in packets:
                if packet.pts is None:
                    raise SurfaceError("a packet has no time stamp")
                if annexed is None and self._filter_name:
                    made = partial(BitStreamFilterContext, self._filter_name, packet.stream)
                    annexed = _tried(made)
                for data, pts in _tried(partial(_coded, packet, annexed)):
                    yield from self._given(data, pts)
            yield from self._rest()
            is_over = True
        finally:
            if not is_over:  # what it holds must not come among the pictures of the next run
                with suppress(SurfaceError):
                    for _ in self._rest(copied=False):
                        pass

    def _rest(self, *, copied: bool = True) -> Iterator[tuple[int, Surface]]:
        for _ in range(_LAST_ASKED):
            count = 0
            for found in self._given(b"", 0, copied=copied):
                count += 1
                yield found
            if not count:
                return

    def _given(
        self, data: bytes, pts: int, *, copied: bool = True
    ) -> Iterator[tuple[int, Surface]]:
        """What comes of a packet; without data, of those that were given before."""
        packet = self._nvc.PacketData()
        buffer = ctypes.create_string_buffer(data, len(data)) if data else None
        if buffer is not None:
            packet.bsl_data, packet.bsl = ctypes.addressof(buffer), len(data)
            packet.pts = pts
        frames = _tried(lambda: self._decoder.Decode(packet))
        if frames:
            # It works on a stream of its own.
            _tried(self._decoder.SyncOnCUStream)
        for frame in frames:
            yield int(frame.getPTS()), _tried(partial(self._copy, frame, copied))

    def _copy(self, frame: Any, copied: bool) -> Any:
        from tempo_kernels.surface import Surface

        if not copied:
            return None
        size = _FORMATS.get(frame.format.name)
        if size is None or (size == 1) != (self._bit_depth == 8):
            raise SurfaceError(f"it gives {frame.format.name}")
        luma, chroma = (_plane(view, size) for view in frame.cuda())
        return Surface.copied(luma, chroma, self._bit_depth)

    def close(self) -> None:
        """Let go of the decoder."""
        from tempo_kernels import gpu

        _tried(gpu.enter)
        self._decoder = None


def _coded(
    packet: Packet[VideoStream], annexed: BitStreamFilterContext | None
) -> list[tuple[bytes, int]]:
    """The bytes of a packet as the library reads them, and its time stamp."""
    assert packet.pts is not None
    if annexed is None:
        return [(bytes(packet), packet.pts)]
    # Of a copy: the filter empties what it is given, and whoever reads on looks at it again.
    copy = Packet(bytes(packet))
    copy.is_keyframe, copy.pts, copy.dts = packet.is_keyframe, packet.pts, packet.dts
    return [(bytes(each), packet.pts) for each in annexed.filter(copy)]


def _plane(view: Any, size: int) -> Any:
    """A plane that the library lends, ``[height, samples]``, its rows as far apart as they are.

    Args:
        view: ``[height, width, n]`` by CUDA's array interface; ``size``: bytes of a sample.
    """
    from tempo_kernels import gpu

    about = view.__cuda_array_interface__
    height, *rest = (int(length) for length in about["shape"])
    samples = int(np.prod(rest))
    pitch = int(about["strides"][0]) if about.get("strides") else samples * size
    if pitch < samples * size:
        pitch *= size  # told in samples
    dtype = np.dtype(np.uint8 if size == 1 else np.uint16)
    return gpu.lying_at(int(about["data"][0]), (height, samples), pitch, dtype)


def _tried(work: Callable[[], Any]) -> Any:
    """What some work gives.

    Raises:
        SurfaceError: whatever a driver or a library may say.
    """
    try:
        return work()
    except SurfaceError:
        raise
    except Exception as error:
        raise SurfaceError(_line(error)) from error


def _line(error: Exception) -> str:
    """What a library says, in one line: NVIDIA's goes on to what one could try."""
    return " ".join(reason(error).split())[:200]
