"""Where the payload of a container's packets lies: what a demuxer need not read to list them."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from tempo_edge.media._blocks import BlockFile
from tempo_edge.media._promises import FIRST_BOXES, outermost_boxes

__all__ = ["HollowFile", "Payload", "may_tell_payload", "payload_of"]

# Stretches of payload in a file: a fragment each of a week of footage.
_MOST_STRETCHES = 1 << 20


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
        self._starts, self._ends = list(starts), list(ends)

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def bytes(self) -> int:
        """Bytes of all of them."""
        return sum(self._ends) - sum(self._starts)

    def after(self, at: int) -> tuple[int, int] | None:
        """The bounds of the first stretch that is not over at a byte; None behind the last."""
        place = bisect_right(self._ends, at)
        return None if place == len(self._ends) else (self._starts[place], self._ends[place])


class HollowFile(BlockFile):
    """A file whose payload is not read: zeros stand for it.

    A demuxer that finds its packets by an index lists them all the same.

    Args:
        path: the file.
        payload: where its payload lies.
    """

    def __init__(self, path: Path, payload: Payload) -> None:
        super().__init__(path)
        self._payload = payload

    def read(self, size: int) -> bytes:
        at = self.tell()
        stretch = self._payload.after(at)
        if stretch is None:
            return super().read(size)
        start, end = stretch
        if at < start:
            return super().read(min(size, start - at))
        hollow = max(0, min(size, end - at, self.size - at))
        self.seek(hollow, os.SEEK_CUR)
        return bytes(hollow)


def may_tell_payload(path: Path) -> bool:
    """Whether a file begins like one of a container that says where its payload lies.

    Raises:
        OSError: the file can't be read.
    """
    with path.open("rb") as file:
        head = file.read(8)
    return head[4:8] in FIRST_BOXES


def payload_of(path: Path, formats: frozenset[str]) -> Payload | None:
    """Where the payload of a file lies; None where only demuxing the whole of it would tell.

    Args:
        path: the file.
        formats: FFmpeg's names of its container.

    Raises:
        OSError: the file can't be read.
    """
    return _boxes_of_media(path) if "mov" in formats else None


def _boxes_of_media(path: Path) -> Payload | None:
    """What the boxes named "mdat" of an MP4 hold: all that is said about it lies elsewhere."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
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
