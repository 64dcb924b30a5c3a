"""A straight decode: from the beginning of a file, with nothing sought. Slow, and always right."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator

from av.video.frame import VideoFrame

from tempo_edge.media._decoding import Damage

__all__ = ["StraightDecode", "by_order", "rising"]

# Pictures that a codec may reorder at most.
_REORDERED = 16


class StraightDecode:
    """A file's pictures, decoded once from its beginning, for runs that follow one another.

    Args:
        frames: what a decoder gives; their times rise.
        damage: where the decoder notes errors.

    Attributes:
        passed: pictures that have been given or passed over so far.
        opens_with_key: whether the decoder says of the first one that it leans on no other.
    """

    def __init__(self, frames: Iterator[VideoFrame], damage: Damage) -> None:
        self._frames = frames
        self.damage = damage
        self._next: VideoFrame | None = None
        self._latest: int | None = None
        self.passed = 0
        self.opens_with_key = True

    def is_past(self, tick: int) -> bool:
        """Whether a picture at or after ``tick`` has been given or passed over already."""
        return self._latest is not None and self._latest >= tick

    def between(self, first: int, last: int) -> Iterator[VideoFrame]:
        """The pictures within ``[first, last]`` ticks, unless they have been given already."""
        while True:
            if self._next is None:
                self._next = next(self._frames, None)
            frame = self._next
            if frame is None or frame.pts is None or frame.pts > last:
                return
            if not self.passed:
                self.opens_with_key = bool(frame.key_frame)
            self._next, self._latest = None, frame.pts
            self.passed += 1
            if frame.pts >= first:
                yield frame
            del frame


def rising(frames: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
    """Pictures without those that have no time, or none after that of the one before."""
    latest: int | None = None

    def rises(frame: VideoFrame) -> bool:
        nonlocal latest
        if frame.pts is None or (latest is not None and frame.pts <= latest):
            return False
        latest = frame.pts
        return True

    return filter(rises, frames)  # which holds on to no picture


def by_order(frames: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
    """Pictures in the order in which they come, with their times in rising order.

    A container that only knows when a packet is decoded gives B-frames the times of others; a
    decoder knows in which order pictures are shown.
    """
    held: deque[VideoFrame] = deque()
    stamps: list[int] = []
    for frame in frames:
        if frame.pts is None:
            continue
        held.append(frame)
        heapq.heappush(stamps, frame.pts)
        if len(held) > _REORDERED:
            held[0].pts = heapq.heappop(stamps)
            yield held.popleft()
    while held:
        held[0].pts = heapq.heappop(stamps)
        yield held.popleft()
