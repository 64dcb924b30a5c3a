"""Devices that decode: which there are, which can be opened here, and whether it pays.

A device is used only where it gives the same pictures as the processor, and more of them a second
than all cores together. Both are tried on a short film that is encoded on the spot.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import numpy as np
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from tempo_edge._cores import cpu_count
from tempo_edge.errors import MediaError
from tempo_edge.media._frame import PyAVFrame
from tempo_edge.media._types import DecodeRange
from tempo_edge.media.container import open_container, reason
from tempo_edge.media.likeness import alike
from tempo_edge.media.nvdec import NVDEC, NvdecVideo
from tempo_edge.media.nvdec_session import is_installed

__all__ = [
    "DEVICES",
    "Trial",
    "Trials",
    "faster_device",
    "offered",
    "trials",
    "why_off",
]

#: Devices that are tried, by FFmpeg's names, in this order.
DEVICES = ("cuda", "vaapi", "videotoolbox")

# The film of the trial: pixels, pictures, and those of the beginning that are not timed.
_SIZE, _PICTURES, _WARMING = (1920, 1080), 48, 4


@dataclass(frozen=True)
class Trial:
    """What came of trying a device.

    Attributes:
        device: FFmpeg's name of it.
        trouble: why it can't be used, in one clause; empty where it decodes the same pictures.
        rate: pictures a second; 0 where it can't be used.
    """

    device: str
    trouble: str
    rate: float = 0.0


@dataclass(frozen=True)
class Trials:
    """What came of trying all devices, and the pictures a second of all cores together."""

    software_rate: float
    devices: tuple[Trial, ...]

    @property
    def best(self) -> Trial | None:
        """The fastest device that is faster than the processor, if any is."""
        rates = [each for each in self.devices if each.rate > self.software_rate]
        return max(rates, key=lambda each: each.rate, default=None)


def offered() -> list[str]:
    """The devices that this FFmpeg was built for, whether or not the machine has any."""
    return list(hwdevices_available())


@cache
def trials() -> Trials:
    """Try every device, once in this process; where no film can be written, none can be tried."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            film = Path(folder) / "trial.mp4"
            _write(film)
            pictures, rate = _decoded(film, None)
            beside = (NVDEC,) if is_installed() else ()
            found = tuple(_try(film, device, pictures) for device in (*DEVICES, *beside))
    except (av.error.FFmpegError, OSError) as error:
        trouble = f"can't be tried: {reason(error)}"
        return Trials(0.0, tuple(Trial(device, trouble) for device in DEVICES))
    return Trials(rate * cpu_count(), found)


def faster_device() -> str | None:
    """The device that decodes faster here than the processor, or None."""
    best = trials().best
    return None if best is None else best.device


def why_off() -> str:
    """Why no device decodes here, in one line; empty where one does."""
    found = trials()
    if found.best is not None:
        return ""
    told = [
        f"{each.device} {each.trouble or f'decodes {each.rate:.0f} pictures a second'}"
        for each in found.devices
    ]
    rate = f"; the processor decodes {found.software_rate:.0f} pictures a second"
    return ", ".join(told) + (rate if found.software_rate else "")


def _try(film: Path, device: str, pictures: list[NDArray[np.unsignedinteger]]) -> Trial:
    if device != NVDEC and device not in offered():
        return Trial(device, "is not in this FFmpeg")
    try:
        found, rate = _on_card(film) if device == NVDEC else _decoded(film, device)
    except (av.error.FFmpegError, MediaError, OSError, RuntimeError, ValueError) as error:
        return Trial(device, f"can't be opened: {reason(error)}")
    same = len(found) == len(pictures) and all(map(alike, found, pictures))
    return Trial(device, "", rate) if same else Trial(device, "decodes other pictures")


def _write(film: Path) -> None:
    """A film of something that moves; in H.264, where this FFmpeg encodes it."""
    rng = np.random.default_rng(0)
    width, height = _SIZE
    picture = rng.integers(0, 256, (height // 8, width // 8), np.uint8).repeat(8, 0).repeat(8, 1)
    colour = np.full((height // 2, width), 128, np.uint8)
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    with av.open(str(film), "w") as writer:
        stream = writer.add_stream(codec, rate=30)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"preset": "ultrafast"} if codec == "libx264" else {}
        for number in range(_PICTURES):
            planes = np.concatenate([np.roll(picture, 6 * number, 1), colour])
            writer.mux(stream.encode(VideoFrame.from_ndarray(planes, format="yuv420p")))
        writer.mux(stream.encode(None))


def _decoded(film: Path, device: str | None) -> tuple[list[NDArray[np.unsignedinteger]], float]:
    """Every eighth luma plane of a film, and how many pictures a second one stream of it gives."""
    accel = None if device is None else HWAccel(device, allow_software_fallback=False)
    planes, began, count = [], 0.0, 0
    scaler = VideoReformatter()
    with open_container(film, accel=accel) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for count, frame in enumerate(container.decode(stream), 1):
            plane = PyAVFrame(frame, scaler).luma()
            if count % 8 == 1:
                planes.append(plane.copy())
            if count == _WARMING:
                began = time.perf_counter()
        took = time.perf_counter() - began
    return planes, (count - _WARMING) / max(took, 1e-6)


def _on_card(film: Path) -> tuple[list[NDArray[np.unsignedinteger]], float]:
    """The same by NVDEC, whose pictures stay on the card but for every eighth."""
    planes, began, count = [], 0.0, 0
    with NvdecVideo(film) as video:
        if video.trouble:
            raise RuntimeError(video.trouble)
        pts = video.packets().pts
        for count, frame in enumerate(video.frames(DecodeRange(int(pts[0]), int(pts[-1]))), 1):
            if count % 8 == 1:
                planes.append(frame.luma().copy())
            if count == _WARMING:
                began = time.perf_counter()
        took = time.perf_counter() - began
        if video.trouble:
            raise RuntimeError(video.trouble)
    return planes, (count - _WARMING) / max(took, 1e-6)
