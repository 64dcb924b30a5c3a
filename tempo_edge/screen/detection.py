"""Where writing is in a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge.screen.patches import labelled

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Detector", "Region"]

# A pixel is of writing from this probability on, and a patch of such pixels from this mean on.
_PIXEL, _PATCH = 0.3, 0.6

# The graph marks the middle of letters: by this share of area to girth a patch is made larger.
_GROWTH = 1.5

# Patches that are lower than this, in pixels of the graph's picture, are no writing.
_LEAST_PIXELS = 3

# Patches of a picture that are looked at: a wall of leaves has thousands.
_MOST_PATCHES = 200

# Writing is level up to this angle, and that of a patch says nothing unless it is so much longer.
_LEVEL_RADIANS, _LONG = math.radians(3), 2.5

# The graph halves a picture five times.
_STEP = 32

# As the graph was trained: blue, green, red.
_MEAN = np.asarray([0.485, 0.456, 0.406], np.float32) * 255
_DEVIATION = np.asarray([0.229, 0.224, 0.225], np.float32) * 255


@dataclass(frozen=True)
class Region:
    """A rectangle that holds writing, in pixels of a picture.

    Attributes:
        x, y: its middle.
        width: along the writing; ``height`` across it.
        angle: by which it is turned clockwise, in radians.
        score: how likely it is writing, within [0, 1].
    """

    x: float
    y: float
    width: float
    height: float
    angle: float
    score: float

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the upright rectangle around it."""
        across, down = abs(math.cos(self.angle)), abs(math.sin(self.angle))
        half = (self.width * across + self.height * down) / 2
        tall = (self.width * down + self.height * across) / 2
        return self.x - half, self.y - tall, self.x + half, self.y + tall

    def corners(self) -> list[tuple[float, float]]:
        """Its corners as they lie in the picture: top left, bottom left, bottom right, top right
        of the writing.
        """
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        signs = ((-1, -1), (-1, 1), (1, 1), (1, -1))
        return [
            (
                self.x + across * self.width / 2 * cos - down * self.height / 2 * sin,
                self.y + across * self.width / 2 * sin + down * self.height / 2 * cos,
            )
            for across, down in signs
        ]


class Detector:
    """Finds writing by a graph that marks its pixels.

    Args:
        session: that of :attr:`tempo_edge.screen.models.ScreenModels.detection`.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name

    def find(self, picture: Image, scale: float = 1.0) -> list[Region]:
        """The regions of a picture in which writing is, from top to bottom.

        Args:
            picture: RGB.
            scale: by which it is made larger before it is looked at.
        """
        from PIL.Image import Resampling

        width, height = (
            max(_STEP, round(side * scale / _STEP) * _STEP)
            for side in (picture.width, picture.height)
        )
        small = picture.resize((width, height), Resampling.BILINEAR)
        pixels = (np.asarray(small, np.float32)[..., ::-1] - _MEAN) / _DEVIATION
        planes = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])
        (told,) = self._session.run(None, {self._input: planes})
        stretch = picture.width / width, picture.height / height
        return _regions(np.asarray(told[0, 0], np.float32), stretch)


def _regions(marked: NDArray[np.float32], stretch: tuple[float, float]) -> list[Region]:
    """The regions that pixels belong to, ``[h, w]`` probabilities; ``stretch`` of their sides."""
    found = []
    for rows, columns in labelled(marked > _PIXEL, _MOST_PATCHES):
        score = float(marked[rows, columns].mean())
        if score >= _PATCH:
            region = _around(columns * stretch[0], rows * stretch[1], stretch, score)
            if region is not None:
                found.append(region)
    return sorted(found, key=lambda region: (region.y, region.x))


def _around(
    x: NDArray[np.floating], y: NDArray[np.floating], pixel: tuple[float, float], score: float
) -> Region | None:
    """The rectangle around the pixels of a patch, as large as its letters; None for a speck."""
    angle = _angle(x, y)
    cos, sin = math.cos(angle), math.sin(angle)
    along, across = x * cos + y * sin, y * cos - x * sin
    width = float(along.max() - along.min()) + pixel[0]
    height = float(across.max() - across.min()) + pixel[1]
    if min(width / pixel[0], height / pixel[1]) < _LEAST_PIXELS:
        return None
    middle = (
        (along.max() + along.min() + pixel[0]) / 2,
        (across.max() + across.min() + pixel[1]) / 2,
    )
    grown = width * height * _GROWTH / (width + height)
    return Region(
        x=float(middle[0] * cos - middle[1] * sin),
        y=float(middle[0] * sin + middle[1] * cos),
        width=width + grown,
        height=height + grown,
        angle=angle,
        score=score,
    )


def _angle(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """By how much writing is turned: the direction in which its pixels are spread most.

    Of a patch that is hardly longer than high it says nothing, and the writing is taken for level.
    """
    if len(x) < 2:
        return 0.0
    spread = np.cov(np.stack([x, y]))
    low, high = np.linalg.eigvalsh(spread)
    if high < _LONG**2 * max(float(low), 1e-9):
        return 0.0
    angle = 0.5 * math.atan2(2 * spread[0, 1], spread[0, 0] - spread[1, 1])
    return 0.0 if abs(angle) < _LEVEL_RADIANS else angle
