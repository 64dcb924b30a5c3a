"""decord as a second decoder: times from the container by PyAV, pictures by index from decord.

What is installed is decord2, which is maintained, by the same name. It knows pictures by their
number only, and its seeking is exact for some files and not for others. What is asked of it here is
what it does exactly; a file that it would get wrong is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from tempo_edge._closing import Closing
from tempo_edge._extras import lacking
from tempo_edge.errors import MediaError, MissingExtraError
from tempo_edge.media._frame import shrink
from tempo_edge.media._types import DecodeRange, PacketTable, VideoInfo
from tempo_edge.media.orientation import Orientation
from tempo_edge.media.pyav import PyAVVideo

__all__ = ["DecordFrame", "DecordVideo"]

# In these decord loses the pictures up to the second key frame, even when reading from the start.
_INEXACT_FORMATS = frozenset({"mpegts", "mpeg"})

# "[12:00:00] /src/reader.cc:270: [/path/a.mp4] ", as often as it is there, and "Check failed: ...".
_NOISE = re.compile(r"^(\[[^\]]*\] (\S+:\d+: )?)+|Check failed: .*?\(-?\d+ vs\. -?\d+\) ?(ERROR )?")


class DecordFrame:
    """A picture as decord gives it: RGB, and upright already."""

    bit_depth = 8

    def __init__(self, pts: int, picture: NDArray[np.uint8], scaler: VideoReformatter) -> None:
        self.pts = pts
        self._picture = picture
        self._scaler = scaler

    def luma(self) -> NDArray[np.unsignedinteger]:
        # BT.601 in studio range, in whole numbers: what the planes of most files hold.
        rgb = self._picture.astype(np.uint16)
        sums = 66 * rgb[..., 0] + 129 * rgb[..., 1] + 25 * rgb[..., 2] + 128
        grey: NDArray[np.uint8] = (sums >> 8).astype(np.uint8) + np.uint8(16)
        return grey

    def upright(self, grid: NDArray[np.float32]) -> NDArray[np.float32]:
        return grid

    def release(self) -> None:
        """Nothing: the luma plane is worked out from the colours whenever it is asked for."""

    def thumbnail(
        self, size: int, interpolation: str = "AREA", *, crop: bool = False
    ) -> NDArray[np.uint8]:
        frame = VideoFrame.from_ndarray(self._picture, format="rgb24")
        return shrink(frame, size, self._scaler, interpolation, crop=crop)


class DecordVideo(Closing):
    """A video stream opened with decord. Decodes one picture after another, on one thread."""

    def __init__(
        self,
        path: Path,
        *,
        table: PacketTable | None = None,
        whole: bool = False,
        unseen: bool = False,
    ) -> None:
        # Always seen: pictures of decord don't say how deep they were.
        self._decord = _import_decord()
        self._path = path
        self._container = PyAVVideo(path, table=table, whole=whole)
        self._scaler = VideoReformatter()
        self._reader: Any = None
        self._linear = False
        self.damaged = 0
        self._next = 0  # number of the picture that a linear reader gives next

    @property
    def info(self) -> VideoInfo:
        return self._container.info

    @property
    def contradicted(self) -> bool:
        return self._container.contradicted

    def packets(self) -> PacketTable:
        return self._container.packets()

    def check(self) -> None:
        if self._reader is None:
            self._open(self.packets())

    def frames(self, run: DecodeRange) -> Iterator[DecordFrame]:
        table = self.packets()
        first = int(np.searchsorted(table.pts, run.key))
        end = int(np.searchsorted(table.pts, run.last, side="right"))
        self.check()
        for index in range(first, end):
            try:
                picture = self._picture(index)
            except (self._decord.DECORDError, RuntimeError, StopIteration) as error:
                self._reader = None  # after a failure its counting is off
                self.damaged += 1
                if index == first:
                    raise MediaError(f"can't be decoded: {_reason(error)}") from error
                return
            yield DecordFrame(int(table.pts[index]), picture, self._scaler)

    def _open(self, table: PacketTable) -> None:
        """Let decord scan the file, and find out how far its counting can be relied on."""
        if _INEXACT_FORMATS & self._container.format_names:
            raise MediaError("can't be decoded exactly by decord in this container: use pyav")
        if table.parts:
            raise MediaError("can't be decoded by decord, as its clock starts again: use pyav")
        if self._container.is_counted:
            raise MediaError("can't be decoded by decord, as it holds no time stamps: use pyav")
        if not self._container.is_only_film:
            raise MediaError("can't be decoded by decord, which chooses among videos: use pyav")
        orientation = self._orientation(table)
        if orientation.reverses:
            raise MediaError("can't be shown by decord as it is meant, mirrored: use pyav")
        if orientation.transposed:  # rows of what it turns a quarter are of another length
            raise MediaError("can't be shown by decord as it is meant, turned: use pyav")
        reader = self._reader_here()
        if len(reader) != len(table):
            raise MediaError(
                f"can't be decoded exactly by decord, which counts {len(reader)} pictures "
                f"where the container shows {len(table)}: use pyav"
            )
        # decord numbers key frames in decoding order. Where that is another order than the
        # pictures' own, it lands beside the picture it seeks, and only reading on is exact.
        self._linear = list(reader.get_key_indices()) != np.flatnonzero(table.keys).tolist()
        self._reader, self._next = reader, 0

    def _reader_here(self) -> Any:
        """decord's reader, which has come past the first picture where there is one to be had."""
        try:
            reader = self._begun()
            try:
                picture = reader.next().asnumpy()
                reader.seek(0)
            except (self._decord.DECORDError, RuntimeError, StopIteration):
                if self._container.is_signed:  # the decoder must have come past the signature
                    raise
                return self._begun()  # damage is told where pictures are asked for
        except (self._decord.DECORDError, RuntimeError, AssertionError, StopIteration) as error:
            raise MediaError(f"can't be opened by decord: {_reason(error)}") from error
        if picture.shape[2] != 3:
            raise MediaError(
                f"can't be shown by decord, which misreads rows of {picture.shape[1]} points: "
                "use pyav"
            )
        return reader

    def _begun(self) -> Any:
        return self._decord.VideoReader(
            str(self._path.absolute()), ctx=self._decord.cpu(0), num_threads=1
        )

    def _orientation(self, table: PacketTable) -> Orientation:
        """How the first picture must be turned; decord mirrors none."""
        first = int(table.pts[0])
        picture = next(self._container.pictures(first, int(table.pts[-1])), None)
        return Orientation() if picture is None else Orientation.of(picture)

    def _picture(self, index: int) -> NDArray[np.uint8]:
        if not self._linear:
            picture: NDArray[np.uint8] = self._reader[index].asnumpy()
            return picture
        if index < self._next:
            self._reader.seek(0)
            self._next = 0
        while self._next < index:  # its skip_frames() jumps by the same wrong numbers
            self._reader.next()
            self._next += 1
        read: NDArray[np.uint8] = self._reader.next().asnumpy()
        self._next += 1
        return read

    def close(self) -> None:
        self._reader = None
        self._container.close()


def _import_decord() -> ModuleType:
    try:
        import decord
    except ImportError as error:
        raise MissingExtraError(f"the decoder {lacking('decord')}") from error
    decord.logging.set_level(decord.logging.QUIET)
    module: ModuleType = decord
    return module


def _reason(error: BaseException) -> str:
    """decord's own words in one line, without the source files and the path around them."""
    line = (str(error).strip() or "it ends too early").splitlines()[0]
    text = _NOISE.sub("", line).strip() or type(error).__name__
    return text[0].lower() + text[1:].rstrip(".")
