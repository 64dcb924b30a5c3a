"""The clock of a file: where it starts again, where it jumps, and how it is made to rise.

Recordings that were joined byte by byte, DVDs and television keep the clocks of their parts.
Players go on from part to part and from jump to jump without a wait; the thresholds are mpv's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Clock", "holes", "longest_picture"]

# A clock that falls by more than this, in seconds, has started again: where that is usual, and
# where only a muxer's mistake would be meant.
_FALL, _FALL_ELSEWHERE = 0.1, 1.0

# FFmpeg takes a clock that starts again lower down for one that ran over, and adds 26.5 hours.
_RUN_OVER = 13 * 3600.0

# One picture that stands this far from neighbours that agree has a damaged time stamp, in seconds.
_ASTRAY, _AGREE = 10.0, 1.0

# A picture that would last longer than this, in seconds, is not waited for.
_LONGEST, _LONGEST_ELSEWHERE = 5.0, 10_000.0


def longest_picture(resets: bool) -> float:
    """Seconds that a picture may last; ``resets``: whether the container's clock may start anew."""
    return _LONGEST if resets else _LONGEST_ELSEWHERE


@dataclass(frozen=True)
class Clock:
    """What becomes of the time stamps of ``n`` packets, in the order in which they are decoded.

    Attributes:
        good: False where a time stamp is damaged, ``[n]`` bool.
        starts: indexes of the packets at which a part of the file begins, the first one 0.
        shifts: ticks to add to the time stamps of each part, so that those of the whole file rise.
    """

    good: NDArray[np.bool_]
    starts: NDArray[np.int64]
    shifts: NDArray[np.int64]

    @staticmethod
    def of(
        decoded: NDArray[np.int64], shown: NDArray[np.int64], second: float, resets: bool
    ) -> Clock:
        """The clock of packets.

        Args:
            decoded: when each is decoded, in ticks ``[n]``.
            shown: when its picture is shown, in ticks ``[n]``.
            second: ticks a second.
            resets: whether clocks that start again are usual in the container.
        """
        good = ~_astray(decoded, second)
        rows = np.flatnonzero(good)
        steps = np.diff(decoded[rows])
        again = steps < -second * (_FALL if resets else _FALL_ELSEWHERE)
        if resets:
            again |= steps > _RUN_OVER * second
        starts = np.concatenate([[0], rows[1:][again]])
        ends = np.append(starts[1:], len(decoded))
        forward = steps[(steps > 0) & ~again]
        picture = int(np.median(forward)) if len(forward) else 0
        shifts = np.zeros(len(starts), np.int64)
        over = 0
        for part, (start, end) in enumerate(zip(starts, ends, strict=True)):
            times = shown[start:end][good[start:end]]
            if part:
                shifts[part] = over - int(times.min())
            over = int(times.max()) + int(shifts[part]) + picture
        return Clock(good, starts, shifts)

    def rising(self, stamps: NDArray[np.int64]) -> NDArray[np.int64]:
        """Time stamps ``[n]`` on the one clock of the whole file."""
        lengths = np.diff(np.append(self.starts, len(stamps)))
        return np.asarray(stamps + np.repeat(self.shifts, lengths), dtype=np.int64)


def _astray(decoded: NDArray[np.int64], second: float) -> NDArray[np.bool_]:
    """Single packets whose neighbours agree with each other, and not with them."""
    astray = np.zeros(len(decoded), np.bool_)
    if len(decoded) >= 3:
        before, at, after = decoded[:-2], decoded[1:-1], decoded[2:]
        far = np.abs(at - before) > _ASTRAY * second
        astray[1:-1] = far & (np.abs(after - before) <= _AGREE * second)
    return astray


def holes(
    pts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    second: float,
    resets: bool,
    lost: NDArray[np.int64] | None = None,
) -> tuple[tuple[int, int], ...]:
    """Where nothing is shown: each from the end of a picture to the next one, in ticks.

    Args:
        pts: time stamps ``[n]``, rising.
        lengths: how long the container says that each picture lasts, ``[n]``; 0 where it doesn't.
        second: ticks a second.
        resets: see :meth:`Clock.of`.
        lost: pictures after which others are known to be lost, by number.
    """
    gaps = np.diff(pts)
    limit = longest_picture(resets) * second
    shown = gaps[gaps <= limit]
    typical = int(np.median(shown)) if len(shown) else 1
    ends = gaps > limit
    ends[[] if lost is None else lost] = True
    return tuple(
        (int(pts[i]) + (int(lengths[i]) if 0 < lengths[i] < gaps[i] else typical), int(pts[i + 1]))
        for i in np.flatnonzero(ends)
    )
