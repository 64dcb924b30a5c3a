"""Where the payload of a container's packets lies: what a demuxer need not read to list them."""

from __future__ import annotations

import os
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from av.container import InputContainer

from tempo_edge._files.opening import open_carefully
from tempo_edge.media._blocks import BlockFile, Peek
from tempo_edge.media._bounds import MOST_PACKETS
from tempo_edge.media._chunks import (
    MXF_PARTITION,
    chunks_of_avi,
    packets_of_mxf,
    tags_of_flv,
)
from tempo_edge.media._matroska import EBML, blocks_of_matroska
from tempo_edge.media._promises import FIRST_BOXES, outermost_boxes
from tempo_edge.media.container import open_container

__all__ = ["HollowFile", "Payload", "WalkedPayload", "may_tell_payload", "open_hollow"]

# Stretches of payload in a file: a fragment each of a week of footage.
_MOST_STRETCHES = 1 << 20


# How the packets of a container are walked, by FFmpeg's name of it; and what such files begin with.
_WALKS = {
    "matroska": blocks_of_matroska,
    "avi": chunks_of_avi,
    "flv": tags_of_flv,
    "mxf": packets_of_mxf,
}
_HEADS = (EBML, b"RIFF", b"FLV", MXF_PARTITION)

# FFmpeg doesn't ask packets whether they are key frames, nor look into any to find out what they
# are.
_SEEN = {"probesize": "10000000", "fflags": "+noparse"}
_UNSEEN = {"probesize": "32", "analyzeduration": "0", "fflags": "+noparse"}

# A place that lies so far behind the last known stretch is not reached by going on.
_FAR = 1 << 20


class Payload:
    """Stretches of a file that hold coded pictures and sound, and nothing about them.

    Args:
        starts, ends: bytes at which each begins and is over, both rising.

    Raises:
        ValueError: they overlap or go backwards.
    """

    def __init__(self, starts: Sequence[int], ends: Sequence[int]) -> None:
        bounds = [0, *(bound for pair in zip(starts, ends, strict=True) for bound in pair)]
        if any(later < earlier for earlier, later in pairwise(bounds)):
            raise ValueError("stretches of payload must rise")
        self._starts, self._ends = array("q", starts), array("q", ends)

    def after(self, at: int) -> tuple[int, int] | None:
        """The bounds of the first stretch that is not over at a byte; None behind the last."""
        place = bisect_right(self._ends, at)
        return None if place == len(self._ends) else (self._starts[place], self._ends[place])


class WalkedPayload(Payload):
    """Stretches of payload that are found one after another, as far as somebody asks.

    Args:
        walk: their bounds, rising.
        begun: byte up to which the file has been read without it.
    """

    def __init__(self, walk: Iterator[tuple[int, int]], begun: int = 0) -> None:
        super().__init__([], [])
        self._walk: Iterator[tuple[int, int]] | None = walk
        self._begun = begun

    def after(self, at: int) -> tuple[int, int] | None:
        frontier = self._ends[-1] if self._ends else 0
        if at > max(frontier, self._begun) + _FAR:
            return None  # an index at the end of the file, say: it is read as it is
        while frontier <= at and self._walk is not None:
            start, end = next(self._walk, (-1, -1))
            if start < 0:
                self._walk = None
                break
            if start < frontier or end < start:
                raise ValueError("stretches of payload must rise")
            self._starts.append(start)
            self._ends.append(end)
            frontier = end
        return super().after(at)


class HollowFile(BlockFile):
    """A file whose payload is not read: zeros stand for it.

    A demuxer that finds its packets by an index lists them all the same.

    Args:
        path: the file.
        payload: where its payload lies; where that is open, all of the file is read.
    """

    def __init__(self, path: Path, payload: Payload | None = None) -> None:
        super().__init__(path)
        self.payload = payload

    def read(self, size: int) -> bytes:
        at = self.tell()
        stretch = None if self.payload is None else self.payload.after(at)
        if stretch is None:
            return super().read(size)
        start, end = stretch
        if at < start:
            return super().read(min(size, start - at))
        hollow = max(0, min(size, end - at, self.size - at))
        self.seek(hollow, os.SEEK_CUR)
        return bytes(hollow)


def open_hollow(path: Path, formats: frozenset[str]) -> tuple[InputContainer, HollowFile] | None:
    """A container open at its beginning, and its file, whose payload is not going to be read.

    None where only demuxing all of it would tell where its payload lies.

    Args:
        path: the file.
        formats: FFmpeg's names of its container.

    Raises:
        av.FFmpegError, OSError, ValueError: FFmpeg can't make anything of it, or must not.
    """
    walk = next((walk for name, walk in _WALKS.items() if name in formats), None)
    if walk is None and "mov" not in formats:
        return None
    file = HollowFile(path)
    try:
        if walk is None:
            file.payload = _boxes_of_media(path)
            if file.payload is None:
                file.close()
                return None
            return open_container(path, _UNSEEN, file), file
        # How long a packet of sound lasts is known to FFmpeg once it has seen some.
        container = open_container(path, _SEEN, file)
        file.payload = WalkedPayload(walk(_limited(file.peek), file.size), file.tell())
        return container, file
    except BaseException:
        file.close()
        raise


def _limited(peek: Peek) -> Peek:
    """A way to peek into a file, but not without end.

    Raises:
        ValueError: it was asked more often than any film that is read has packets.
    """
    left = MOST_PACKETS

    def limited(at: int, size: int) -> bytes:
        nonlocal left
        left -= 1
        if left < 0:
            raise ValueError(f"holds more than {MOST_PACKETS:,} headers")
        return peek(at, size)

    return limited


def may_tell_payload(path: Path) -> bool:
    """Whether a file begins like one of a container that says where its payload lies.

    Raises:
        OSError: the file can't be read.
    """
    with path.open("rb") as file:
        head = file.read(len(MXF_PARTITION))
    return head[4:8] in FIRST_BOXES or head.startswith(_HEADS)


def _boxes_of_media(path: Path) -> Payload | None:
    """What the boxes named "mdat" of an MP4 hold: all that is said about it lies elsewhere."""
    descriptor = open_carefully(path)
    starts: list[int] = []
    ends: list[int] = []
    try:
        for kind, start, end in outermost_boxes(descriptor, os.fstat(descriptor).st_size):
            if kind == b"mdat":
                starts.append(start)
                ends.append(end)
            if len(starts) > _MOST_STRETCHES:
                return None
    finally:
        os.close(descriptor)
    return Payload(starts, ends) if starts else None
