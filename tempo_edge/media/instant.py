"""The picture that a video shows at an instant, upright and no larger than is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from tempo_edge.errors import MediaError
from tempo_edge.media.orientation import Orientation
from tempo_edge.media.pyav import PyAVVideo

__all__ = ["picture_at", "pictures_at"]

# A picture may have been shown for this long already: how far back to look for it, in seconds, one
# after another, before looking through the whole video. What decoding starts from lies before that.
_BACK_SECONDS = (1, 20)

# A tick that no picture comes after; seeking takes 64 bits.
_END = 2**62


def picture_at(path: Path, seconds: float, width: int) -> NDArray[np.uint8]:
    """What a video shows ``seconds`` after its start: RGB ``[h, w, 3]``, ``w`` at most ``width``.

    Raises:
        MediaError: there is no picture at all, or it can't be decoded; its text has no path.
    """
    return pictures_at(path, [seconds], width)[0]


def pictures_at(path: Path, instants: Sequence[float], width: int) -> list[NDArray[np.uint8]]:
    """What a video shows at each of some instants, as :func:`picture_at` has it, opened once.

    Raises:
        MediaError: as :func:`picture_at`.
    """
    pictures = []
    try:
        with PyAVVideo(path) as video:
            for seconds in instants:
                frame = _shown(video, seconds)
                if frame is None:
                    raise MediaError("shows nothing")
                pictures.append(_upright(frame, video.pixel_aspect, width))
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise MediaError(f"can't be decoded: {error}") from error
    return pictures


def _shown(video: PyAVVideo, seconds: float) -> VideoFrame | None:
    """The last picture whose time has come; before the first one, the first."""
    info = video.info

    def tick_of(instant: Fraction) -> int:
        return max(-_END, min(int((instant + info.start_time) / info.time_base), _END))

    tick, first_tick = tick_of(Fraction(seconds)), min(tick_of(Fraction(0)), 0)
    # Long after the end the last picture is looked for where the container says that it ends.
    ends = [tick] if not 0 < info.duration < seconds else [tick, tick_of(info.duration)]
    starts = [(end - int(back / info.time_base), end) for end in ends for back in _BACK_SECONDS]
    for start, end in [*starts, (first_tick, tick)]:
        shown = None
        for frame in video.pictures(max(first_tick, start), end):
            shown = frame
        if shown is not None:
            return shown
    return next(video.pictures(tick, _END), None)


def _upright(frame: VideoFrame, pixel_aspect: Fraction, width: int) -> NDArray[np.uint8]:
    """The picture ``[height, width, 3]`` as it is meant to be seen, no larger than it is."""
    orientation = Orientation.of(frame)
    shape = Fraction(frame.width, frame.height) * pixel_aspect
    shown_width = round(frame.height * shape)
    if orientation.transposed:
        across = max(1, round(min(width, frame.height) * shape))
        down = min(width, frame.height)
    else:
        across = min(width, shown_width)
        down = max(1, round(across / shape))
    scaler = VideoReformatter()
    small = scaler.reformat(
        frame,
        max(1, across),
        max(1, down),
        "rgb24",
        interpolation="AREA",
        src_color_range=frame.color_range or None,
    )
    return np.ascontiguousarray(orientation.apply(np.asarray(small.to_ndarray(), np.uint8)))
