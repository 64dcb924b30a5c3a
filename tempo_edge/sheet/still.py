"""The still of a moment: the picture that stands for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import MediaError
from tempo_edge.media.instant import picture_at
from tempo_edge.moment import Moment

if TYPE_CHECKING:
    from tempo_edge.search.candidates import Candidate

__all__ = ["still_of"]


def still_of(moment: Moment, candidate: Candidate | None, width: int) -> NDArray[np.uint8]:
    """The picture of a moment that fits best, else that in its middle.

    Args:
        candidate: what its pictures say, if they say anything.
        width: columns of pixels at most.

    Returns:
        RGB uint8 ``[h, w, 3]``.

    Raises:
        MediaError: its file is not there or can't be decoded; the text has no path.
    """
    if moment.offline:
        raise MediaError("it is offline")
    try:
        return picture_at(moment.path, _instant(moment, candidate), width)
    except (OSError, ValueError) as error:
        raise MediaError(str(error)) from error


def _instant(moment: Moment, candidate: Candidate | None) -> float:
    """When the picture is shown that stands for a moment: what fits best, else the middle."""
    middle = (moment.start_seconds + moment.end_seconds) / 2
    if candidate is None:
        return middle
    window, segment = candidate.window, candidate.segment
    best = segment.first + int(np.argmax(window.similarities[segment.first : segment.last + 1]))
    seconds = float(window.video.seconds(window.pts[best : best + 1])[0])
    return seconds if moment.start_seconds <= seconds < moment.end_seconds else middle
