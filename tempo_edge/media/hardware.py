"""What decodes where a device is faster than the processor: NVDEC, VAAPI, VideoToolbox.

By FFmpeg pictures come back to memory of the host; by NVIDIA's own library, where that is installed
and faster still, they stay on the card.

Where none is, or where a device can't decode a file's codec, the processor decodes as ever. Nobody
has run it on a machine with such a device yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from av.codec.hwaccel import HWAccel

from tempo_edge.errors import MediaError
from tempo_edge.media._frame import PyAVFrame
from tempo_edge.media._types import DecodeRange, Video
from tempo_edge.media.devices import faster_device
from tempo_edge.media.likeness import alike
from tempo_edge.media.nvdec import NVDEC, NvdecVideo
from tempo_edge.media.pyav import PyAVVideo

__all__ = ["HardwareVideo", "opened"]


def opened(path: Path, **how: Any) -> Video:
    """A video by the fastest device.

    Args:
        how: as for :class:`~tempo_edge.media.pyav.PyAVVideo`.
    """
    return NvdecVideo(path, **how) if faster_device() == NVDEC else HardwareVideo(path, **how)


class HardwareVideo(PyAVVideo):
    """A video stream whose pictures a device decodes; they come back to memory as they are.

    It takes the arguments of :class:`~tempo_edge.media.pyav.PyAVVideo`.

    Attributes:
        device: FFmpeg's name of the device; None for the one that is faster here, if any is.
    """

    device: ClassVar[str | None] = None

    _is_checked = False
    _is_off = False  # the device could not be opened for this file: it has no room left, say

    def _open(self) -> None:
        try:
            super()._open()
        except MediaError:
            if self._is_off or self._device() is None:
                raise
            self._is_off = True
            super()._open()

    def _device(self) -> str | None:
        return self.device or faster_device()

    def _accel(self) -> HWAccel | None:
        device = None if self._is_off else self._device()
        # What the device does not decode, FFmpeg decodes by the processor.
        return None if device is None else HWAccel(device, allow_software_fallback=True)

    @property
    def is_on_device(self) -> bool:
        """Whether a device decodes this file: not where it does not know the codec."""
        return self.codec_context.is_hwaccel

    def check(self) -> None:
        """Hold the first picture of a device against the processor's.

        Raises:
            MediaError: they are not alike, or one of them is missing.
        """
        if self._is_checked or not self.is_on_device:
            return
        table = self.packets()
        key = int(table.pts[table.keys][0]) if table.keys.any() else int(table.pts[0])
        first = DecodeRange(key, key)
        with PyAVVideo(self._path, fast=bool(self._options), table=table) as plain:
            try:
                planes = [next(iter(each)).luma() for each in self._both(plain, first)]
            except (MediaError, StopIteration):
                planes = []
        if not (planes and alike(*planes)):
            raise MediaError(f"is decoded otherwise by {self._device()}: use pyav")
        self._is_checked = True

    def _both(self, plain: PyAVVideo, run: DecodeRange) -> tuple[Iterator[PyAVFrame], ...]:
        """A run as the device decodes it, and as the processor does."""
        return super().frames(run), plain.frames(run)

    def frames(self, run: DecodeRange) -> Iterator[PyAVFrame]:
        self.check()
        yield from super().frames(run)
