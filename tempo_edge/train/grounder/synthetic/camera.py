"""The views of a camera that moves over a picture: two takes, of which the second is closer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from tempo_edge.train.data.archives import squash
from tempo_edge.train.data.augmentation import condition

__all__ = ["STOPS", "TAKES", "film", "passing"]

#: A picture is filmed in two takes, and each is looked at from its first to its last view.
TAKES, STOPS = 2, 3

#: Left, top and size of a view, in shares of the picture's sides.
_Box = NDArray[np.float64]


def film(picture: Image.Image, seed: tuple[int, ...], size: int) -> NDArray[np.uint8]:
    """Frames ``[TAKES, STOPS, size, size, 3]``, under the same light all along.

    The first take wanders over the whole picture, the second over its middle.
    """
    rng = np.random.default_rng(seed)
    if rng.random() < 0.5:
        picture = ImageOps.mirror(picture)
    light = int(rng.integers(2**32))
    wide = _box(rng.random(2), rng.uniform(0.86, 1.0)), _box(rng.random(2), rng.uniform(0.86, 1.0))
    middle, share = rng.uniform(0.3, 0.7, 2), rng.uniform(0.55, 0.65)
    close = _box(middle, share), _box(middle, share * rng.uniform(1.0, 1.1))
    frames = [
        squash(condition(_cut(picture, box), np.random.default_rng(light)), size)
        for first, last in (wide, close)
        for box in np.linspace(first, last, STOPS)
    ]
    return np.stack(frames).reshape(TAKES, STOPS, size, size, 3)


def passing(progress: float) -> tuple[int, float]:
    """The stop of a take that a camera passed last, and its way to the next, in [0, 1).

    ``progress`` is the share of the take in [0, 1] that has passed.
    """
    along = progress * (STOPS - 1)
    stop = min(int(along), STOPS - 2)
    return stop, along - stop


def _box(corner: NDArray[np.float64], share: float) -> _Box:
    """A view of `share` of each side; `corner` says where in the room that it leaves."""
    return np.array([*(corner * (1.0 - share)), share])


def _cut(picture: Image.Image, box: _Box) -> Image.Image:
    left, top, share = box.tolist()
    width, height = picture.size
    return picture.crop(
        (
            round(left * width),
            round(top * height),
            max(round(left * width) + 1, round((left + share) * width)),
            max(round(top * height) + 1, round((top + share) * height)),
        )
    )
