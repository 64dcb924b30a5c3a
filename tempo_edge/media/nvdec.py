"""PyAV with NVDEC behind it whose pictures stay on the card: compared, shrunk and encoded there.

Times are the reader's own, as ever: a picture counts only if it comes with the time stamp that is
due. Where another comes, or none, or the card is full, the processor decodes from there on. Nobody
has run it on a machine with such a card yet: ``tempo-edge doctor --prove`` does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from itertools import dropwhile

import av
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from tempo_edge.errors import MediaError
from tempo_edge.media._frame import PyAVFrame
from tempo_edge.media._packets import starts, until
from tempo_edge.media._record import is_as_told
from tempo_edge.media._types import DecodeRange, Frame
from tempo_edge.media.container import reason
from tempo_edge.media.likeness import alike
from tempo_edge.media.nvdec_session import CODECS, NvdecSession, SurfaceError, why_none
from tempo_edge.media.pyav import PyAVVideo
from tempo_edge.media.surface_frame import Showing, SurfaceFrame

__all__ = ["NVDEC", "NvdecVideo"]

#: The name of this way to decode, among FFmpeg's of devices.
NVDEC = "nvdec"


class NvdecVideo(PyAVVideo):
    """A video stream whose pictures NVDEC decodes into memory of the card.

    It takes the arguments of :class:`~tempo_edge.media.pyav.PyAVVideo`. What the card conceals of
    damage it doesn't tell.
    """

    _is_checked = False
    _trouble = ""
    _showing: Showing | None = None
    _session: NvdecSession | None = None

    @property
    def trouble(self) -> str:
        """Why the processor decodes this file, in one clause; empty where the card does."""
        self.check()
        return self._trouble

    def check(self) -> None:
        """Hold the first picture of the card against the processor's.

        Raises:
            MediaError: they are not alike.
        """
        if self._is_checked:
            return
        self._trouble = why_none() or self._unfit()
        if not self._trouble:
            try:
                self._compare()
            except SurfaceError as error:
                self._trouble = str(error)
        self._is_checked = True

    def _unfit(self) -> str:
        """Why the file is not given to the card, where what leads to its pictures tells that."""
        if self.codec_context.name not in CODECS:
            return f"{self.codec_context.name} is not given to NVDEC"
        if self.is_counted or self.joined() is not None or self._needs_all:
            return "its pictures can't be sought by their times"
        return "" if self.packets().keys.any() else "holds no key frame"

    def _compare(self) -> None:
        table = self.packets()
        key = int(table.pts[table.keys][0])
        with PyAVVideo(self._path, fast=bool(self._options), table=table) as plain:
            picture: VideoFrame | None = None
            with suppress(MediaError):
                picture = next(plain.pictures(key, key), None)
            if picture is None:
                raise SurfaceError("its first picture can't be decoded")
            if self._is_told:
                self.contradicted |= not is_as_told(picture, self.info)
            self._showing = Showing.of(picture)
            trouble = self._showing.trouble()
            if picture.interlaced_frame:
                trouble = "its pictures are interlaced"
            if trouble:
                raise SurfaceError(trouble)
            right = PyAVFrame(picture, self._scaler)
            with closing(self._surfaces(DecodeRange(key, key))) as found:
                frame = next(found, None)
            if frame is None or not alike(_at_top(frame), _at_top(right)):
                raise MediaError(f"is decoded otherwise by {NVDEC}: use pyav")

    def frames(self, run: DecodeRange) -> Iterator[Frame]:  # type: ignore[override]
        self.check()
        last: int | None = None
        if not self._trouble:
            try:
                for frame in self._surfaces(run):
                    last = frame.pts
                    yield frame
                return
            except SurfaceError as error:
                self._trouble = str(error)
        for plain in super().frames(run):
            if last is None or plain.pts > last:
                yield plain

    def _surfaces(self, run: DecodeRange) -> Generator[SurfaceFrame, None, None]:
        """The pictures of a run, each with the time stamp that is due.

        Raises:
            SurfaceError: another came, or none.
        """
        table, showing = self.packets(), self._showing
        assert showing is not None
        first, end = np.searchsorted(table.pts, [run.key, run.last + 1])
        due = deque(table.pts[first:end].tolist())
        if self._session is None:
            self._session = NvdecSession(self.codec_context.name, showing.bit_depth)
        with closing(self._session.decode(self._needed(run))) as found:
            for pts, surface in found:
                if pts < run.key:
                    continue  # it leans on what was not decoded, or is hidden
                if not due or pts != due.popleft():
                    raise SurfaceError(f"NVDEC gives a picture at {pts} that is not due")
                if surface.shape != showing.size:
                    raise SurfaceError(f"NVDEC gives a picture of {surface.shape}")
                yield SurfaceFrame(pts, surface, showing)
                if not due:
                    return
        raise SurfaceError(f"NVDEC gives {end - first - len(due)} of {end - first} pictures")

    def _needed(self, run: DecodeRange) -> Iterator[Packet[VideoStream]]:
        """The packets from the key frame of a run to its last one.

        Raises:
            SurfaceError: they can't be read.
        """
        place = self._expect(run.key, run.last)
        packets = dropwhile(lambda each: not starts(each, run.key), self._packets_from(run.key))
        try:
            for packet in until(run.key, run.last, packets, place):
                if packet is not None:
                    yield packet
        except av.error.FFmpegError as error:
            raise SurfaceError(reason(error)) from error

    def close(self) -> None:
        super().close()
        if self._session is not None:
            session, self._session = self._session, None
            with suppress(SurfaceError):
                session.close()


def _at_top(frame: Frame) -> NDArray[np.unsignedinteger]:
    """A luma plane with its significant bits at the top of a sample."""
    plane = frame.luma()
    if plane.dtype == np.uint8:
        return plane
    return np.asarray(plane << (16 - frame.bit_depth), np.uint16)
