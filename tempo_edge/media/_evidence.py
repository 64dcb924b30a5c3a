"""What a file's packets tell of damage, gathered while they are listed: nothing is decoded."""

from __future__ import annotations

from array import array
from pathlib import Path

import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from tempo_edge.media._ending import Sound
from tempo_edge.media._intact import Check
from tempo_edge.media._lost import Layout, least_bytes, lost, unread_tail
from tempo_edge.media._types import DAMAGED, VideoInfo

__all__ = ["Evidence"]

# If hardly any packet is whole, it is the check that doesn't understand the file.
_HARDLY_ANY = 0.1

# Containers that count their pictures, and so tell no time of any.
_COUNTING = frozenset({"avi", "mxf"})

# What such a file lacks of its promised length is worth telling from here on, in seconds.
_MISSED = 0.5

# Stretches that are told one by one.
_TOLD = 3


class Evidence:
    """Looks at the packets of a stream, a row each.

    Args:
        path: the file.
        formats: FFmpeg's names of the container.
        check: whether a packet can be whole.
        sound: counts what other streams hold.

    Attributes:
        error: why no more packets could be read, if there was a reason.
        lost: stretches that can't be read, each from the picture before to the next one, in ticks.
    """

    def __init__(self, path: Path, formats: frozenset[str], check: Check, sound: Sound) -> None:
        self._path = path
        self._formats = formats
        self._check = check
        self._tells = "mpegts" in formats  # elsewhere it is the end of a file that is flagged
        self._sound = sound
        self._elsewhere = array("q")
        self._broken = bytearray()
        self._torn = bytearray()
        self._passed = 0
        self._unread_bytes = self._held_bytes = self._end = 0
        self.error: BaseException | None = None
        self.lost: tuple[tuple[int, int], ...] = ()

    def pass_over(self, packet: Packet[VideoStream]) -> None:
        """See a packet that gets no row."""
        self._passed += packet.size

    def add(self, packet: Packet[VideoStream]) -> None:
        """See the packet of the next row."""
        self._elsewhere.append(self._sound.bytes + self._passed)
        self._broken.append(not self._check(packet))
        self._torn.append(self._tells and packet.is_corrupt)

    def weigh(
        self,
        pts: NDArray[np.int64],
        rows: NDArray[np.int64],
        layout: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]],
        second: float,
        starts: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """The pictures, by number in the order in which they are shown, after which some are lost.

        Args:
            pts: when each is shown, ``[n]``, rising.
            rows: the packet of each, ``[n]``.
            layout: the place, the size and the key flag of each packet, in the order of decoding.
            second: ticks a second.
            starts: the packets at which the clock starts again.
        """
        positions, sizes, keys = layout
        elsewhere = np.frombuffer(self._elsewhere, dtype=np.int64)
        lie = Layout(self._path, self._formats, positions, sizes, elsewhere)
        self._end = lie.end
        self._unread_bytes, self._held_bytes = lie.unread_bytes, lie.held_bytes
        found = lost(pts, rows, lie, second)
        # What is joined from parts has a torn packet before each, and a part begins with a key. A
        # parser that waits for the next picture flags the one before the torn one.
        begins = keys.copy()
        begins[starts] = True
        for row in np.flatnonzero(np.frombuffer(self._torn, np.bool_)[:-1]).tolist():
            after = [each for each in (row + 1, row + 2) if each < len(begins) and begins[each]]
            joined = bool(after) and lie.goes_on(row, after[0]) is not False
            known = any(rows[at] <= row <= rows[at + 1] for at in found)
            self._broken[row] |= not (known or joined)
        self.lost = tuple((int(pts[at]), int(pts[at + 1])) for at in found)
        return np.asarray(found, dtype=np.int64)

    def remarks(self, info: VideoInfo, end: int, *, is_cut: bool, stops: bool) -> tuple[str, ...]:
        """What the owner of the file should know, one short clause each.

        Args:
            info: what the container says.
            end: where the last picture is over, in ticks.
            is_cut: whether it is known that the file breaks off there.
            stops: whether more is known to lie behind that, which can't be read.
        """
        told, time_of = [], info.time_of
        # The last packet of a file that breaks off is not whole: that is said already.
        count, broken = len(self._broken), sum(self._broken[:-1] if is_cut else self._broken)
        if 0 < broken < (1 - _HARDLY_ANY) * count:
            are = "is" if broken == 1 else "are"
            told.append(f"{DAMAGED}{broken} of {count} packets {are} not whole")
        spans = [f"{float(time_of(a)):.1f} to {float(time_of(b)):.1f} s" for a, b in self._spans()]
        if len(spans) > _TOLD:
            told.append(f"{DAMAGED}nothing can be read at {len(spans)} places, first {spans[0]}")
        elif spans:
            told.append(f"{DAMAGED}nothing can be read from {' and from '.join(spans)}")
        if is_cut:
            return tuple(told)
        over = float(time_of(end))
        if self._is_short(float(info.duration), over):
            missed = float(info.duration) - over
            told.append(f"{DAMAGED}{missed:.1f} s can't be read, what follows is listed that early")
        elif stops or self.error is not None:
            told.append(f"{DAMAGED}nothing can be read after {over:.1f} s")
        return tuple(told)

    def lacks(self, seconds: float, over: float) -> bool:
        """Whether a Matroska file holds bytes that nobody reads where so much of it is missing.

        Args:
            seconds: how much is missing at its end.
            over: seconds at which what was read of it ends.
        """
        if "matroska" not in self._formats or seconds < _MISSED or over <= 0:
            return False
        least = least_bytes(self._held_bytes / over, seconds)
        return unread_tail(self._path, max(self._end, self._sound.last_byte)) >= least

    def _spans(self) -> list[tuple[int, int]]:
        """Lost stretches; two with a single picture between are told as one."""
        spans: list[tuple[int, int]] = []
        for before, after in self.lost:
            if spans and spans[-1][1] == before:
                before = spans.pop()[0]
            spans.append((before, after))
        return spans

    def _is_short(self, promised: float, over: float) -> bool:
        """Whether time goes on as if nothing were missing, and the file ends too early by that."""
        missed = promised - over
        return (
            bool(self._formats & _COUNTING and not self.lost)
            and missed >= _MISSED
            and self._unread_bytes >= least_bytes(self._held_bytes / over, missed)
        )
