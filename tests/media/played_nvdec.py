"""NVIDIA's library as the processor plays it, on memory that Numba's simulator takes for a card's.

It lends what it decodes, as the real one does: with the next packet those pictures are gone.
"""

from __future__ import annotations

import ctypes
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any

import av
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame

#: Bytes that follow each row of a plane.
PADDING = 10


class PacketData:
    """What is handed in: the address of coded bytes, how many, and when they are shown."""

    bsl_data = bsl = pts = 0


class DecodedFrame:
    """A picture that is lent."""

    def __init__(self, frame: VideoFrame) -> None:
        deep = frame.format.components[0].bits > 8
        self._pts = frame.pts
        self.format = SimpleNamespace(name="P016" if deep else "NV12")
        dtype = np.dtype(np.uint16 if deep else np.uint8)
        form = "yuv420p10le" if deep else "yuv420p"
        rows = frame.reformat(format=form).to_ndarray()
        height, width = frame.height, frame.width
        luma, rest = rows[:height], rows[height:].reshape(2, height // 2, width // 2)
        chroma = rest.transpose(1, 2, 0).reshape(height // 2, width)
        self.planes = []
        for plane in (luma, chroma):
            held = np.full((len(plane), width + PADDING), 7, dtype)
            held[:, :width] = plane << 6 if deep else plane
            self.planes.append(held)
        self._size = height, width

    def getPTS(self) -> int:  # noqa: N802
        assert self._pts is not None
        return self._pts

    def cuda(self) -> list[Any]:
        height, width = self._size
        views = []
        for plane, shape in zip(
            self.planes, ((height, width, 1), (height // 2, width // 2, 2)), strict=True
        ):
            about = {"shape": shape, "strides": (plane.strides[0], 1, 1), "data": (_at(plane), 0)}
            views.append(SimpleNamespace(__cuda_array_interface__=about))
        return views


class Decoder:
    """A decoder of one codec, which is told what goes wrong with it by ``wrong``."""

    wrong = ""

    def __init__(self, codec: str) -> None:
        self._context = av.CodecContext.create(codec, "r")
        self._context.thread_count = 1
        self._codec, self._lent = codec, list[DecodedFrame]()

    def Decode(self, packet: PacketData) -> list[DecodedFrame]:  # noqa: N802
        for frame in self._lent:
            for plane in frame.planes:
                plane.fill(255)
        coded: Packet[Any] | None = None
        if packet.bsl:
            data = ctypes.string_at(packet.bsl_data, packet.bsl)
            assert self._codec != "h264" or data.startswith((b"\0\0\1", b"\0\0\0\1"))
            coded = Packet(data)
            coded.pts = packet.pts
            if Decoder.wrong == "full":
                raise MemoryError("CUDA_ERROR_OUT_OF_MEMORY\nTROUBLESHOOTING")
        found = self._context.decode(coded)
        if coded is None:
            self._context.flush_buffers()
        self._lent = [DecodedFrame(frame) for frame in found]
        if Decoder.wrong == "lost":
            self._lent = [frame for frame in self._lent if frame.getPTS() % 3 != 2]
        if Decoder.wrong == "late":
            for frame in self._lent:
                frame._pts = frame.getPTS() + 1
        if Decoder.wrong == "other":
            for frame in self._lent:
                frame.planes[0][:] = 255 - frame.planes[0]
        return self._lent

    def SyncOnCUStream(self) -> None:  # noqa: N802
        """Nothing is done beside."""


def create(**how: Any) -> Decoder:
    """A decoder, if it is asked for as the real one has to be."""
    assert how["usedevicememory"] and how["gpuid"] == 0 and how["cudacontext"] == 1
    return Decoder(how["codec"])


def lying_at(address: int, shape: tuple[int, int], pitch: int, dtype: np.dtype[Any]) -> Any:
    """A plane of the simulated card: the host's memory."""
    from numba.cuda.simulator.cudadrv.devicearray import FakeCUDAArray

    held = (ctypes.c_uint8 * (pitch * shape[0])).from_address(address)
    rows = np.frombuffer(held, dtype).reshape(shape[0], pitch // dtype.itemsize)
    return FakeCUDAArray(rows[:, : shape[1]])


def play(patch: Any) -> None:
    """Have this process take itself for one with NVIDIA's library and a card."""
    module: Any = ModuleType("PyNvVideoCodec")
    module.__spec__ = ModuleSpec("PyNvVideoCodec", None)
    module.PacketData, module.CreateDecoder = PacketData, create
    module.cudaVideoCodec = SimpleNamespace(H264="h264", HEVC="hevc", AV1="av1", VP9="vp9")
    module.OutputColorType = SimpleNamespace(NATIVE=0)
    patch.setitem(sys.modules, "PyNvVideoCodec", module)
    patch.setattr("tempo_edge._system.nvidia.why_no_nvidia", str)
    patch.setattr("tempo_kernels.gpu.lying_at", lying_at)
    patch.setattr("tempo_kernels.gpu.enter", lambda: 1)


def _at(plane: Any) -> int:
    return int(plane.ctypes.data)
