"""What a decoder gives: facts about a file, its packet table, its frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from types import TracebackType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DAMAGED",
    "DecodeRange",
    "Frame",
    "PacketTable",
    "Part",
    "Stretch",
    "Video",
    "VideoInfo",
]

#: How a remark on damage begins.
DAMAGED = "damaged: "


@dataclass(frozen=True)
class VideoInfo:
    """What the container says about its video stream.

    Attributes:
        codec: the codec's short name, as FFmpeg spells it.
        width, height: coded size in pixels, before rotation (frames know theirs).
        time_base: seconds a tick of the presentation time stamps.
        start_time: instant of the container that players call zero, in seconds; where sound has a
            lead-in that the container doesn't tell, that of the first picture.
        duration: length of the container in seconds; 0 where it does not say.
        rate: nominal frames a second, or None.
        bit_depth: significant bits of a luma sample.
        remarks: what its owner should know, one short clause each: a clock that starts again, say.
        picture_bytes: memory that a decoded picture takes.
    """

    codec: str
    width: int
    height: int
    time_base: Fraction
    start_time: Fraction
    duration: Fraction
    rate: Fraction | None
    bit_depth: int
    remarks: tuple[str, ...] = ()
    picture_bytes: int = 0

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"size {self.width}x{self.height} must be at least 1x1")
        if self.time_base <= 0:
            raise ValueError(f"time_base {self.time_base} must be positive")

    @property
    def duration_seconds(self) -> float:
        """Length in seconds."""
        return float(self.duration)

    def time_of(self, pts: int) -> Fraction:
        """Exact seconds from the start of the container to a presentation time stamp."""
        return pts * self.time_base - self.start_time


@dataclass(frozen=True)
class Part:
    """A stretch of a file within which its clock runs on.

    Attributes:
        position: byte at which its first packet begins.
        shift: ticks to add to its time stamps, so that those of the whole file rise.
    """

    position: int
    shift: int


@dataclass(frozen=True)
class Stretch:
    """Bytes of a file that hold what a run needs.

    Attributes:
        start: byte at which the first packet begins.
        last: byte at which the last one does.
        end: byte at which that is over.
    """

    start: int
    last: int
    end: int


@dataclass(frozen=True)
class PacketTable:
    """One row a coded picture, in presentation order.

    Attributes:
        pts: presentation time stamps in ticks, ``[n]`` int64, rising.
        sizes: coded bytes, ``[n]`` int64.
        keys: True where decoding can start, ``[n]`` bool.
        remarks: what its owner should know of the file, one short clause each: that it was cut
            short, say.
        end: tick at which the last picture is over; None if that is not known.
        holes: where nothing is shown: each from the end of a picture to the next one, in ticks.
        stream: place of the video stream among those of the container; None where that is open.
        positions: byte of the file at which each packet begins, ``[n]`` int64, or None where the
            container doesn't tell.
        parts: the parts of a file whose clock starts again, in the order in which they lie there;
            empty for all other files. ``pts`` count on through all of them.
        from_index: whether the packets were listed by what the container says of them, unread.
        in_file_order: whether packets lie in the file in the order in which they are decoded.
    """

    pts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    keys: NDArray[np.bool_]
    remarks: tuple[str, ...] = ()
    end: int | None = None
    holes: tuple[tuple[int, int], ...] = ()
    stream: int | None = None
    positions: NDArray[np.int64] | None = None
    parts: tuple[Part, ...] = ()
    from_index: bool = False
    in_file_order: bool = False

    def __len__(self) -> int:
        return len(self.pts)

    @property
    def breaks(self) -> frozenset[int]:
        """The first picture after each hole, and that of each part but the first."""
        found = {after for _, after in self.holes}
        if self.positions is not None:
            for part in self.parts[1:]:
                found |= set(self.pts[self.positions >= part.position][:1].tolist())
        return frozenset(found)

    def since(self, pts: int) -> PacketTable:
        """The table without what comes before a time stamp, with a remark on it if it was any."""
        kept = self.pts >= pts
        early = int((~kept).sum())
        if not early:
            return self
        pictures = f"{early} pictures lie" if early > 1 else "1 picture lies"
        return replace(
            self,
            pts=self.pts[kept],
            sizes=self.sizes[kept],
            keys=self.keys[kept],
            remarks=(
                *self.remarks,
                f"{pictures} before its start, where nothing can be sought",
            ),
            positions=None if self.positions is None else self.positions[kept],
        )

    def stretch(self, first: int, last: int) -> Stretch | None:
        """Where the packets lie that lead to the pictures within ``[first, last]`` ticks.

        No picture leans on one that is decoded after it. None where packets lie in another order,
        or the container doesn't tell where.
        """
        if self.positions is None or not self.in_file_order:
            return None
        keys = np.flatnonzero(self.keys & (self.pts <= first))
        end = int(np.searchsorted(self.pts, last, side="right"))
        if not len(keys) or end <= keys[-1]:
            return None
        rows = slice(int(keys[-1]), end)
        at = int(self.positions[rows].argmax()) + rows.start
        place = int(self.positions[at])
        return Stretch(int(self.positions[rows].min()), place, place + int(self.sizes[at]))

    def shown_until(self, pts: int) -> int:
        """A time stamp without the holes before it: ticks that grow by what is shown alone."""
        return pts - sum(after - before for before, after in self.holes if after <= pts)


@dataclass(frozen=True)
class DecodeRange:
    """A stretch to decode: from the key frame at ``key`` up to ``last``, both in ticks.

    Attributes:
        key: presentation time stamp of the key frame that decoding starts at.
        last: presentation time stamp of the last picture wanted, at or after ``key``.
    """

    key: int
    last: int

    def __post_init__(self) -> None:
        if self.last < self.key:
            raise ValueError(f"run must not end at {self.last}, before its key frame {self.key}")


class Frame(Protocol):
    """One decoded picture."""

    @property
    def pts(self) -> int:
        """Presentation time stamp in ticks."""

    @property
    def bit_depth(self) -> int:
        """Significant bits of a luma sample, for scaling differences."""

    def luma(self) -> NDArray[np.unsignedinteger]:
        """The luma plane ``[height, width]``, uint8 or uint16, where possible as it lies."""

    def upright(self, grid: NDArray[np.float32]) -> NDArray[np.float32]:
        """A grid over the luma plane, turned the way the thumbnail is."""

    def thumbnail(
        self, size: int, interpolation: str = "AREA", *, crop: bool = False
    ) -> NDArray[np.uint8]:
        """The picture, upright, as ``[size, size, 3]`` RGB.

        Args:
            size: pixels a side.
            interpolation: ``"AREA"``, the mean of what a pixel covers; ``"BILINEAR"`` or
                ``"BICUBIC"``, as some models were trained with.
            crop: the largest square in the middle; otherwise the whole picture, squeezed.
        """

    def release(self) -> None:
        """Let go of whatever the luma plane does not need; there is no thumbnail after that."""


class Video(Protocol):
    """An open video stream. A context manager; one instance belongs to one thread.

    ``damaged`` counts the pictures that so far could not be decoded, or not as a whole.
    ``contradicted`` is True once a packet was found to be another than a table that was made
    from the container's index says, or the first picture another than the container does: whoever
    relied on it opens the file anew, ``whole``.
    """

    damaged: int
    contradicted: bool

    @property
    def info(self) -> VideoInfo:
        """What the container says."""

    def packets(self) -> PacketTable:
        """List the whole stream, from the container's index if that tells; nothing is decoded.

        Raises:
            MediaError: there is no packet with a time stamp.
        """

    def check(self) -> None:
        """Find out whether this decoder gets the file right, before it is relied on.

        Raises:
            MediaError: it does not; the text says why.
        """

    def frames(self, run: DecodeRange) -> Iterator[Frame]:
        """Decode a run: every picture from its key frame to its last, in presentation order.

        Raises:
            MediaError: the stretch can't be decoded.
        """

    def close(self) -> None:
        """Release the file."""

    def __enter__(self) -> Video: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
