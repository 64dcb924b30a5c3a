"""Pictures that stand long: what is on the screen where a clip begins, and until when at its end.

A recording of a screen, or of a talk's slides, holds a picture where something changes. Between
two of them the earlier one is what is seen, and a moment may begin and end there.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain

import numpy as np
from av.video.frame import VideoFrame

from tempo_edge.media.pyav import PyAVVideo

__all__ = ["lasting", "shown"]

# A clip that begins as long before a picture begins with that one. Packets need no listing then.
_STILL = Fraction(1, 4)


def shown(video: PyAVVideo, start: int, end: int, begins: Fraction) -> Iterator[VideoFrame]:
    """Pictures from ``start`` to before ``end``, in ticks, led by one that stands at ``start``.

    A picture that stands there is as if it began when the clip ``begins``, in seconds that count
    as the ticks do.

    Raises:
        MediaError: the stretch can't be decoded.
    """
    pictures = video.pictures(start, end - 1)
    first = next(pictures, None)
    at = None if first is None else first.pts
    if at is not None and (at - start) * video.info.time_base <= _STILL:
        assert first is not None
        yield from chain([first], pictures)
        return
    standing = _standing(video, start)
    if standing is not None:
        standing.pts = round(begins / video.info.time_base)
        yield standing
    if first is not None:
        yield from video.pictures(start, end - 1)  # anew: the decoder was elsewhere meanwhile


def _standing(video: PyAVVideo, tick: int) -> VideoFrame | None:
    """The picture that is on the screen at a tick, if one is."""
    table = video.packets()
    row = int(np.searchsorted(table.pts, tick, side="right")) - 1
    if row < 0 or _over(video, int(table.pts[row])) <= tick:
        return None
    stamp = int(table.pts[row])
    return next(video.pictures(stamp, stamp), None)


def lasting(video: PyAVVideo, last: int, end: int) -> int | None:
    """How long the last picture of a clip is shown, in ticks; None where its own length will do.

    Args:
        last: its time stamp.
        end: tick at which the clip ends.
    """
    if (end - last) * video.info.time_base <= _STILL:
        return None
    return max(0, min(end, _over(video, last)) - last) or None


def _over(video: PyAVVideo, stamp: int) -> int:
    """The tick at which the picture that stands at a tick is over."""
    table = video.packets()
    after = int(np.searchsorted(table.pts, stamp, side="right"))
    if after < len(table):
        over = int(table.pts[after])
    else:
        over = stamp if table.end is None else table.end
    return min([over, *(begin for begin, _ in table.holes if begin > stamp)])
